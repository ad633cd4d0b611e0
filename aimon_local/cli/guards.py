"""``aimon-local guards``: whom behaviour guards have spoken to; pardon one."""

import click

from aimon_local.cli.common import json_option, print_json, print_rows, say_done, talks_to_gateway
from aimon_local.client.admin import AdminClient, AdminError, segment

_COLUMNS = ("consumer", "cool_down_until", "by", "guards")


@click.group(help="List whom behaviour guards warn, brake or deny just now; pardon one.", invoke_without_command=True)
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool) -> None:
    """GET /guards, unless a command of its own follows."""
    if click.get_current_context().invoked_subcommand is not None:
        return None
    page = admin.get("/guards")
    return print_json(page) if as_json else print_rows(page["data"], _COLUMNS, False)


@command.command("forgive", help="End CONSUMER's cool-down and forget what its guards have counted.")
@click.argument("consumer")
@json_option
@talks_to_gateway
def forgive(admin: AdminClient, consumer: str, as_json: bool) -> None:
    """DELETE /guards/CONSUMER."""
    try:
        admin.delete(f"/guards/{segment(consumer)}")
    except AdminError as fault:
        if fault.status != 404:
            raise
        raise AdminError(f"no guard has seen a consumer {consumer!r}", "aimon-local guards", 404) from fault
    say_done("consumer", consumer, "forgiven", as_json)
