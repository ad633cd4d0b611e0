"""``GET /verify``: does the ledger add up? The checks are those of ``storage.verify``; our own, beside Kong's API."""

from dataclasses import asdict

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply
from aimon_local.gateway.admin.span import span


async def show(ask: Ask) -> Reply:
    """All checks with their numbers; ``models``: calls, input, output per model since a time, to compare elsewhere."""
    when = span(ask)
    if isinstance(when, Reply):
        return when
    found = await ask.context.ledger.verify(ask.context.now(), when.since or 0)
    checks = [asdict(check) for check in found.checks]
    good = all(check.good for check in found.checks)
    return json_reply(200, {"good": good, "checks": checks, "models": found.models, **when.shown()})
