"""``aimon-local requests``: rows of the ledger, the last first, and one of them by its request id."""

from collections.abc import Mapping
from typing import Any

import click

from aimon_local.cli.common import (
    before_option,
    existing,
    json_option,
    print_entity,
    print_json,
    print_rows,
    size_option,
    talks_to_gateway,
)
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient, segment
from aimon_local.model.moment import rfc3339

_COLUMNS = (
    "at", "request_id", "consumer", "tier", "route", "model", "method", "status", "decision", "deny_reason", "total_us",
)  # fmt: skip


@click.group(help="List requests, the last ended first; or show one.", invoke_without_command=True)
@click.option("--consumer", help="Of this one: username, custom_id or id.")
@size_option
@before_option
@since_option
@until_option
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, **asked: Any) -> None:
    """GET /requests, unless a command of its own follows."""
    if click.get_current_context().invoked_subcommand is not None:
        return None
    page = admin.get("/requests", **given(asked))
    if as_json:
        return print_json(page)
    print_rows([_line(row) for row in page["data"]], _COLUMNS, False)
    if page["next"]:
        click.echo(f"more: --before {page['before']}", err=True)
    return None


@command.command("show", help="Show the stored row of REQUEST_ID (X-Kong-Request-Id of an answer).")
@click.argument("request_id")
@json_option
@talks_to_gateway
def show(admin: AdminClient, request_id: str, as_json: bool) -> None:
    """GET /requests/REQUEST_ID."""
    row = existing(admin, "request", request_id, f"/requests/{segment(request_id)}", "aimon-local requests")
    print_entity(row if as_json else _line(row), as_json, ("request_id", "at"))


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for people: a readable time, the route by its name or else its id, an AI call's facts beside it."""
    ai = row["ai"] or {}
    flat = {f"ai.{name}": value for name, value in ai.items()}
    known = {name: value for name, value in row.items() if name != "ai"}
    named = {"at": rfc3339(row["at_ns"]), "route": row["route"] or row["route_id"], "model": ai.get("model")}
    return {**known, **named, **flat}
