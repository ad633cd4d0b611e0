"""Agents beside the generic verbs: an agent brings its consumer along and goes with it; its tokens and its runs.

POST /agents            {"name", "owner", "scopes", "limits", "tier"}   makes the consumer, and joins its tier
POST /agents/A/tokens   {"ttl", "scopes", "run", "budget"}              mints a token, as the operator
DELETE /agents/A/tokens[/ID]                                             makes all tokens of now, or one, void
GET /agents/A/runs                                                       the ledger's runs, with what they hold now
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_FOUND, Ask, Reply, json_reply, message, refused
from aimon_local.gateway.admin.entities import Done, Planned, find, typed, writing
from aimon_local.gateway.enrol import CONSUMERS, GROUPS, KIND, MEMBERSHIPS, by_reference, enrol, kept, owner_fault
from aimon_local.model.catalog import Catalog, Plan
from aimon_local.model.rows import Change
from aimon_local.model.validators import is_uuid
from aimon_local.model.violation import Violation
from aimon_local.policy.agents.read import read_agent


def _create(ask: Ask, name: str | None = None) -> Planned:
    data = _data(ask)
    if isinstance(data, Violation):
        return data
    if name is not None:
        data["name"] = name
    changes: list[Change] = []
    copy, entity = _copy(ask), None  # it grows in a copy, since each row names earlier ones
    for planned in enrol(copy, data, ask.context.now(), ask.context.ids):
        if isinstance(planned, Violation):
            return planned
        copy.apply(planned.changes)
        changes += planned.changes
        if planned.changes and planned.changes[-1].kind == KIND:
            entity = planned.entity
    return Done(KIND, Plan(entity, tuple(changes)), 201, data)


def _copy(ask: Ask) -> Catalog:
    """The catalog's part that a new agent touches."""
    catalog = ask.context.catalog
    copy = Catalog(catalog.schemas, catalog.plugin_schemas, catalog.seals)
    kinds = (CONSUMERS, GROUPS, MEMBERSHIPS, KIND)
    copy.apply([Change("put", kind, row) for kind in kinds for row in catalog.rows(kind)])
    return copy


def _data(ask: Ask) -> dict[Any, Any] | Violation:
    data = typed(ask, KIND)
    return data if isinstance(data, Violation) else by_reference(data)


def _changed(ask: Ask, mode: str) -> Planned:
    data, catalog, key = _data(ask), ask.context.catalog, ask.params[KIND]
    if isinstance(data, Violation):
        return data
    stored = find(ask, KIND, key)
    if mode == "upsert" and stored is None and not is_uuid(key):
        return _create(ask, key)
    if mode == "upsert" and isinstance(stored, Mapping):
        data = {**kept(stored), **data}
    write = catalog.upsert if mode == "upsert" else catalog.update
    plan = write(KIND, key, data, ask.context.now(), ask.context.ids)
    if isinstance(plan, Violation):
        return plan
    return owner_fault(catalog, plan.entity) or Done(KIND, plan, 200, data)


create = writing(_create)
"""POST /agents."""

change = writing(lambda ask: _changed(ask, "update"))
"""PATCH /agents/{name}."""

replace = writing(lambda ask: _changed(ask, "upsert"))
"""PUT /agents/{name}."""


async def remove(ask: Ask) -> Reply:
    """DELETE /agents/{name}: with its consumer, or that would go on as one that nobody answers for."""
    async with ask.context.writing:
        row = find(ask, KIND, ask.params[KIND])
        if isinstance(row, Violation):
            return refused(row)
        if row is None:
            return NO_CONTENT
        plan = ask.context.catalog.delete(CONSUMERS, row["consumer"]["id"])
        if isinstance(plan, Violation):
            return refused(plan)
        await ask.context.commit(plan.changes)
        return NO_CONTENT


# ---- tokens and runs


def token(ask: Ask) -> Reply:
    """POST /agents/{name}/tokens: a token, minted by the operator."""
    from aimon_local.policy.agents.tokens import mint  # noqa: PLC0415 (a start needs none of it)

    row = find(ask, KIND, ask.params[KIND])
    if not isinstance(row, Mapping):
        return NOT_FOUND if row is None else refused(row)
    context = ask.context
    call = context.trial("GET", "/", b"")
    agent = read_agent(row, call.snapshot.consumers)
    asked = {name: value for name, value in ask.body.data.items() if name != "agent"}
    made = mint(agent, asked, call.state.key, context.now(), context.ids.uuid(), None)
    if isinstance(made, str):
        return message(400, made)
    return json_reply(201, made.facts(), (("Cache-Control", "no-store"),))


def _void(ask: Ask) -> Planned:
    row = find(ask, KIND, ask.params[KIND])
    if not isinstance(row, Mapping):
        return row or Violation(404, {"message": "Not found"})
    one = ask.params.get("token")
    if one is None:
        data: dict[str, Any] = {"tokens_since": ask.context.now() / 1e9, "revoked_tokens": []}
    else:
        data = {"revoked_tokens": sorted({*(row.get("revoked_tokens") or ()), one})}
    plan = ask.context.catalog.update(KIND, row["id"], data, ask.context.now(), ask.context.ids)
    return plan if isinstance(plan, Violation) else Done(KIND, plan, 200, data)


revoke = writing(_void)
"""DELETE /agents/{name}/tokens and /tokens/{id}: void from the next request on."""


async def runs(ask: Ask) -> Reply:
    """GET /agents/{name}/runs."""
    row = find(ask, KIND, ask.params[KIND])
    if not isinstance(row, Mapping):
        return NOT_FOUND if row is None else refused(row)
    context = ask.context
    stored = await asyncio.to_thread(context.runs, row["name"]) if context.runs is not None else []
    state = context.trial("GET", "/", b"").state
    live = {run.name: run for run in state.runs.of(row["owner"]["id"])}
    for each in stored:
        run = live.get(each["run"])
        each["live"] = None if run is None else {**run.facts(), "children": max(run.children.values(), default=0)}
    return json_reply(200, {"data": stored})
