"""``aimon-local export usage``: the ledger's rows as CloudEvents, for OpenMeter, as FOCUS or as CSV."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import talks_to_gateway
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError
from aimon_local.exports.usage import FORMATS, PARQUET

_PAGE = 1000


@click.command("usage", help="Write the ledger's rows, the first ended first, for meters, bills and cost reports.")
@click.option("--format", "form", type=click.Choice([*FORMATS, PARQUET]), required=True, help="Which form.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
@click.option("--after", type=click.IntRange(0), default=0, help="Go on behind the row that an export said it reached.")
@since_option
@until_option
@talks_to_gateway
def command(admin: AdminClient, form: str, out: Path | None, after: int, **asked: Any) -> None:
    """What was reached is said on stderr, so that the next export goes on there."""
    source = f"aimon-local/{admin.get('/')['node_id']}"
    reached = [after]
    rows = _rows(admin, after, given(asked), reached)
    if form == PARQUET:
        _parquet(rows, source, out)
    else:
        _write(FORMATS[form].lines(rows, source), out)
    click.echo(f"reached row {reached[0]}; the next export: --after {reached[0]}", err=True)


def _rows(admin: AdminClient, after: int, span: dict[str, Any], reached: list[int]) -> Iterator[dict[str, Any]]:
    """All rows, page by page; ``reached`` holds the last number."""
    while True:
        page = admin.get("/requests/feed", after=reached[0], size=_PAGE, **span)
        yield from page["data"]
        reached[0] = page["last"]
        if len(page["data"]) < _PAGE:
            return


def _parquet(rows: Iterable[dict[str, Any]], source: str, out: Path | None) -> None:
    from aimon_local.exports.usage.parquet import write

    if out is None:
        raise ConfigError("Parquet is no text for a terminal", "name a file: --out usage.parquet")
    write(rows, source, out)


def _write(lines: Iterable[str], out: Path | None) -> None:
    if out is None:
        for line in lines:
            sys.stdout.write(line)
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as fault:
        raise ConfigError(f"{out} can't be written: {fault.strerror or fault}", "choose another --out") from fault
