"""``aimon-local up``: the gateway in the foreground.

Once it answers, it prints its addresses, the first key and a ready-made curl line on stdout; all else it says goes to
stderr. Imports of the gateway stand inside the command, so that ``--help`` costs nothing.
"""

import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aimon_local.errors import ConfigError

if TYPE_CHECKING:
    from aimon_local.gateway.app import Gateway

_PORT = click.IntRange(0, 65535)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command(help="Start the gateway: proxy, Admin API, built-in upstream, all on 127.0.0.1. Port 0: any free one.")
@click.option("--headless", is_flag=True, help="The gateway alone, in the foreground: for CI and services.")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory.  [env: AIMON_LOCAL_DATA]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Bind elsewhere; needs --admin-token.")
@click.option("--proxy-port", type=_PORT, default=8000, show_default=True, help="The proxy.")
@click.option("--admin-port", type=_PORT, default=8001, show_default=True, help="The Admin API.")
@click.option("--upstream-port", type=_PORT, default=5000, show_default=True, help="The built-in upstream.")
@click.option("--empty", is_flag=True, help="No demo on the first start.")
@click.option(
    "--credentials",
    type=click.Choice(["hashed", "plaintext"]),
    default="hashed",
    show_default=True,
    help="How API keys are kept; plaintext is Kong's way.",
)
@click.option("--admin-token", envvar="AIMON_LOCAL_TOKEN", help="Ask for it on the Admin API.")
@click.option("--allow-host", "allowed_hosts", multiple=True, help="A further name of the Admin API. Repeatable.")
@click.option(
    "--synchronous",
    type=click.Choice(["normal", "full"]),
    default="normal",
    show_default=True,
    help="full: the ledger survives a power cut too.",
)
@click.option(
    "--http", type=click.Choice(["auto", "h11"]), default="auto", show_default=True, help="h11: no fast scanner."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of stdout.")
def command(headless: bool, data: Path | None, log_format: str, **options: Any) -> None:
    """Start, say where, serve until SIGINT or SIGTERM."""
    from aimon_local.gateway.app import serve
    from aimon_local.gateway.settings import Settings
    from aimon_local.storage.location import data_directory

    if options["host"] not in _LOOPBACK and not options["admin_token"]:
        raise ConfigError(
            f"--host {options['host']} would let others reach the Admin API", "give --admin-token, or leave --host out"
        )
    settings = Settings(data=data_directory(data, os.environ, sys.platform, Path.home()), **options)
    say = _say_json if log_format == "json" else _say_text
    _runner()(serve(settings, say, lambda line: click.echo(line, err=True)))


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """uvloop's runner where the extra ``speed`` is installed, else asyncio's."""
    import asyncio

    if sys.platform != "win32" and os.environ.get("AIMON_LOCAL_LOOP") != "asyncio":
        try:
            import uvloop
        except ImportError:
            return asyncio.run
        run: Callable[[Coroutine[Any, Any, None]], None] = uvloop.run
        return run
    return asyncio.run


def _say_json(gateway: "Gateway") -> None:
    document = {"event": "ready", **gateway.addresses(), "data": str(gateway.settings.data), "keys": gateway.new_keys}
    click.echo(json.dumps(document))
    sys.stdout.flush()


def _say_text(gateway: "Gateway") -> None:
    for name, url in gateway.addresses().items():
        click.echo(f"{name:<9}{url}")
    click.echo(f"{'data':<9}{gateway.settings.data}")
    proxy = gateway.addresses()["proxy"]
    for consumer, key in gateway.new_keys.items():
        click.echo(f"{'key':<9}{key}  ({consumer}; shown this once)")
    if gateway.new_keys:
        key = next(iter(gateway.new_keys.values()))
        click.echo(f"\ntry it:  curl -i {proxy}/demo/get -H 'apikey: {key}'")
    elif not gateway.settings.empty:
        click.echo("\nanother key:  aimon-local key create demo-free")
    sys.stdout.flush()
