"""``GET /requests/feed``: the ledger's rows in order, from a number on, for readers that remember where they are."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, refused
from aimon_local.gateway.admin.span import number, span
from aimon_local.model.paging import parse_size
from aimon_local.model.violation import Violation
from aimon_local.storage.feed import Fed


async def show(ask: Ask) -> Reply:
    """Rows behind ``after`` (0: from the first), at most ``size``; ``last`` is the number to go on behind."""
    after, when, size = number(ask, "after"), span(ask), parse_size(ask.query.first("size"))
    if isinstance(after, Reply):
        return after
    if isinstance(when, Reply):
        return when
    if isinstance(size, Violation):
        return refused(size)
    rows = await asyncio.to_thread(ask.context.feed.after, after or 0, size, when.since or 0, when.until)
    data = [shown(ask.context.catalog, row) for row in rows]
    return json_reply(200, {"data": data, "last": rows[-1].seq if rows else after or 0})


def shown(catalog: Any, fed: Fed) -> dict[str, Any]:
    """A row of the feed as JSON has it: as ``/requests`` shows it, with its number and its corrections."""
    row, ai = fed.row, fed.ai
    return {
        "seq": fed.seq,
        **row._asdict(),
        "ai": None if ai is None else ai.facts(),
        "route": _name(catalog.select("routes", row.route_id) if row.route_id else None),
        "service": _name(catalog.select("services", row.service_id) if row.service_id else None),
        "corrected_cost": fed.corrected_cost,
        "corrected_charge": fed.corrected_charge,
    }


def _name(row: Mapping[str, Any] | None) -> str | None:
    return None if row is None else row["name"]
