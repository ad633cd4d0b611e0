"""``GET /alerts``: limits that are nearly used up, and those that were. Our own, beside Kong's API."""

import asyncio
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, refused
from aimon_local.gateway.admin.span import choice
from aimon_local.model.alert import STATES, Alert
from aimon_local.model.moment import SECOND, rfc3339
from aimon_local.model.paging import parse_size
from aimon_local.model.violation import Violation


async def listing(ask: Ask) -> Reply:
    """Alerts, the newest first: of a ``state`` (firing: those that still do), of a ``consumer`` by name."""
    state, size = choice(ask, "state", STATES), parse_size(ask.query.first("size"))
    if isinstance(state, Reply):
        return state
    if isinstance(size, Violation):
        return refused(size)
    alerting = ask.context.alerting
    if alerting is None:
        return json_reply(200, {"data": [], "webhook": None, "next": None})
    found = await asyncio.to_thread(alerting.table.listed, state, ask.query.first("consumer"), size)
    hook = alerting.hook
    webhook = None if hook is None else {"sink": hook.sink, "state": hook.state}
    return json_reply(200, {"data": [_shown(each) for each in found], "webhook": webhook, "next": None})


def _shown(alert: Alert) -> dict[str, Any]:
    return {**alert.facts(), "at": rfc3339(alert.at_ns), "ends": rfc3339(alert.ends * SECOND)}
