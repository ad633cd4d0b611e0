"""Create, read, change, replace and delete entities of any kind, by Kong's rules for verbs and paths.

Each public function makes the handler of one row of the table. Three shapes: a kind by itself (``/routes/{routes}``), a
kind below a parent (``/services/{services}/routes/{routes}``), and the one entity that another points to
(``/routes/{routes}/service``). What a write means is the catalog's matter; here it is asked, committed and answered.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.gateway import pages
from aimon_local.gateway.admin import lists
from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_ALLOWED, NOT_FOUND, Ask, Handler, Reply, json_reply, refused
from aimon_local.gateway.admin.visible import mask_fault, shown, written
from aimon_local.model.catalog import Plan
from aimon_local.model.coerce import coerce
from aimon_local.model.validators import is_uuid
from aimon_local.model.violation import Violation

Row = Mapping[str, Any]
Where = tuple[str, str] | None
Write = Callable[[Ask], Awaitable[Reply]]
MISSING = Violation(404, {"message": "Not found"})


@dataclass(frozen=True, slots=True)
class Done:
    """A planned write and what its answer needs."""

    kind: str
    plan: Plan
    status: int
    data: Mapping[Any, Any]
    fresh: bool = True


Planned = Done | Violation


def writing(plan: Callable[[Ask], Planned]) -> Write:
    """The handler that plans in its turn, commits, and answers with the entity."""

    async def handler(ask: Ask) -> Reply:
        async with ask.context.writing:
            return await commit(ask, plan(ask))

    return handler


async def commit(ask: Ask, done: Planned) -> Reply:
    """Make a planned write real; the caller holds the turn."""
    if isinstance(done, Violation):
        return refused(done)
    await ask.context.commit(done.plan.changes)
    entity = written(ask.context, done.kind, done.plan, done.data, fresh=done.fresh)
    return json_reply(done.status, entity)


# ---- a kind by itself


def listing(kind: str) -> Handler:
    """GET of a collection."""
    return lambda ask: lists.collection(ask, kind)


def create(kind: str) -> Handler:
    """POST to a collection."""
    return writing(lambda ask: insert(ask, kind, None))


def read(kind: str) -> Handler:
    """GET of an entity."""

    def handler(ask: Ask) -> Reply:
        return answer(ask, kind, find(ask, kind, ask.params[kind]))

    return handler


def change(kind: str) -> Handler:
    """PATCH of an entity."""
    return writing(lambda ask: update(ask, kind, ask.params[kind], None))


def replace(kind: str) -> Handler:
    """PUT of an entity."""
    return writing(lambda ask: upsert(ask, kind, ask.params[kind], None))


def remove(kind: str) -> Handler:
    """DELETE of an entity: 204, also where there is none."""

    async def handler(ask: Ask) -> Reply:
        async with ask.context.writing:
            return await _delete(ask, kind, ask.params[kind], None)

    return handler


# ---- below a parent


def listing_below(parent: str, field: str, kind: str) -> Handler:
    """GET of a parent's collection."""

    def handler(ask: Ask) -> Reply:
        above = _parent(ask, parent, field, kind)
        return refused(above) if isinstance(above, Violation) else lists.collection(ask, kind, above)

    return handler


def create_below(parent: str, field: str, kind: str) -> Handler:
    """POST to a parent's collection."""
    return writing(_below(parent, field, kind, lambda ask, where: insert(ask, kind, where)))


def read_below(parent: str, field: str, kind: str) -> Handler:
    """GET of a parent's entity."""

    def handler(ask: Ask) -> Reply:
        above = _parent(ask, parent, field, kind)
        if isinstance(above, Violation):
            return _missing(ask, kind, above)
        found = find(ask, kind, ask.params[kind], above)
        return answer(ask, kind, found) if found is not None else _missing(ask, kind, MISSING)

    return handler


def change_below(parent: str, field: str, kind: str) -> Handler:
    """PATCH of a parent's entity."""
    plan = _below(parent, field, kind, lambda ask, where: update(ask, kind, ask.params[kind], where))
    return _telling(kind, plan)


def replace_below(parent: str, field: str, kind: str) -> Handler:
    """PUT of a parent's entity."""
    return writing(_below(parent, field, kind, lambda ask, where: upsert(ask, kind, ask.params[kind], where)))


def remove_below(parent: str, field: str, kind: str) -> Handler:
    """DELETE of a parent's entity: 404 where the parent has none such."""

    async def handler(ask: Ask) -> Reply:
        async with ask.context.writing:
            above = _parent(ask, parent, field, kind)
            if isinstance(above, Violation):
                return _missing(ask, kind, above)
            return await _delete(ask, kind, ask.params[kind], above)

    return handler


# ---- the entity that another points to


def read_attached(owner: str, field: str, kind: str) -> Handler:
    """GET of the entity that ``owner`` points to."""

    def handler(ask: Ask) -> Reply:
        return answer(ask, kind, _attached(ask, owner, field, kind))

    return handler


def change_attached(owner: str, field: str, kind: str) -> Handler:
    """PATCH of the entity that ``owner`` points to."""

    def plan(ask: Ask) -> Planned:
        target = _attached(ask, owner, field, kind)
        if target is None or isinstance(target, Violation):
            return target or MISSING
        return update(ask, kind, target["id"], None)

    return writing(plan)


def replace_attached(owner: str, field: str, kind: str) -> Handler:
    """PUT of the entity that ``owner`` points to; where it points to none, a new one is made and attached."""

    async def handler(ask: Ask) -> Reply:
        context = ask.context
        async with context.writing:
            row = find(ask, owner, ask.params[owner])
            if row is None or isinstance(row, Violation):
                return refused(row or MISSING)
            there = row.get(field)
            id_ = there["id"] if there else context.ids.uuid()
            reply = await commit(ask, upsert(ask, kind, id_, None))
            if there or reply.status != 200:
                return reply
            pointed = context.catalog.update(owner, row["id"], {field: {"id": id_}}, context.now(), context.ids)
            if isinstance(pointed, Violation):
                return refused(pointed)
            await context.commit(pointed.changes)
            return reply

    return handler


def remove_attached(owner: str, field: str, kind: str) -> Handler:
    """DELETE of the entity that ``owner`` points to is never allowed; where there is none, that is said first."""

    def handler(ask: Ask) -> Reply:
        target = _attached(ask, owner, field, kind)
        if isinstance(target, Violation):
            return refused(target)
        return NOT_FOUND if target is None else NOT_ALLOWED

    return handler


# ---- parts


def find(ask: Ask, kind: str, key: str, where: Where = None) -> Row | Violation | None:
    """The row that a path segment names, as it is now."""
    return ask.context.catalog.resolve(kind, key, where=where, now=ask.context.now())


def answer(ask: Ask, kind: str, found: Row | Violation | None) -> Reply:
    """200 with the row, or why there is none."""
    if isinstance(found, Violation):
        return refused(found)
    return NOT_FOUND if found is None else json_reply(200, shown(ask.context, kind, found))


def typed(ask: Ask, kind: str, current: Row | None = None) -> dict[Any, Any] | Violation:
    """The body's data: text of a form becomes what the schema wants, a plugin's once its name is known."""
    catalog, data = ask.context.catalog, dict(ask.body.data)
    if ask.body.form:
        name = data.get("name") or (current or {}).get("name")
        schema = catalog.schema_for(kind, name)
        known = catalog.schemas[kind] if isinstance(schema, Violation) else schema
        data = coerce(known, data, catalog.schemas)
    return mask_fault(ask.context, kind, data) or data


def insert(ask: Ask, kind: str, where: Where) -> Planned:
    """The plan of a POST."""
    data = typed(ask, kind)
    if isinstance(data, Violation):
        return data
    if where is not None:
        data[where[0]] = {"id": where[1]}
    context = ask.context
    plan = context.catalog.insert(kind, data, context.now(), context.ids)
    return plan if isinstance(plan, Violation) else Done(kind, plan, 201, data)


def update(ask: Ask, kind: str, key: str, where: Where) -> Planned:
    """The plan of a PATCH."""
    context = ask.context
    current = find(ask, kind, key, where)
    data = typed(ask, kind, current if isinstance(current, Mapping) else None)
    if isinstance(data, Violation):
        return data
    if current is None and kind == "plugins" and data.get("name") is None:
        return MISSING  # Kong has to look the plugin up before it can judge anything
    plan = context.catalog.update(kind, key, data, context.now(), context.ids, where=where)
    return plan if isinstance(plan, Violation) else Done(kind, plan, 200, data, fresh=False)


def upsert(ask: Ask, kind: str, key: str, where: Where) -> Planned:
    """The plan of a PUT."""
    data = typed(ask, kind)
    if isinstance(data, Violation):
        return data
    context = ask.context
    plan = context.catalog.upsert(kind, key, data, context.now(), context.ids, where=where)
    return plan if isinstance(plan, Violation) else Done(kind, plan, 200, data)


async def _delete(ask: Ask, kind: str, key: str, where: Where) -> Reply:
    plan = ask.context.catalog.delete(kind, key, where=where)
    if isinstance(plan, Violation):
        return refused(plan)
    if where is not None and not plan.changes:
        return _missing(ask, kind, MISSING)
    await ask.context.commit(plan.changes)
    return NO_CONTENT


def _below(parent: str, field: str, kind: str, plan: Callable[[Ask, Where], Planned]) -> Callable[[Ask], Planned]:
    """A plan that needs its parent first."""

    def planned(ask: Ask) -> Planned:
        above = _parent(ask, parent, field, kind)
        return above if isinstance(above, Violation) else plan(ask, above)

    return planned


def _parent(ask: Ask, parent: str, field: str, kind: str) -> tuple[str, str] | Violation:
    """The parent that the path names, as (reference field of ``kind``, id)."""
    row = find(ask, parent, ask.params[parent])
    if isinstance(row, Violation):
        return row
    return MISSING if row is None else (field, row["id"])


def _attached(ask: Ask, owner: str, field: str, kind: str) -> Row | Violation | None:
    row = find(ask, owner, ask.params[owner])
    if row is None or isinstance(row, Violation):
        return row
    there = row.get(field)
    return find(ask, kind, there["id"]) if there else None


def _telling(kind: str, plan: Callable[[Ask], Planned]) -> Write:
    """``writing``, but what is missing is told as ``_missing`` tells it."""

    async def handler(ask: Ask) -> Reply:
        async with ask.context.writing:
            done = plan(ask)
            if isinstance(done, Violation) and done == MISSING:
                return _missing(ask, kind, done)
            return await commit(ask, done)

    return handler


def _missing(ask: Ask, kind: str, why: Violation) -> Reply:
    """404; that of an ACL group by name is the proxy's page with a request id, for Kong's plugin answers it itself."""
    if kind != "acls" or why != MISSING or is_uuid(ask.params[kind]):
        return refused(why)
    accept = [value.encode("latin-1") for value in ask.request.get_all("accept")]
    request_id = ask.context.ids.uuid().replace("-", "")
    content_type, body = pages.page(pages.refusal_form(accept), "Not found", request_id)
    return Reply(404, body, content_type.decode())
