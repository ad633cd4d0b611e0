"""``aimon-local approve``: grant head-room on a soft limit that has asked."""

import click

from aimon_local.cli.approvals import SHOWN, path
from aimon_local.cli.common import existing, json_option, print_entity, talks_to_gateway
from aimon_local.cli.key import DURATION
from aimon_local.client.admin import AdminClient


@click.command(
    help="Approve the question ID: head-room on its limit, as much again as the limit is, until its window ends."
)
@click.argument("approval_id", metavar="ID")
@click.option("--tokens", type=click.IntRange(1), help="So many tokens instead.")
@click.option("--usd", help="So many dollars instead.")
@click.option("--requests", type=click.IntRange(1), help="So many requests instead.")
@click.option("--for", "seconds", type=DURATION, help="For so long instead: 15m, 1h, 2d.")
@json_option
@talks_to_gateway
def command(
    admin: AdminClient,
    approval_id: str,
    tokens: int | None,
    usd: str | None,
    requests: int | None,
    seconds: int | None,
    as_json: bool,
) -> None:
    """POST /approvals/ID/approve."""
    existing(admin, "approval", approval_id, path(approval_id), "aimon-local approvals")
    given = {"tokens": tokens, "usd": usd, "requests": requests, "for": seconds}
    body = {name: value for name, value in given.items() if value is not None}
    print_entity(admin.post(f"{path(approval_id)}/approve", body), as_json, SHOWN)
