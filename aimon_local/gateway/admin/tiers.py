"""Tiers beside the generic verbs: a tier brings its consumer group along, and ``/armed`` says what acts on what."""

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply
from aimon_local.gateway.admin.entities import Done, Planned, insert, update, upsert, writing
from aimon_local.gateway.offers import dead_rules
from aimon_local.model.catalog import Plan
from aimon_local.model.rows import Change
from aimon_local.model.violation import ENTITY, Violation, schema_violation
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


def _acting(ask: Ask, done: Planned) -> Planned:
    """The write, or its refusal where a rule of the tier could never act; ``?allow_unarmed=1`` lets it pass."""
    if isinstance(done, Violation) or done.plan.entity is None or ask.query.flag("allow_unarmed"):
        return done
    told = dead_rules(ask.context.catalog, done.plan.changes, (done.plan.entity["name"],))
    if told is None:
        return done
    hint = "mend or remove the rule, or write with ?allow_unarmed=1 (tier apply --allow-unarmed)"
    return schema_violation({ENTITY: [f"{told}; {hint}"]})


create = writing(lambda ask: _acting(ask, _with_group(ask, insert(ask, KIND, None))))
"""POST /tiers."""

replace = writing(lambda ask: _acting(ask, _with_group(ask, upsert(ask, KIND, ask.params[KIND], None))))
"""PUT /tiers/{name}."""

change = writing(lambda ask: _acting(ask, update(ask, KIND, ask.params[KIND], None)))
"""PATCH /tiers/{name}."""


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
