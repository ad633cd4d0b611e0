"""``aimon-local up``: the gateway in the foreground, or on a terminal as a child behind the dashboard (``front``).

Once it answers, it prints its addresses, the first key and a ready-made curl line on stdout; all else it says goes to
stderr. Imports of the gateway stand inside the command, so that ``--help`` costs nothing.
"""

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aimon_local.errors import ConfigError

if TYPE_CHECKING:
    from aimon_local.gateway.app import Gateway

_PORT = click.IntRange(0, 65535)
Option = TypeVar("Option", bound=Callable[..., Any])

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORTS = {
    "proxy": "The proxy; default 8000, 0: any free one.",
    "admin": "The Admin API; default 8001.",
    "upstream": "The built-in upstream; default 5000.",
}


def _bounded(port: str) -> Callable[[Option], Option]:
    return click.option(f"--{port}-port", type=_PORT, help=_PORTS[port])


@click.command(
    help="Start the gateway: proxy, Admin API, built-in upstream, all on 127.0.0.1. On a terminal the dashboard stands "
    "in front of it.\n\n"
    "Options win over aimon.toml, and aimon.toml over the defaults."
)
@click.option("--headless", is_flag=True, help="The gateway alone, in the foreground: for CI and services.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="An aimon.toml.  [env: AIMON_LOCAL_CONFIG]")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory.  [env: AIMON_LOCAL_DATA]")
@click.option("--host", help="Bind elsewhere than to 127.0.0.1; needs --admin-token.")
@_bounded("proxy")
@_bounded("admin")
@_bounded("upstream")
@click.option("--empty", is_flag=True, default=None, help="No demo on the first start.")
@click.option("--allow-unarmed", is_flag=True, default=None, help="Start though a rule of aimon.toml can't act.")
@click.option(
    "--credentials",
    type=click.Choice(["hashed", "plaintext"]),
    help="How API keys are kept: hashed (default), or in plain text, Kong's way.",
)
@click.option("--admin-token", envvar="AIMON_LOCAL_TOKEN", help="Ask for it on the Admin API.")
@click.option("--allow-host", "allowed_hosts", multiple=True, help="A further name of the Admin API. Repeatable.")
@click.option(
    "--synchronous",
    type=click.Choice(["normal", "full"]),
    help="full: the ledger survives a power cut too; normal (default): a killed process.",
)
@click.option("--http", type=click.Choice(["auto", "h11"]), help="h11: all heads by h11, without the fast scanner.")
@click.option("--push-url", help="Push the ledger's rows there as CloudEvents.")
@click.option("--alert-webhook", help="Post near-quota alerts there as JSON.")
@click.option("--alert-file", help="Write near-quota alerts there, a line of JSON each.")
@click.option(
    "--otel-endpoint", help="Send traces and metrics there (OTLP over HTTP).  [env: OTEL_EXPORTER_OTLP_ENDPOINT]"
)
@click.option("--log-format", type=click.Choice(["text", "json"]), help="Of what stands on stdout; default text.")
def command(headless: bool, file: Path | None, data: Path | None, **options: Any) -> None:
    """Start, say where, serve until SIGINT or SIGTERM."""
    from aimon_local.config.load import load
    from aimon_local.config.schema import Config, given
    from aimon_local.gateway.app import serve
    from aimon_local.gateway.settings import Settings
    from aimon_local.storage.location import data_directory
    from aimon_local.wire.limits import Limits

    named = file or (Path(os.environ["AIMON_LOCAL_CONFIG"]) if os.environ.get("AIMON_LOCAL_CONFIG") else None)
    config = load(named) if named else Config()
    chosen = {**given(config.gateway), **{name: value for name, value in options.items() if value not in (None, ())}}
    _telemetry(chosen)
    directory = data_directory(data or chosen.pop("data", None), os.environ, sys.platform, Path.home())
    chosen.pop("data", None)
    say = _say_json if chosen.pop("log_format", "text") == "json" else _say_text
    settings = Settings(data=directory, **chosen)
    if settings.host not in _LOOPBACK and not settings.admin_token:
        raise ConfigError(
            f"--host {settings.host} would let others reach the Admin API", "give --admin-token, or leave --host out"
        )
    if not headless and say is _say_text and _on_terminal():
        from aimon_local.cli.front import in_front

        in_front(settings, sys.argv[1:])
        return
    limits = Limits(**given(config.limits))
    _runner()(serve(settings, limits, say, lambda line: click.echo(line, err=True), config.offers))


def _telemetry(chosen: dict[str, Any]) -> None:
    """OpenTelemetry's own variable turns it on too; it may stand there for other programs, so it stops nobody."""
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint or "otel_endpoint" in chosen:
        return
    with contextlib.suppress(ImportError):
        if importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http"):
            chosen["otel_endpoint"] = endpoint
            return
    click.echo("OTEL_EXPORTER_OTLP_ENDPOINT is not used: pip install 'aimon-local[otel]'", err=True)


def _on_terminal() -> bool:
    """Whether somebody sits there: then the dashboard stands in front of the gateway."""
    return sys.stdout.isatty() and sys.stdin.isatty()


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
