"""``aimon-local usage``: totals of all or of one consumer, in a span, apart by something.

One command answers "how much": requests, and of AI calls tokens and money. They are two questions to the Admin API
(``/usage``, ``/usage/ai``), joined here by the groups' ids; what AI calls can't be apart by has no such columns.
"""

from collections.abc import Mapping
from typing import Any

import click

from aimon_local.cli.common import json_option, print_csv, print_json, print_rows, talks_to_gateway
from aimon_local.client.admin import AdminClient

Rows = list[dict[str, Any]]

_BOTH = ("consumer", "tier", "route", "agent", "hour", "day")  # what requests and AI calls can both be apart by
_AI = ("input", "cache_read", "cache_write", "output", "reasoning", "cost", "charge", "margin")

since_option = click.option("--since", metavar="TIME", help="From then on: 24h or 7d ago, RFC 3339, Unix seconds.")
until_option = click.option("--until", metavar="TIME", help="Until before then; the same forms.")


@click.command(help="Show what was admitted and refused, in all or for one CONSUMER, from the stored ledger.")
@click.argument("consumer", required=False)
@click.option("--by", metavar="WHAT", help="Apart by consumer, tier, model, route, agent, service, status, hour, day.")
@since_option
@until_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for tables.")
@talks_to_gateway
def command(admin: AdminClient, as_json: bool, as_csv: bool, **asked: str | None) -> None:
    """GET /usage."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: choose one")
    of_models = asked["by"] == "model"  # what a call asks for is known of AI calls alone: their tokens and money
    document = admin.get("/usage/ai" if of_models else "/usage", **given(asked))
    if not of_models and asked["by"] in (None, *_BOTH):
        _join(document, admin.get("/usage/ai", **given(asked)))
    if as_json:
        return print_json(document)
    if of_models:
        rows = [{"model": group["name"] or group["id"], **group["totals"]} for group in document["groups"]]
        columns = ["model", *document["totals"]]
    elif "groups" in document:
        rows, columns = _groups(document["groups"], document["by"]), [document["by"], "id", *_plain(document["totals"])]
        columns += [name for name in _AI if "ai" in document]
    else:
        rows, columns = _lines(document["totals"], document.get("manners")), ["what", "count"]
        rows += [{"what": f"ai {name}", "count": document["ai"][name]} for name in _AI]
    if as_csv:
        return print_csv(rows, columns)
    return print_rows(rows, [column for column in columns if column != "id"], False)


def _join(document: dict[str, Any], ai: Mapping[str, Any]) -> None:
    """Put what AI calls used beside what was admitted and refused: in all, and in each group."""
    document["ai"] = ai["totals"]
    found = {_key(group): group["totals"] for group in ai.get("groups", ())}
    nothing = dict.fromkeys(ai["totals"], 0) | dict.fromkeys(("cost", "charge", "margin"), "0.00")
    for group in document.get("groups", ()):
        group["ai"] = found.get(_key(group), nothing)


def _key(group: Mapping[str, Any]) -> str:
    """What two questions call the same group: its name, else its id; "" for what belongs to none."""
    return str(group["name"] or group["id"] or "")


def given(asked: Mapping[str, str | None]) -> dict[str, str]:
    """The arguments that were given; an empty one is, so that the gateway can say what is wrong with it."""
    return {name: value for name, value in asked.items() if value is not None}


def _lines(totals: Mapping[str, Any], manners: Mapping[str, Any] | None) -> Rows:
    """Totals line by line; of one consumer, how it behaves when it is refused, in percent."""
    rows: Rows = [{"what": name, "count": value} for name, value in _plain(totals).items()]
    reasons = totals["denied_by_reason"].items()
    rows += [{"what": f"denied: {reason}", "count": count} for reason, count in reasons]
    if manners is not None and manners["score"] is not None:
        shares = ((name.replace("_", " "), manners[name]) for name in ("score", "honoured", "backed_off", "stopped"))
        rows += [{"what": f"manners: {name} %", "count": share} for name, share in shares]
    return rows


def _groups(groups: list[dict[str, Any]], by: str) -> Rows:
    """A line per group: its name, or its id where it has no name any more; a status by its number."""
    rows = []
    for group in groups:
        named = group["name"] is not None and by != "status"
        ai = {name: group["ai"][name] for name in _AI} if "ai" in group else {}
        rows.append({by: group["name" if named else "id"], "id": group["id"], **_plain(group["totals"]), **ai})
    return rows


def _plain(totals: Mapping[str, Any]) -> dict[str, Any]:
    """The totals that are one number."""
    return {name: value for name, value in totals.items() if not isinstance(value, dict)}
