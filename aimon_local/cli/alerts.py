"""``aimon-local alerts``: whose limits are nearly used up, and whose were."""

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient
from aimon_local.model.alert import STATES

_COLUMNS = ("at", "state", "percent", "consumer", "tier", "limit", "used", "amount", "why", "ends")


@click.command(help="List alerts, the newest first: limits of which 80 % or all is used, and those where that is over.")
@click.option("--state", type=click.Choice(STATES), help="firing: those that still do; resolved: those that did.")
@click.option("--consumer", help="Of this one alone, by name.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, **asked: str | None) -> None:
    """GET /alerts."""
    page = admin.get("/alerts", **given(asked))
    if as_json:
        return print_json(page)
    hook = page["webhook"]
    if hook is not None and hook["state"] != "idle":
        click.echo(f"webhook {hook['sink']}: {hook['state']}", err=True)
    return print_rows(page["data"], _COLUMNS, False)
