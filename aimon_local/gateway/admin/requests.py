"""``GET /requests`` and ``/requests/{request_id}``: the ledger's rows as they are stored. Our own, not Kong's."""

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
    out: dict[str, Any] = {"data": [_shown(ask, row) for row in page.rows], "next": None}
    if page.next is not None:
        repeated = [(name, value) for name in _REPEATED if (value := ask.query.first(name)) is not None]
        out["next"] = f"{ask.path}?{urlencode([('before', page.next), *repeated])}"
        out["before"] = page.next
    return json_reply(200, out)


async def one(ask: Ask) -> Reply:
    """The row of a request, by the id that its answer carried (X-Kong-Request-Id)."""
    row = await ask.context.ledger.usage_row(ask.params["request_id"])
    return NOT_FOUND if row is None else json_reply(200, _shown(ask, row))


def _shown(ask: Ask, row: UsageRow) -> dict[str, Any]:
    """A row by its columns, with the names that its route and service have now."""
    catalog = ask.context.catalog
    route = catalog.select("routes", row.route_id) if row.route_id else None
    service = catalog.select("services", row.service_id) if row.service_id else None
    return {**row._asdict(), "route": route and route["name"], "service": service and service["name"]}
