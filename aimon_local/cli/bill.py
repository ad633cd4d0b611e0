"""``aimon-local bill``: what a consumer owes for a month, as text or JSON."""

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient

_COLUMNS = ("model", "calls", "input", "cache_read", "cache_write", "output", "reasoning", "charge")


@click.command(help="Show what a CONSUMER owes for a month, from the stored ledger.")
@click.argument("consumer")
@click.option("--month", metavar="YYYY-MM", help="A calendar month in the tier's zone; default: the present one.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, consumer: str, month: str | None, as_json: bool) -> None:
    """GET /bill."""
    bill = admin.get("/bill", consumer=consumer, **given({"month": month}))
    if as_json:
        return print_json(bill)
    click.echo(
        f"{bill['consumer']['username']}  {bill['month']} ({bill['zone']})  tier {bill['tier']}, plan {bill['plan']}"
    )
    click.echo()
    print_rows([{**line, "model": line["model"] or "plain calls"} for line in bill["models"]], _COLUMNS, False)
    click.echo()
    lines = (("monthly fee", bill["fee"]), ("usage", bill["usage"]["charge"]), ("total", bill["total"]))
    for what, amount in lines:
        click.echo(f"{what:<12}{amount:>16} USD")
    return None
