"""What imports share: a file as a document, a look at what changes, the question before anything is lost."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import print_json
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError
from aimon_local.exports import gaps

_SHOWN = ("services", "routes", "consumers", "consumer_groups", "plugins", "tiers", "upstreams")


def put(
    admin: AdminClient,
    file: Path,
    there: dict[str, Any],
    document: dict[str, Any],
    lost: Iterable[gaps.Gap],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let ``document`` stand in place of ``there``, after the gaps were told and the operator agreed."""
    lost = list(lost)
    counts = {kind: [len(there.get(kind, ())), _count(document, kind)] for kind in _SHOWN}
    if not as_json:
        for line in gaps.lines(lost):
            click.echo(f"gap: {line}", err=True)
        for kind, (now, then) in counts.items():
            click.echo(f"{kind}: {now} now, {then} then", err=True)
    if not dry_run:
        _agreed(yes, counts)
        admin.call("POST", "/config", document)
    if as_json:
        return print_json({"gaps": gaps.report(lost), "counts": counts, "written": not dry_run})
    return click.echo("nothing was changed" if dry_run else f"{file} is the configuration now", err=True)


def _agreed(yes: bool, counts: dict[str, list[int]]) -> None:
    """Ask before anything is lost; raises ConfigError where nobody can be asked."""
    if yes or not any(now for now, _ in counts.values()):
        return
    if not sys.stdin.isatty():
        raise ConfigError("this replaces the configuration that is there", "say --yes, or look first: --dry-run")
    click.confirm("Replace the configuration that is there?", abort=True, err=True)


def parsed(file: Path) -> Any:
    """A file as a document; raises ConfigError that says what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} can't be read ({fault})", "is the path right?") from fault
    try:
        return json.loads(text)
    except RecursionError as fault:
        raise ConfigError(f"{file} is nested too deeply", "") from fault
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
