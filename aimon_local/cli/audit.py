"""``aimon-local audit``: who wrote what, when, how it was before and after."""

import json
from collections.abc import Mapping
from typing import Any

import click

from aimon_local.cli.common import before_option, json_option, print_json, print_rows, size_option, talks_to_gateway
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient
from aimon_local.model.audit import KINDS

_COLUMNS = ("number", "at", "actor", "address", "kind", "action", "entity", "name", "what")
_WIDE = 100  # characters of before and after on a line


@click.command(help="Show the audit log, the newest line first: Admin writes, keys, approvals, guards.")
@click.option("--kind", type=click.Choice(KINDS), help="Of this kind alone.")
@click.option("--actor", help="By this one alone: admin, gateway.")
@click.option("--entity", help="On this one alone: a kind of entity, an id, a name.")
@size_option
@before_option
@since_option
@until_option
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, **asked: Any) -> None:
    """GET /audit."""
    page = admin.get("/audit", **given(asked))
    if as_json:
        return print_json(page)
    print_rows([{**row, "what": _what(row)} for row in page["data"]], _COLUMNS, False)
    if page["next"]:
        click.echo(f"more: --before {page['before']}", err=True)
    return None


def _what(row: Mapping[str, Any]) -> str:
    """Both sides, short: ``field: old -> new`` of a change."""
    before, after = row["before"] or {}, row["after"] or {}
    if before and after:
        parts = [f"{name}: {_short(before.get(name))} -> {_short(after.get(name))}" for name in {**before, **after}]
    else:
        parts = [f"{name}={_short(value)}" for name, value in (after or before).items() if value not in (None, [], {})]
    text = " ".join(parts)
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
