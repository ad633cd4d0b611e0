"""``aimon-local verify``: does the ledger add up? Asks the running gateway, or reads a data directory."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError

_PATIENCE = 600.0  # seconds: a long ledger takes a while
_PARTS = ("requests", "prompt_tokens", "output_tokens")


@click.command(
    help="Recount the ledger: rows, sums, counters, the chain of hashes. Exit code 1: something does not add up.\n\n"
    "Asks the running gateway; with --data it reads that directory, whether a gateway runs or not."
)
@click.option("--data", "directory", type=click.Path(path_type=Path), help="Read this data directory instead.")
@click.option("--mock", metavar="URL", help="Compare with the count of the built-in upstream there, too.")
@click.option("--since", metavar="TIME", help="With --mock: the ledger's calls from then on, when that count began.")
@json_option
@talks_to_gateway
@click.pass_context
def command(
    ctx: click.Context, admin: AdminClient, directory: Path | None, mock: str | None, since: str | None, as_json: bool
) -> None:
    """Run all checks and print each."""
    found = (
        admin.patient(_PATIENCE).get("/verify", **given({"since": since}))
        if directory is None
        else _read(directory, since)
    )
    checks = found["checks"]
    if mock is not None:
        checks += _against(mock, found["models"])
    if as_json:
        print_json(checks)
    for check in checks if not as_json else ():
        click.echo(f"{'ok' if check['good'] else 'WRONG':<6}{check['name']}: {check['detail']}")
    if not all(check["good"] for check in checks):
        ctx.exit(1)


def _read(directory: Path, since: str | None) -> dict[str, Any]:
    """What the gateway would say, from the files."""
    from aimon_local.clock import MovableClock
    from aimon_local.model.moment import FORMS, moment
    from aimon_local.storage.clock import of_directory
    from aimon_local.storage.verify import verify

    now = MovableClock(of_directory(directory)).now_ns()
    begin = 0 if since is None else moment(since, now)
    if begin is None:
        raise ConfigError(f"since must be {FORMS}, not {since!r}")
    return asdict(verify(directory, now, begin))


def _against(url: str, ledger: Mapping[str, list[int]]) -> list[dict[str, Any]]:
    """The ledger's tokens per model, and what the mock says that it served: equal where all its calls came this way."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/_mock/stats", timeout=10) as answer:
            served = json.load(answer)["by_model"]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{url} tells no count ({error})", "is it the address of the built-in upstream?") from error
    out = []
    for model in sorted({*served, *ledger}):
        theirs = tuple(served.get(model, {}).get(name, 0) for name in _PARTS)
        ours = tuple(ledger.get(model, (0, 0, 0)))
        detail = f"calls, input, output: ledger {ours}, mock {theirs}"
        out.append({"name": f"mock {model}", "good": ours == theirs, "detail": detail})
    return out
