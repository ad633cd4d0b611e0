"""``aimon-local usage``."""

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.client.admin import AdminClient


@click.command(help="Show what was admitted and refused, in all or for one CONSUMER, from the stored ledger.")
@click.argument("consumer", required=False)
@json_option
@talks_to_gateway
def command(admin: AdminClient, consumer: str | None, as_json: bool) -> None:
    """GET /usage."""
    document = admin.get("/usage", **({"consumer": consumer} if consumer else {}))
    if as_json:
        return print_json(document)
    totals = document["totals"]
    rows = [{"what": name, "count": value} for name, value in totals.items() if not isinstance(value, dict)]
    for reason, count in (totals.get("denied_by_reason") or {}).items():
        rows.append({"what": f"denied: {reason}", "count": count})
    return print_rows(rows, ("what", "count"), False)
