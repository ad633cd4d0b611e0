"""``aimon-local record``: the ledger's traffic, or a HAR file, as a script that ``run`` replays."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError

_OWN = ("id", "created_at", "updated_at", "tags")


@click.command(
    help="Write what went through the gateway as a script: times, sizes and models, never prompts.\n\n"
    "Each consumer becomes an actor; give it a tier in the file to try other limits on the same traffic."
)
@click.option("--since", help="From then on: a time, Unix seconds, or how long ago (30m, 24h).")
@click.option("--until", help="Up to then.")
@click.option("--consumer", help="Only this one's.")
@click.option("--har", type=click.Path(path_type=Path), help="A HAR file instead of the ledger.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default stdout.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, har: Path | None, out: Path | None, as_json: bool, **asked: str | None) -> None:
    """Rows or entries in, TOML out."""
    import tomli_w

    from aimon_local.scenario.recording import as_script, from_har, from_rows

    if har is not None:
        recording, about, prices = from_har(_text(har), str(har)), f"recorded from {har.name}", []
    else:
        recording = from_rows(_rows(admin, {name: value for name, value in asked.items() if value}))
        about = f"recorded from the ledger, since {asked['since'] or 'its begin'}"
        prices = _prices(admin, {call["model"] for calls in recording.values() for call in calls if "model" in call})
    if not recording:
        raise ConfigError("there is nothing to record", "was there traffic in that time? aimon-local requests shows it")
    script = as_script(recording, about, prices)
    if as_json:
        print_json(script)
    elif out is None:
        sys.stdout.write(tomli_w.dumps(script))
    if out is None:
        return
    out.write_text(tomli_w.dumps(script), encoding="utf-8")
    click.echo(f"{sum(map(len, recording.values()))} calls of {len(recording)} actors are in {out}", err=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path} can't be read: {fault}", "is the path right?") from fault


def _rows(admin: AdminClient, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All rows of a span, page by page."""
    path: str | None = f"/requests?{urlencode({**query, 'size': 1000})}"
    while path:
        page = admin.get(path)
        yield from page["data"]
        path = page["next"]


def _prices(admin: AdminClient, models: set[str]) -> list[dict[str, Any]]:
    """The lines of the price book that name these models, so that the script stands alone."""
    lines = [line for line in admin.pages("/model_prices") if line["model"] in models]
    return [{key: value for key, value in line.items() if key not in _OWN and value is not None} for line in lines]
