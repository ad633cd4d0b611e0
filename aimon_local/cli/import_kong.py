"""``aimon-local import kong FILE``: a decK file, or ``kong config db_export``, becomes this gateway's configuration."""

import json
import os
from pathlib import Path

import click

from aimon_local.cli.common import json_option, talks_to_gateway
from aimon_local.cli.importing import parsed, put
from aimon_local.client.admin import AdminClient
from aimon_local.exports.kong import read

_OURS = ("price_plans", "model_prices")  # Kong has none, so a file of Kong's does not take them away


@click.command("kong", help="Replace the configuration by a decK file or a `kong config db_export` (JSON, YAML).")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be there, and the gaps; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before replacing what is there.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, file: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """As ``deck gateway sync`` does; price plans and the price book stay. Placeholders come from the environment."""
    found = read(parsed(file), os.environ)
    there = json.loads(admin.get("/config", format="json")["config"])
    document = {**found.document, **{kind: there[kind] for kind in _OURS if kind in there}}
    put(admin, file, there, document, found.gaps, dry_run=dry_run, yes=yes, as_json=as_json)
