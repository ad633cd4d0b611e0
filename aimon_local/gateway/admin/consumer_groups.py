"""Consumer groups and who belongs to them, in the shapes of Kong Enterprise (3.5 and later). Tiers are built on them.

A membership is an entity of its own in the catalog (``consumer_group_consumers``); clients only see groups and
consumers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_FOUND, Ask, Handler, Reply, json_reply, message, refused
from aimon_local.gateway.admin.entities import find
from aimon_local.gateway.admin.visible import shown
from aimon_local.model.rows import Change
from aimon_local.model.violation import Violation

MEMBERSHIPS, GROUPS, CONSUMERS = "consumer_group_consumers", "consumer_groups", "consumers"
_LINK = {GROUPS: "consumer_group", CONSUMERS: "consumer"}  # kind → its reference in a membership
_NAMED = {GROUPS: ("name",), CONSUMERS: ("username", "custom_id")}

Row = Mapping[str, Any]


def show(ask: Ask) -> Reply:
    """GET /consumer_groups/{g}: the group with its consumers and plugins."""
    group = find(ask, GROUPS, ask.params[GROUPS])
    if group is None or isinstance(group, Violation):
        return refused(group) if group else NOT_FOUND
    catalog, now = ask.context.catalog, ask.context.now()
    out: dict[str, Any] = {"consumer_group": group}
    if ask.query.first("list_consumers") != "false":
        out["consumers"] = list(_linked(ask, GROUPS, group["id"]))
    plugins = catalog.referring("plugins", "consumer_group", group["id"], now)
    out["plugins"] = [shown(ask.context, "plugins", row) for row in plugins]
    return json_reply(200, out)


def members(parent: str) -> Handler:
    """GET of a group's consumers, or of a consumer's groups."""

    def handler(ask: Ask) -> Reply:
        above = find(ask, parent, ask.params[parent])
        if above is None or isinstance(above, Violation):
            return refused(above) if above else NOT_FOUND
        return json_reply(200, {"data": list(_linked(ask, parent, above["id"])), "next": None})

    return handler


def member(parent: str) -> Handler:
    """GET of one of them."""
    other = _other(parent)

    def handler(ask: Ask) -> Reply:
        pair = _pair(ask, parent)
        if isinstance(pair, Violation) or pair is None or _membership(ask, parent, *pair) is None:
            return refused(pair) if isinstance(pair, Violation) else NOT_FOUND
        return json_reply(200, {_LINK[other]: pair[1]})

    return handler


def join(parent: str) -> Handler:
    """POST: ``consumer=`` joins a group, ``group=`` is joined by a consumer; several at once as a list."""
    other = _other(parent)
    argument = "consumer" if parent == GROUPS else "group"

    async def handler(ask: Ask) -> Reply:
        context = ask.context
        async with context.writing:
            above = find(ask, parent, ask.params[parent])
            if above is None or isinstance(above, Violation):
                return refused(above) if above else NOT_FOUND
            wanted = _wanted(ask, other, argument)
            if isinstance(wanted, Reply):
                return wanted
            changes = _changes(ask, parent, above, wanted)
            if isinstance(changes, Violation):
                return refused(changes)
            await context.commit(changes)
        return json_reply(201, {_LINK[parent]: above, other: list(_linked(ask, parent, above["id"]))})

    return handler


def leave(parent: str) -> Handler:
    """DELETE of one membership."""

    async def handler(ask: Ask) -> Reply:
        async with ask.context.writing:
            pair = _pair(ask, parent)
            if isinstance(pair, Violation):
                return refused(pair)
            row = None if pair is None else _membership(ask, parent, *pair)
            if row is None:
                return NOT_FOUND
            await ask.context.commit([Change("delete", MEMBERSHIPS, row)])
        return NO_CONTENT

    return handler


def leave_all(parent: str) -> Handler:
    """DELETE of all memberships of a group or a consumer."""

    async def handler(ask: Ask) -> Reply:
        context = ask.context
        async with context.writing:
            above = find(ask, parent, ask.params[parent])
            if above is None or isinstance(above, Violation):
                return refused(above) if above else NOT_FOUND
            rows = list(context.catalog.referring(MEMBERSHIPS, _LINK[parent], above["id"]))
            await context.commit([Change("delete", MEMBERSHIPS, row) for row in rows])
        return NO_CONTENT

    return handler


def _other(parent: str) -> str:
    return CONSUMERS if parent == GROUPS else GROUPS


def _linked(ask: Ask, parent: str, id_: str) -> Iterator[Row]:
    """The consumers of a group, or the groups of a consumer."""
    other, catalog = _other(parent), ask.context.catalog
    for link in catalog.referring(MEMBERSHIPS, _LINK[parent], id_):
        row = catalog.select(other, link[_LINK[other]]["id"])
        if row is not None:
            yield row


def _pair(ask: Ask, parent: str) -> tuple[Row, Row] | Violation | None:
    """The two that the path names, the parent first."""
    above, below = find(ask, parent, ask.params[parent]), find(ask, _other(parent), ask.params[_other(parent)])
    for found in (above, below):
        if isinstance(found, Violation):
            return found
    if not isinstance(above, Mapping) or not isinstance(below, Mapping):
        return None
    return above, below


def _membership(ask: Ask, parent: str, above: Row, below: Row) -> Row | None:
    links = ask.context.catalog.referring(MEMBERSHIPS, _LINK[parent], above["id"])
    field = _LINK[_other(parent)]
    return next((link for link in links if link[field]["id"] == below["id"]), None)


def _wanted(ask: Ask, kind: str, argument: str) -> list[Row] | Reply:
    """The entities that the body names, each once."""
    given = ask.body.data.get(argument)
    values = given if isinstance(given, list) else [given]
    found: dict[str, Row] = {}
    for value in values:
        name = next(iter(value.values()), None) if isinstance(value, Mapping) else value
        if not isinstance(name, str) or not name:
            return message(400, f"must provide {argument}")
        row = _named(ask, kind, name)
        if row is None:
            return message(404, f"{argument} '{name}' not found")
        found[row["id"]] = row
    return list(found.values()) or message(400, f"must provide {argument}")


def _named(ask: Ask, kind: str, name: str) -> Row | None:
    catalog = ask.context.catalog
    found = catalog.select(kind, name)
    for field in _NAMED[kind]:
        found = found or catalog.select_by(kind, field, name)
    return found


def _changes(ask: Ask, parent: str, above: Row, wanted: list[Row]) -> list[Change] | Violation:
    context = ask.context
    changes: list[Change] = []
    for row in wanted:
        data = {_LINK[parent]: {"id": above["id"]}, _LINK[_other(parent)]: {"id": row["id"]}}
        plan = context.catalog.insert(MEMBERSHIPS, data, context.now(), context.ids)
        if isinstance(plan, Violation):
            return plan
        changes += plan.changes
    return changes
