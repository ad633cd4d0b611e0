"""``aimon-local approvals``: what soft limits ask the operator; show one, or say no."""

from typing import Any

import click

from aimon_local.cli.common import existing, json_option, print_entity, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient, segment
from aimon_local.model.approval import State

_COLUMNS = ("id", "at", "consumer", "tier", "limit", "amount", "used", "requested", "asked", "state", "granted", "ends")
SHOWN = ("id", "state", "consumer", "limit", "amount", "used", "granted", "ends")


@click.group(help="List what soft limits ask, the newest first; show one, or deny it.", invoke_without_command=True)
@click.option("--state", type=click.Choice([state.value for state in State]), help="In this state alone.")
@click.option("--consumer", help="Of this one alone, by name.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, **asked: Any) -> None:
    """GET /approvals, unless a command of its own follows."""
    if click.get_current_context().invoked_subcommand is not None:
        return None
    page = admin.get("/approvals", **given(asked))
    return print_json(page) if as_json else print_rows(page["data"], _COLUMNS, False)


@command.command("show", help="Show the question ID.")
@click.argument("approval_id", metavar="ID")
@json_option
@talks_to_gateway
def show(admin: AdminClient, approval_id: str, as_json: bool) -> None:
    """GET /approvals/ID."""
    found = existing(admin, "approval", approval_id, path(approval_id), "aimon-local approvals")
    print_entity(found, as_json, SHOWN)


@command.command("deny", help="Say no to the question ID: until its window is over, the limit is a hard one.")
@click.argument("approval_id", metavar="ID")
@json_option
@talks_to_gateway
def deny(admin: AdminClient, approval_id: str, as_json: bool) -> None:
    """POST /approvals/ID/deny."""
    existing(admin, "approval", approval_id, path(approval_id), "aimon-local approvals")
    print_entity(admin.post(f"{path(approval_id)}/deny", {}), as_json, SHOWN)


def path(approval_id: str) -> str:
    """Of one question."""
    return f"/approvals/{segment(approval_id)}"
