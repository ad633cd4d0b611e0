"""``aimon-local insights``: questions of the business, answered from the ledger."""

from typing import Any

import click

from aimon_local.cli.common import json_option, print_csv, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient, segment


@click.command(
    help="Answer the question NAME from the ledger, of 30 days or a span; without a NAME, list the questions."
)
@click.argument("name", required=False)
@since_option
@until_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for tables.")
@talks_to_gateway
def command(admin: AdminClient, name: str | None, as_json: bool, as_csv: bool, **asked: Any) -> None:
    """GET /insights, /insights/NAME; how the numbers come about is said on stderr."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: choose one")
    page = admin.get("/insights" if name is None else f"/insights/{segment(name)}", **given(asked))
    if as_json:
        return print_json(page)
    columns = ("name", "about") if name is None else page["columns"]
    if as_csv:
        return print_csv(page["data"], columns)
    print_rows(page["data"], columns, False)
    if name is not None:
        click.echo(page["method"], err=True)
    return None
