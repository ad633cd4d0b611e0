"""``aimon-local doctor``: is this machine, the data directory and the running gateway in order?

Each check is one function that gives its findings; the exit code is 1 where one of them is a fault.
"""

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.client.admin import AdminClient, AdminError

OK, NOTE, FAULT = "ok", "note", "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    state: str
    what: str
    hint: str = ""


def machine() -> Iterator[Finding]:
    """Python and the optional parts."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding(OK if good else FAULT, f"Python {version}", "" if good else "3.11 or newer is needed")
    for module, what, extra in (
        ("uvloop", "a faster event loop", "speed"),
        ("cryptography", "JWT signatures RS, ES, PS, EdDSA", "jwt"),
        ("yaml", "YAML on /config", "yaml"),
    ):
        there = find_spec(module) is not None
        hint = "" if there else f"optional: pip install 'aimon-local[{extra}]'"
        yield Finding(OK if there else NOTE, f"{what}: {'there' if there else 'not installed'}", hint)


def data(directory: Path) -> Iterator[Finding]:
    """The data directory and its database, read only."""
    from aimon_local.storage.inspection import inspect

    for found in inspect(directory):
        yield Finding(FAULT if found.fault else NOTE if found.hint else OK, found.text, found.hint)


def gateway(admin: AdminClient) -> Iterator[Finding]:
    """The running gateway, and whether each of its plugins can act."""
    try:
        status = admin.get("/status")
        node = admin.get("/")
    except AdminError as fault:
        if fault.status:
            yield Finding(FAULT, f"the Admin API answered {fault.status}: {fault}", fault.hint)
        else:
            yield Finding(NOTE, str(fault), fault.hint)
        return
    yield Finding(OK, f"a gateway runs: version {node['version']}, node {node['node_id']}")
    yield from clock(admin)
    reachable = status["database"]["reachable"]
    yield Finding(OK if reachable else FAULT, f"its ledger {'can' if reachable else 'can NOT'} be written")
    yield from tiers(admin.get("/armed")["data"])
    yield from plugins(list(admin.pages("/routes")), list(admin.pages("/plugins")), list(admin.pages("/services")))


def clock(admin: AdminClient) -> Iterator[Finding]:
    """A clock that was moved: windows, expiries and prices go by it."""
    from aimon_local.cli.clock import state

    try:
        shown = admin.get("/clock")
    except AdminError:
        return  # an older gateway: it has none
    if shown["moved"]:
        yield Finding(
            NOTE, f"its clock shows {shown['now']}: {state(shown)}", "real time again: aimon-local clock reset"
        )


def tiers(armed: list[dict[str, Any]]) -> Iterator[Finding]:
    """Each tier's limits with the number of consumers and routes on which they act; one that can't is a fault."""
    for row in armed:
        what = f"tier {row['tier']}: {row['rule']} armed on {row['consumers']} consumers and {row['routes']} routes"
        if row["fault"] is None:
            yield Finding(OK if row["consumers"] else NOTE, what)
        else:
            yield Finding(FAULT, f"{what}, it can't act", row["fault"])


def plugins(
    routes: list[dict[str, Any]], configured: list[dict[str, Any]], services: list[dict[str, Any]]
) -> Iterator[Finding]:
    """Each plugin with the number of routes on which it is armed; one that is armed on none can't act."""
    enabled = {service["id"] for service in services if service["enabled"]}
    live = [route for route in routes if route["service"] is None or route["service"]["id"] in enabled]
    for plugin in configured:
        armed = sum(_covers(plugin, route) for route in live)
        name = plugin["instance_name"] or f"{plugin['name']} ({plugin['id']})"
        if not plugin["enabled"]:
            yield Finding(NOTE, f"plugin {name}: disabled")
        elif armed:
            yield Finding(OK, f"plugin {name}: armed on {armed} route{'s' if armed != 1 else ''}")
        else:
            yield Finding(
                FAULT, f"plugin {name}: armed on no route, it can't act", "give its scope a route, or remove it"
            )
        if plugin["name"] == "rate-limiting" and plugin["config"]["policy"] != "local":
            text = (
                f"plugin {name}: policy '{plugin['config']['policy']}' is counted locally; one process is exact anyway"
            )
            yield Finding(NOTE, text)


def _covers(plugin: dict[str, Any], route: dict[str, Any]) -> bool:
    on_route, on_service = plugin["route"], plugin["service"]
    if on_route is not None and on_route["id"] != route["id"]:
        return False
    return on_service is None or (route["service"] is not None and route["service"]["id"] == on_service["id"])


def ports(running: bool) -> Iterator[Finding]:
    """Whether the default ports are free, where no gateway holds them."""
    for name, port in (("proxy", 8000), ("Admin API", 8001), ("built-in upstream", 5000)):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        if taken and not running:
            yield Finding(NOTE, f"port {port} ({name}) is taken by another program", "choose another with up --help")


@click.command(help="Check this machine, the data directory and the running gateway. Exit code 1: something is wrong.")
@click.option("--data", "directory", type=click.Path(path_type=Path), help="The data directory.")
@json_option
@talks_to_gateway
@click.pass_context
def command(ctx: click.Context, admin: AdminClient, directory: Path | None, as_json: bool) -> None:
    """Run all checks."""
    from aimon_local.storage.location import data_directory

    where = data_directory(directory, os.environ, sys.platform, Path.home())
    found = [*machine(), *data(where)]
    of_gateway = list(gateway(admin))
    found += [*ports(any(finding.what.startswith("a gateway runs") for finding in of_gateway)), *of_gateway]
    if as_json:
        print_json([asdict(finding) for finding in found])
    for finding in found if not as_json else ():
        click.echo(f"{finding.state:<6}{finding.what}{f'  → {finding.hint}' if finding.hint else ''}")
    if any(finding.state == FAULT for finding in found):
        ctx.exit(1)
