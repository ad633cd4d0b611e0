"""``aimon-local check``: would this call be admitted just now? A dry run, nothing is spent."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given
from aimon_local.client.admin import AdminClient

_LIMITS = ("name", "amount", "used", "requested", "remaining", "passes", "passes_at", "resets_at")


@click.command(help="Would this call be admitted just now? Nothing is spent. Exit code 1: it would be refused.")
@click.option("--consumer", required=True, help="Who calls: username, custom_id or id.")
@click.option("--model", help="The model that is asked.")
@click.option("--prompt-tokens", type=click.IntRange(0), help="Tokens of the prompt; default: a short one.")
@click.option("--max-output", type=click.IntRange(0), help="Output tokens that the client asks for.")
@click.option(
    "--file",
    "body",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The body as the client would send it (JSON), in place of the three.",
)
@click.option("--path", default="/v1/chat/completions", show_default=True, help="Where it is sent.")
@click.option("--route", help="The route's name or id; default: the one that the path finds.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, body: Path | None, **asked: Any) -> None:
    """POST /check."""
    sent = given(asked)
    document = admin.post("/check", sent if body is None else {**sent, "body": _read(body)})
    if as_json:
        print_json(document)
    else:
        _print(document)
    if document["verdict"] == "deny":
        click.get_current_context().exit(1)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as fault:
        raise click.UsageError(f"{path} holds no JSON: {fault}") from fault


def _print(document: Mapping[str, Any]) -> None:
    denial = document["denial"]
    where = f"{document['consumer']} ({document['tier']}) on {document['route'] or 'no route'}"
    if denial is None:
        click.echo(f"allow: {where}")
    else:
        click.echo(f"deny: {where}: {denial['status']} {denial['reason']}: {denial['message']}")
    click.echo("holds: " + "  ".join(f"{name}={value}" for name, value in document["holds"].items()))
    if document["limits"]:
        print_rows(document["limits"], _LIMITS, False)
