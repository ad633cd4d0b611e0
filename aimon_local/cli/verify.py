"""``aimon-local verify``: does the ledger add up? Reads the data directory; the gateway may run."""

import json
import os
import sys
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimon_local.cli.common import json_option, print_json
from aimon_local.errors import ConfigError

if TYPE_CHECKING:
    from aimon_local.storage.verify import Check


@click.command(help="Recount the ledger: rows, sums, counters. Exit code 1: something does not add up.")
@click.option("--data", "directory", type=click.Path(path_type=Path), help="The data directory.")
@click.option("--mock", metavar="URL", help="Compare with the count of the built-in upstream there, too.")
@json_option
@click.pass_context
def command(ctx: click.Context, directory: Path | None, mock: str | None, as_json: bool) -> None:
    """Run all checks and print each."""
    from aimon_local.storage.location import data_directory
    from aimon_local.storage.verify import verify

    where = data_directory(directory, os.environ, sys.platform, Path.home())
    found = verify(where)
    if mock is not None:
        found += _against(mock, where)
    if as_json:
        print_json([asdict(check) for check in found])
    for check in found if not as_json else ():
        click.echo(f"{'ok' if check.good else 'WRONG':<6}{check.name}: {check.detail}")
    if not all(check.good for check in found):
        ctx.exit(1)


def _against(url: str, where: Path) -> list["Check"]:
    """The ledger's tokens per model, and what the mock says that it served: equal where all its calls came this way."""
    from aimon_local.storage.verify import Check, ai_totals

    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/_mock/stats", timeout=10) as answer:
            served = json.load(answer)["by_model"]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{url} tells no count ({error})", "is it the address of the built-in upstream?") from error
    ledger = ai_totals(where)
    out = []
    for model in sorted({*served, *ledger}):
        theirs = served.get(model, {})
        counted = tuple(theirs.get(name, 0) for name in ("requests", "prompt_tokens", "output_tokens"))
        ours = ledger.get(model, (0, 0, 0))
        out.append(Check(f"mock {model}", ours == counted, f"calls, input, output: ledger {ours}, mock {counted}"))
    return out
