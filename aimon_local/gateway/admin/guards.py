"""``/guards``: whom behaviour guards have spoken to, and the operator's pardon. Our own, beside Kong's API."""

import asyncio
from typing import Any

from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_FOUND, Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import consumer
from aimon_local.model.moment import rfc3339

_NS = 1_000_000_000


def listing(ask: Ask) -> Reply:
    """Consumers that are warned, braked or in a cool-down just now, those in a cool-down first."""
    now, rows = ask.context.now(), []
    for subject, box in ask.context.guarded.all():
        cooling = box.until_ns > now
        if not cooling and not box.told:
            continue
        row = ask.context.catalog.select("consumers", subject) or {}
        name = row.get("username") or row.get("custom_id")
        told: dict[str, Any] = {guard: grade.word for guard, grade in box.told.items()}
        until = rfc3339(box.until_ns) if cooling else None
        rows.append({"consumer": name, "id": subject, "cool_down_until": until, "by": box.why or None, "guards": told})
    rows.sort(key=lambda row: (row["cool_down_until"] is None, str(row["consumer"])))
    return json_reply(200, {"data": rows, "next": None})


async def forgive(ask: Ask) -> Reply:
    """End a consumer's cool-down and forget its counts. 404: no guard has seen it."""
    context, row = ask.context, consumer(ask, ask.params["consumers"])
    box = None if row is None else context.guarded.find(row["id"])
    if row is None or box is None:
        return NOT_FOUND
    if context.audit is None or context.stamp is None:
        return message(503, "there is no audit log to tell it")
    name = row.get("username") or row.get("custom_id") or ""
    before = {"guards": {guard: grade.word for guard, grade in box.told.items()}, "by": box.why or None}
    line = context.stamp().entry("guard", "forgive", "consumers", row["id"], name, before)
    await asyncio.to_thread(context.audit.add, [line])
    box.recover()
    return NO_CONTENT
