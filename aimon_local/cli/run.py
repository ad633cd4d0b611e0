"""``aimon-local run``: plays scripts, judges them. Exit codes: 0 all held, 1 something did not, 2 set-up.

Without an address, and with no gateway answering at the usual one, each script gets a gateway of its own: a child
with a temporary data directory on free ports, which ends with the script. The scenario room may not see the gateway;
this command brings the two together.
"""

import asyncio
import secrets
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aimon_local.cli.common import json_option, print_json
from aimon_local.client.admin import DEFAULT_URL
from aimon_local.errors import AimonError

if TYPE_CHECKING:
    from aimon_local.scenario.play import OnProgress, Outcome
    from aimon_local.scenario.script import Script
    from aimon_local.scenario.world import World


@dataclass(frozen=True, slots=True)
class Options:
    """Where and how to play, as the command line says it."""

    url: str | None = None
    admin_url: str | None = None
    mock_url: str | None = None
    token: str | None = None
    own: bool = False
    virtual: bool = False
    seed: int | None = None
    allow_remote: bool = False
    progress_json: bool = False


@click.command(
    help="Play scripts (files, or names of those that come along) and judge them; without one, list them.\n\n"
    "Exit codes: 0 all held, 1 something did not hold, 2 a script or the set-up is wrong."
)
@click.argument("files", nargs=-1)
@click.option("--url", help="The proxy; without one it is asked of the Admin API's host, port 8000.")
@click.option("--admin-url", envvar="AIMON_LOCAL_ADMIN", help=f"The Admin API; default {DEFAULT_URL}.")
@click.option("--mock-url", help="The built-in upstream, where it is not found by itself.")
@click.option("--token", envvar="AIMON_LOCAL_TOKEN", help="The admin token, where one is set.")
@click.option("--own", is_flag=True, help="A throw-away gateway for each script, whatever runs already.")
@click.option("--virtual", is_flag=True, help="In virtual time: no sockets, no waiting.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the script's own.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML there.")
@click.option("--allow-remote", is_flag=True, help="Let traffic go beyond this machine.")
@click.option("--progress-json", is_flag=True, help="Progress as lines of JSON on stderr, for programs.")
@json_option
def command(files: tuple[str, ...], junit: Path | None, as_json: bool, **options: Any) -> None:
    """Load all scripts first, so that a wrong one costs no run."""
    from aimon_local.scenario.read import load
    from aimon_local.scenario.report import document, text
    from aimon_local.scenario.report import junit as xml
    from aimon_local.scenario.shipped import named

    if not files:
        return _list()
    outcomes: list[Outcome] = []
    try:
        scripts = [load(named(word)) for word in files]
        for script in scripts:
            outcome = _played(script, Options(**options))
            outcomes.append(outcome)
            if not as_json:
                click.echo(text(outcome) + "\n")
            if outcome.verdict.interrupted:
                break
    except AimonError as fault:
        click.echo(f"error: {fault}", err=True)
        if fault.hint:
            click.echo(f"hint:  {fault.hint}", err=True)
        sys.exit(2)
    if as_json:
        print_json([document(outcome) for outcome in outcomes])
    if junit is not None:
        junit.write_text(xml(outcomes), encoding="utf-8")
    sys.exit(0 if all(outcome.verdict.passed for outcome in outcomes) else 1)


def _list() -> None:
    from aimon_local.scenario.read import load
    from aimon_local.scenario.shipped import folder, scripts

    for path in scripts():
        script = load(path)
        click.echo(f"{script.name:<20} {script.about}")
    click.echo(f"\nrun one by its name or file; they are in {folder()}", err=True)


def _played(script: "Script", options: Options) -> "Outcome":
    from aimon_local.cli.run_progress import shown
    from aimon_local.cli.run_world import found_world, own_world

    seed = script.seed if options.seed is None else options.seed
    if options.virtual or script.virtual:
        return _virtual(script, seed)
    with ExitStack() as stack:
        world = None
        if not options.own:
            world = found_world(options.url, options.admin_url, options.mock_url, options.token)
        if world is None:
            world = stack.enter_context(own_world())
        report = stack.enter_context(shown(script, as_json=options.progress_json))
        return asyncio.run(_over_sockets(script, world, seed, options.allow_remote, report))


async def _over_sockets(
    script: "Script", world: "World", seed: int, allow_remote: bool, report: "OnProgress"
) -> "Outcome":
    """One run; the first Ctrl-C ends the traffic and leaves the report, the second one everything."""
    from aimon_local.scenario.play import play

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    prefix = "" if world.own else f"run-{secrets.token_hex(3)}-"

    def asked() -> None:
        click.echo("stopping: what is in flight is cut, then comes the report", err=True)
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, asked)
    try:
        return await play(
            script, world, seed=seed, prefix=prefix, allow_remote=allow_remote, on_progress=report, stop=stop
        )
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _virtual(script: "Script", seed: int) -> "Outcome":
    from aimon_local.cli.run_progress import shown
    from aimon_local.cli.run_virtual import played

    with shown(script) as report:
        return played(script, seed, report)
