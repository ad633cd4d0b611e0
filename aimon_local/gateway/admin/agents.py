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
from aimon_local.model import violation
from aimon_local.model.catalog import Catalog, Plan
from aimon_local.model.rows import Change
from aimon_local.model.validators import is_uuid
from aimon_local.model.violation import Violation
from aimon_local.policy.agents.read import read_agent
from aimon_local.policy.agents.tokens import mint

KIND, CONSUMERS, GROUPS, MEMBERSHIPS = "agents", "consumers", "consumer_groups", "consumer_group_consumers"
TIER = "agent"
"""The consumer group that an agent joins where none is said and this one is there."""


def _create(ask: Ask) -> Planned:
    data = _data(ask)
    if isinstance(data, Violation):
        return data
    copy = _copy(ask)
    changes: list[Change] = []

    def add(kind: str, row: Mapping[str, Any]) -> Any:
        plan = copy.insert(kind, row, ask.context.now(), ask.context.ids)
        if not isinstance(plan, Violation):
            copy.apply(plan.changes)
            changes.extend(plan.changes)
        return plan

    name = data.get("name")
    if not data.get("consumer") and isinstance(name, str) and name:
        if copy.select_by(CONSUMERS, "username", name) is None:
            made = add(CONSUMERS, {"username": name, "tags": data.get("tags")})
            if isinstance(made, Violation):
                return made
        data["consumer"] = {"username": name}
    made = add(KIND, data)
    if isinstance(made, Violation):
        return made
    fault = _owner_fault(copy, made.entity) or _join(copy, add, made.entity, data.get("tier"))
    if fault is not None:
        return fault
    return Done(KIND, Plan(made.entity, tuple(changes)), 201, data)


def _join(copy: Catalog, add: Any, entity: Mapping[str, Any], tier: str | None) -> Violation | None:
    """Into its tier, unless it is in one."""
    consumer = entity["consumer"]["id"]
    if any(row["consumer"]["id"] == consumer for row in copy.rows(MEMBERSHIPS)):
        return None
    if copy.select_by(GROUPS, "name", tier or TIER) is None:
        return violation.schema_violation({"tier": f"there is no consumer group '{tier}'"}) if tier else None
    made = add(MEMBERSHIPS, {"consumer": {"id": consumer}, "consumer_group": {"name": tier or TIER}})
    return made if isinstance(made, Violation) else None


def _copy(ask: Ask) -> Catalog:
    """The catalog's part that a new agent touches: it grows in a copy, since each row names earlier ones."""
    catalog = ask.context.catalog
    copy = Catalog(catalog.schemas, catalog.plugin_schemas, catalog.seals)
    kinds = (CONSUMERS, GROUPS, MEMBERSHIPS, KIND)
    copy.apply([Change("put", kind, row) for kind in kinds for row in catalog.rows(kind)])
    return copy


def _data(ask: Ask) -> dict[Any, Any] | Violation:
    data = typed(ask, KIND)
    if isinstance(data, Violation):
        return data
    for name in ("owner", "consumer"):
        value = data.get(name)
        if isinstance(value, str):
            data[name] = {"id" if is_uuid(value) else "username": value}
    return data


def _owner_fault(catalog: Catalog, entity: Mapping[str, Any] | None) -> Violation | None:
    if entity is None:
        return None
    owner = entity["owner"]["id"]
    if owner == entity["consumer"]["id"]:
        return violation.schema_violation({"owner": "an agent can't be its own owner"})
    if any(row["consumer"]["id"] == owner for row in catalog.rows(KIND)):
        return violation.schema_violation({"owner": "is an agent itself: name the consumer that answers for it"})
    if any(row["owner"]["id"] == entity["consumer"]["id"] for row in catalog.rows(KIND)):
        return violation.schema_violation({"consumer": "owns agents itself, and an agent can't"})
    return None


def _changed(ask: Ask, mode: str) -> Planned:
    data, catalog, key = _data(ask), ask.context.catalog, ask.params[KIND]
    if isinstance(data, Violation):
        return data
    stored = find(ask, KIND, key)
    if mode == "upsert" and isinstance(stored, Mapping):
        data.setdefault("consumer", stored["consumer"])
    write = catalog.upsert if mode == "upsert" else catalog.update
    plan = write(KIND, key, data, ask.context.now(), ask.context.ids)
    if isinstance(plan, Violation):
        return plan
    return _owner_fault(catalog, plan.entity) or Done(KIND, plan, 200, data)


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
