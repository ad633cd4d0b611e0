"""``aimon-local import kong FILE``: a decK file, or ``kong config db_export``, becomes this gateway's configuration."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError
from aimon_local.exports import gaps
from aimon_local.exports.kong import read

_OURS = ("price_plans", "model_prices")  # Kong has none, so a file of Kong's does not take them away
_SHOWN = ("services", "routes", "consumers", "consumer_groups", "plugins", "tiers", "upstreams")

command = click.Group("import", help="Take over what a bigger system holds.")


@command.command("kong", help="Replace the configuration by a decK file or a `kong config db_export` (JSON, YAML).")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be there, and the gaps; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before replacing what is there.")
@json_option
@talks_to_gateway
def kong(admin: AdminClient, file: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """As ``deck gateway sync`` does; price plans and the price book stay. Placeholders come from the environment."""
    found = read(_parsed(file), os.environ)
    there = json.loads(admin.get("/config", format="json")["config"])
    document = {**found.document, **{kind: there[kind] for kind in _OURS if kind in there}}
    counts = {kind: [len(there.get(kind, ())), _count(document, kind)] for kind in _SHOWN}
    if not as_json:
        for line in gaps.lines(found.gaps):
            click.echo(f"gap: {line}", err=True)
        for kind, (now, then) in counts.items():
            click.echo(f"{kind}: {now} now, {then} then", err=True)
    if not dry_run:
        _agreed(yes, counts)
        admin.call("POST", "/config", document)
    if as_json:
        return print_json({"gaps": gaps.report(found.gaps), "counts": counts, "written": not dry_run})
    return click.echo("nothing was changed" if dry_run else f"{file} is the configuration now", err=True)


def _agreed(yes: bool, counts: dict[str, list[int]]) -> None:
    """Ask before anything is lost; raises ConfigError where nobody can be asked."""
    if yes or not any(now for now, _ in counts.values()):
        return
    if not sys.stdin.isatty():
        raise ConfigError("this replaces the configuration that is there", "say --yes, or look first: --dry-run")
    click.confirm("Replace the configuration that is there?", abort=True, err=True)


def _parsed(file: Path) -> Any:
    """A file as a document; raises ConfigError that says what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} can't be read ({fault})", "is the path right?") from fault
    try:
        return json.loads(text)
    except ValueError as fault:
        if file.suffix == ".json":
            raise ConfigError(f"{file}: not valid JSON: {fault}", "") from fault
    try:
        import yaml
    except ImportError as fault:
        raise ConfigError(f"{file} can't be read as YAML", "pip install 'aimon-local[yaml]', or give JSON") from fault
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise ConfigError(f"{file}: not valid YAML: {fault}", "") from fault


def _count(document: Any, kind: str) -> int:
    """Entities of a kind, nested ones too."""
    if isinstance(document, list):
        return sum(_count(each, kind) for each in document)
    if not isinstance(document, dict):
        return 0
    here = document.get(kind)
    own = len(here) if isinstance(here, list) else 0
    return own + sum(_count(value, kind) for name, value in document.items() if name != "config")
