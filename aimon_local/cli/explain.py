"""``aimon-local explain``: what became of one request and why, phase by phase, with each limit before and after it."""

from collections.abc import Mapping
from typing import Any

import click

from aimon_local.cli.common import cell_text, existing, json_option, print_json, print_rows, talks_to_gateway
from aimon_local.client.admin import AdminClient, segment

_LIMITS = ("name", "amount", "before", "held", "after", "resets_at")


@click.command(help="Explain REQUEST_ID (X-Kong-Request-Id of an answer): each phase, each limit, and why.")
@click.argument("request_id")
@json_option
@talks_to_gateway
def command(admin: AdminClient, request_id: str, as_json: bool) -> None:
    """GET /requests/REQUEST_ID/explain."""
    path = f"/requests/{segment(request_id)}/explain"
    document = existing(admin, "request", request_id, path, "aimon-local requests")
    if as_json:
        return print_json(document)
    click.echo(f"{document['request_id']}  {document['at']}")
    click.echo(document["summary"])
    click.echo("")
    for phase in document["phases"]:
        click.echo(f"{phase['phase']:<9} {_facts(phase)}".rstrip())
    for each in document["corrections"]:
        click.echo(f"{'reprice':<9} at={each['at']}  cost={_signed(each['cost'])}  charge={_signed(each['charge'])}")
    if document["limits"]:
        click.echo("")
        print_rows([_line(each) for each in document["limits"]], _LIMITS, False)
    return None


def _signed(more: str) -> str:
    """Dollars more or less, beside what the call was settled for."""
    return more if more.startswith("-") else f"+{more}"


def _facts(phase: Mapping[str, Any]) -> str:
    """What is known of a phase, on one line; what is not is left out."""
    facts = {**phase, **{f"{name}.{key}": v for name, inner in _nested(phase) for key, v in inner.items()}}
    shown = (name for name, value in facts.items() if not isinstance(value, Mapping) and value not in (None, [], ""))
    return "  ".join(f"{name}={cell_text(facts[name])}" for name in shown if name != "phase")


def _nested(phase: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, value) for name, value in phase.items() if isinstance(value, Mapping)]


def _line(limit: Mapping[str, Any]) -> dict[str, Any]:
    """A limit that a route adds is told by the row that brings it."""
    name = f"{limit['name']} ({limit['account']})" if limit["account"] else limit["name"]
    return {**limit, "name": name}
