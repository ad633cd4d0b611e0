"""``GET /requests`` and ``/requests/{request_id}``: the ledger's rows as they are stored. Our own, not Kong's."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from aimon_local.gateway.admin.ask import NOT_FOUND, Ask, Reply, json_reply, refused
from aimon_local.gateway.admin.span import number, span, whose
from aimon_local.model.paging import parse_size
from aimon_local.model.usage import UsageRow
from aimon_local.model.violation import Violation

_REPEATED = ("consumer", "size", "since", "until")  # arguments that the next page's address repeats


async def listing(ask: Ask) -> Reply:
    """Rows, the last ended first: of ``consumer`` or all, in a span; ``before`` opens a later page."""
    who, when, before, size = whose(ask), span(ask), number(ask, "before"), parse_size(ask.query.first("size"))
    if isinstance(who, Reply):
        return who
    if isinstance(when, Reply):
        return when
    if isinstance(before, Reply):
        return before
    if isinstance(size, Violation):
        return refused(size)
    if before == 0:  # what comes before the first row
        return json_reply(200, {"data": [], "next": None})
    page = await ask.context.ledger.usage_rows(who.of, when.since, when.until, before=before, size=size)
    out: dict[str, Any] = {"data": await _shown(ask, page.rows), "next": None}
    if page.next is not None:
        repeated = [(name, value) for name in _REPEATED if (value := ask.query.first(name)) is not None]
        out["next"] = f"{ask.path}?{urlencode([('before', page.next), *repeated])}"
        out["before"] = page.next
    return json_reply(200, out)


async def one(ask: Ask) -> Reply:
    """The row of a request, by the id that its answer carried (X-Kong-Request-Id), and what was corrected of it."""
    row = await ask.context.ledger.usage_row(ask.params["request_id"])
    if row is None:
        return NOT_FOUND
    shown = (await _shown(ask, [row]))[0]
    return json_reply(200, {**shown, "corrections": await corrections(ask, row.request_id) if shown["ai"] else []})


async def corrections(ask: Ask, request_id: str) -> list[dict[str, Any]]:
    """What ``reprice`` added to a call's cost and charge, in nano-dollars as its row has them; the first made first."""
    found = await asyncio.to_thread(ask.context.corrections.of, request_id)
    return [{"at_ns": at, "cost": cost, "charge": charge} for at, cost, charge in found]


async def _shown(ask: Ask, rows: Sequence[UsageRow]) -> list[dict[str, Any]]:
    """Rows by their columns, with what an AI call used, and the names that route and service have now."""
    records = await ask.context.ledger.ai_records(row.request_id for row in rows)
    return [
        {
            **row._asdict(),
            "ai": ai.facts() if (ai := records.get(row.request_id)) else None,
            "route": _name(ask, "routes", row.route_id),
            "service": _name(ask, "services", row.service_id),
        }
        for row in rows
    ]


def _name(ask: Ask, kind: str, id_: str | None) -> str | None:
    row = ask.context.catalog.select(kind, id_) if id_ else None
    return None if row is None else row["name"]
