"""``GET /push``: how far the ledger was pushed to the sink, and what keeps it. Our own, not Kong's."""

import asyncio

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message


async def show(ask: Ask) -> Reply:
    """The sink's state."""
    push = ask.context.push
    if push is None:
        return message(404, "no push_url is set: see aimon-local up --help")
    return json_reply(200, await asyncio.to_thread(push.facts))
