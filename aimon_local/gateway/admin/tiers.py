"""Tiers beside the generic verbs: a tier brings its consumer group along, and ``/armed`` says what acts on what."""

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply
from aimon_local.gateway.admin.entities import Done, Planned, insert, upsert, writing
from aimon_local.model.catalog import Plan
from aimon_local.model.rows import Change
from aimon_local.model.violation import Violation
from aimon_local.policy import tiering
from aimon_local.policy.snapshot import build

KIND, GROUPS = "tiers", "consumer_groups"


def _with_group(ask: Ask, done: Planned) -> Planned:
    """The write of a tier, with its consumer group where that is not there yet."""
    if isinstance(done, Violation):
        return done
    entity, catalog = done.plan.entity, ask.context.catalog
    if entity is None or entity.get("consumer") or entity.get("route"):
        return done
    if catalog.select_by(GROUPS, "name", entity["name"]) is not None:
        return done
    group = catalog.insert(GROUPS, {"name": entity["name"]}, ask.context.now(), ask.context.ids)
    if isinstance(group, Violation):
        return group
    changes: tuple[Change, ...] = (*group.changes, *done.plan.changes)
    return Done(done.kind, Plan(entity, changes), done.status, done.data, done.fresh)


create = writing(lambda ask: _with_group(ask, insert(ask, KIND, None)))
"""POST /tiers."""

replace = writing(lambda ask: _with_group(ask, upsert(ask, KIND, ask.params[KIND], None)))
"""PUT /tiers/{name}."""


def armed(ask: Ask) -> Reply:
    """GET /armed: each limit and gate, on how many consumers and routes it acts; ``fault`` where it can't."""
    catalog = ask.context.catalog
    kinds = (KIND, GROUPS, "consumers", "consumer_group_consumers", "routes", "price_plans", "model_prices")
    now = build({kind: list(catalog.rows(kind)) for kind in kinds}, {}, str)
    found = tiering.armed(now.tiering, now.consumers.values(), now.routes.values())
    data = [
        {"tier": one.tier, "rule": one.rule, "consumers": one.consumers, "routes": one.routes, "fault": one.fault}
        for one in found
    ]
    return json_reply(200, {"data": data, "faults": sum(one.fault is not None for one in found)})
