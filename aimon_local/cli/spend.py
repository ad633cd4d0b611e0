"""``aimon-local spend``: tokens and money of AI calls, in all or of one consumer, in a span, apart by something."""

from typing import Any

import click

from aimon_local.cli.common import json_option, print_csv, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient


@click.command(help="Show the tokens and the money of AI calls, in all or of one CONSUMER, from the stored ledger.")
@click.argument("consumer", required=False)
@click.option("--by", metavar="WHAT", help="Apart by consumer, tier, route, agent, model, hour or day.")
@since_option
@until_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for tables.")
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, as_csv: bool, **asked: str | None) -> None:
    """GET /usage/ai."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: choose one")
    document = admin.get("/usage/ai", **given(asked))
    if as_json:
        return print_json(document)
    rows: list[dict[str, Any]] = [{"what": name, "sum": value} for name, value in document["totals"].items()]
    columns = ["what", "sum"]
    if "groups" in document:
        by = document["by"]
        rows = [{by: group["name"] or group["id"], **group["totals"]} for group in document["groups"]]
        columns = [by, *document["totals"]]
    return print_csv(rows, columns) if as_csv else print_rows(rows, columns, False)
