"""``aimon-local bill``: what a consumer owes for a month, as text or JSON."""

from collections.abc import Iterator
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient

_MODELS = ("model", "requests", "input", "cache_read", "cache_write", "output", "reasoning", "cost", "charge")
_NOTHING = "0.00"


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
    print_rows([{**line, "model": line["model"] or "plain calls"} for line in bill["models"]], _MODELS, False)
    click.echo()
    for what, amount in _lines(bill):
        click.echo(f"{what:<60}{amount:>16} USD")
    return None


def _lines(bill: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is owed line by line; what our cost and margin are stands behind the total."""
    yield "monthly fee", bill["fee"]
    for part in bill["components"]:
        unit = part["unit"].replace("_", " ")
        yield f"{unit}: {part['units']}, {part['included']} included, {part['overage']} beyond", part["amount"]
        for step in part["steps"] if len(part["steps"]) > 1 else ():
            per = f" per {part['per']}" if part["per"] > 1 else ""
            yield f"  {step['units']} from {step['from']} on at {step['price']}{per}", f"({step['amount']})"
    markup = bill["markup"]
    if markup["basis_points"]:
        yield f"cost of {markup['cost']} at {markup['basis_points'] / 100:g} %", markup["amount"]
    if bill["adjustment"] != _NOTHING:
        yield "charged by other terms than the present ones", bill["adjustment"]
    yield "total", bill["total"]
    yield "  our cost", f"({bill['usage']['cost']})"
    yield "  our margin", f"({bill['margin']})"
