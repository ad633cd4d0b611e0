"""``aimon-local reprice``: correct what calls cost and brought, by the prices and plans of now."""

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.client.admin import AdminClient

_PATIENCE = 600.0  # seconds: a long ledger takes a while


@click.command(
    help="Correct what calls since a time cost and brought, by the prices and plans of now.\n\n"
    "Corrections are new rows that refer to the calls; sums and bills include them. A second run corrects nothing."
)
@click.option("--since", metavar="TIME", required=True, help="24h or 7d ago, RFC 3339, Unix seconds.")
@click.option("--dry-run", is_flag=True, help="Tell what would be corrected, and store nothing.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, since: str, dry_run: bool, as_json: bool) -> None:
    """POST /reprice."""
    found = admin.patient(_PATIENCE).post("/reprice", {"since": since, "dry_run": dry_run})
    if as_json:
        return print_json(found)
    print_rows(found["consumers"], ("consumer", "corrected", "cost", "charge"), False)
    what = "would be corrected" if dry_run else "corrected"
    click.echo(
        f"{found['corrected']} of {found['calls']} calls {what}: cost {found['cost']}, charge {found['charge']} USD"
    )
    if found["unpriced"]:
        click.echo(f"{found['unpriced']} calls left as they are: their models have no price now", err=True)
    if found["without_plan"]:
        click.echo(f"{found['without_plan']} calls left as they are: their tiers are gone", err=True)
    return None
