"""Joins what clients saw with the ledger's rows, read from the Admin API by the ids that answers carried."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.scenario.facts import Fact
from aimon_local.scenario.world import Door

_TRIES, _PAUSE = 40, 0.05  # rows of calls whose client left come a moment after


async def newest(admin: Door) -> int:
    """The number behind which the rows of a run are; 0: the ledger is empty."""
    page = await admin.call("GET", "/requests?size=1")
    return int(page.get("before", 1)) if page["data"] else 0


async def joined(admin: Door, facts: Sequence[Fact], since: int) -> tuple[Fact, ...]:
    """The facts with their rows; one whose row does not come stays without."""
    wanted = {fact.request_id for fact in facts if fact.request_id}
    rows: dict[str, Mapping[str, Any]] = {}
    for _ in range(_TRIES):
        await _gather(admin, wanted, rows, since)
        if len(rows) == len(wanted):
            break
        await asyncio.sleep(_PAUSE)
    return tuple(fact.with_row(rows.get(fact.request_id)) for fact in facts)


async def _gather(admin: Door, wanted: set[str], rows: dict[str, Mapping[str, Any]], since: int) -> None:
    """Pages of rows, the newest first, until all are found or those from before the run begin."""
    path = "/requests?size=1000"
    while path and len(rows) < len(wanted):
        page = await admin.call("GET", path)
        for row in page["data"]:
            if row["request_id"] in wanted:
                rows[row["request_id"]] = row
        path = page["next"] if page["next"] and page["before"] > since else ""
