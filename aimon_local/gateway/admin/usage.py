"""``GET /usage``: what a consumer used, from the stored rows. Our own, beside Kong's API."""

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message


async def show(ask: Ask) -> Reply:
    """Totals of ``consumer`` (username, custom_id or id), or of all. A deleted consumer's rows stay, under its name."""
    name = ask.query.first("consumer")
    if name is None:
        return json_reply(200, {"consumer": None, "totals": await ask.context.usage(None)})
    if not name:
        return message(400, "consumer must be an unempty string")
    catalog = ask.context.catalog
    row = (
        catalog.select("consumers", name)
        or catalog.select_by("consumers", "username", name)
        or catalog.select_by("consumers", "custom_id", name)
    )
    totals = await ask.context.usage(name if row is None else row["id"])
    if row is None and not totals.get("requests") and not totals.get("denied"):
        return message(404, f"consumer '{name}' not found, and no usage is stored under this name")
    return json_reply(200, {"consumer": row and {"id": row["id"], "username": row["username"]}, "totals": totals})
