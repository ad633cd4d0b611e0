"""``GET /audit``: who wrote what, when, how it was before and after. Our own, beside Kong's API."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message, refused
from aimon_local.gateway.admin.span import choice, number, span
from aimon_local.model.audit import KINDS
from aimon_local.model.moment import rfc3339
from aimon_local.model.paging import parse_size
from aimon_local.model.violation import Violation
from aimon_local.storage.audit import Asked, Line

_REPEATED = ("since", "until", "kind", "actor", "entity", "size")


async def listing(ask: Ask) -> Reply:
    """Lines, the newest first; ``entity``: a kind of entity, an id, or a name; ``before`` opens a later page."""
    asked = _asked(ask)
    if isinstance(asked, Reply):
        return asked
    log = ask.context.audit
    if log is None:
        return message(404, "this gateway keeps no audit log")
    lines = await asyncio.to_thread(log.page, asked)
    out: dict[str, Any] = {"data": [_shown(line) for line in lines], "next": None}
    if len(lines) == asked.size and lines[-1][0] > 1:
        repeated = [(name, value) for name in _REPEATED if (value := ask.query.first(name)) is not None]
        out["next"] = f"{ask.path}?{urlencode([('before', lines[-1][0]), *repeated])}"
        out["before"] = lines[-1][0]
    return json_reply(200, out)


def _asked(ask: Ask) -> Asked | Reply:
    when, kind, before, size = (
        span(ask),
        choice(ask, "kind", KINDS),
        number(ask, "before"),
        parse_size(ask.query.first("size")),
    )
    for given in (when, kind, before):
        if isinstance(given, Reply):
            return given
    if isinstance(size, Violation):
        return refused(size)
    assert not isinstance(when, Reply)
    assert not isinstance(kind, Reply)
    assert not isinstance(before, Reply)
    return Asked(when.since, when.until, kind, ask.query.first("actor"), ask.query.first("entity"), before, size)


def _shown(line: Line) -> dict[str, Any]:
    number_, entry = line
    return {"number": number_, "at": rfc3339(entry.at_ns), "real": rfc3339(entry.real_ns), **entry.facts()}
