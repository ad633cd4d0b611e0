"""``aimon-local export kong``: the configuration as decK reads it, and a report of what Kong can't express."""

import json
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import talks_to_gateway
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError
from aimon_local.exports import gaps
from aimon_local.exports.kong import EDITIONS, Edition, write

NO_YAML = "YAML needs the extra: pip install 'aimon-local[yaml]'; or name the file .json"


@click.command("kong", help="Write services, routes, consumers, keys, plugins and tiers as a decK file.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="kong.yaml or kong.json; default: JSON on stdout."
)
@click.option("--edition", type=click.Choice(EDITIONS), default="oss", show_default=True, help="Kong's edition.")
@click.option(
    "--gaps", "gaps_to", type=click.Path(path_type=Path, dir_okay=False), help="Write the gap report as JSON here."
)
@talks_to_gateway
def command(admin: AdminClient, out: Path | None, edition: Edition, gaps_to: Path | None) -> None:
    """Gaps and the environment variables that decK needs go to stderr."""
    rows = json.loads(admin.get("/config", format="json")["config"])
    done = write(rows, edition)
    text = to_text(done.document, out)
    if out is None:
        click.echo(text, nl=False)
    else:
        _save(out, text)
        click.echo(f"{out}: written; check it with: deck file validate {out}", err=True)
    if gaps_to is not None:
        _save(gaps_to, json.dumps(gaps.report(done.gaps), indent=2) + "\n")
    for line in gaps.lines(done.gaps):
        click.echo(f"gap: {line}", err=True)
    for name, what in done.variables.items():
        click.echo(f"set: {name}: {what} (kept as a hash here, so it can't be written)", err=True)


def to_text(document: Any, out: Path | None) -> str:
    """JSON, or YAML by the file's name; raises ConfigError where YAML can't be written."""
    if out is None or out.suffix not in (".yaml", ".yml"):
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        import yaml
    except ImportError as fault:
        raise ConfigError(f"{out} can't be written as YAML", NO_YAML) from fault
    document = json.loads(json.dumps(document))  # without shared parts: they would come out as anchors
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"{path} can't be written: {fault.strerror or fault}", "choose another --out") from fault
