"""Offers (tiers, price plans, prices) into the catalog: what a file says, made so, and nothing else touched.

A row is known by its name, a line of the price book by model and day. A row that says the same already is left alone; a
tier brings its consumer group along.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from aimon_local.errors import ConfigError, StartError
from aimon_local.gateway.enrol import KIND as AGENTS
from aimon_local.gateway.enrol import MEMBERSHIPS, by_reference, enrol, kept
from aimon_local.model.catalog import Catalog, Plan
from aimon_local.model.fill import Ids
from aimon_local.model.rows import Change
from aimon_local.model.violation import Violation
from aimon_local.policy import tiering
from aimon_local.policy.snapshot import build

Offer = tuple[str, Mapping[str, Any]]


def plan(catalog: Catalog, offers: Iterable[Offer], now: int, ids: Ids) -> tuple[Change, ...]:
    """The changes that make offers hold; the catalog is not changed.

    ConfigError: a row that names what is not there.
    """
    copy = Catalog(catalog.schemas, catalog.plugin_schemas, catalog.seals)
    copy.apply([Change("put", kind, row) for kind in _NEEDED for row in catalog.rows(kind)])
    changes: list[Change] = []
    for kind, row in offers:
        for planned in _writes(copy, kind, row, now, ids):
            if isinstance(planned, Violation):
                raise ConfigError(f"{kind} {row.get('name') or row.get('model')}: {planned.body.get('message')}", "")
            copy.apply(planned.changes)
            changes += planned.changes
    return tuple(changes)


def must_act(catalog: Catalog, changes: Sequence[Change], offers: Iterable[Offer]) -> None:
    """StartError where a tier among ``offers`` has a rule that could never act once ``changes`` hold."""
    told = dead_rules(catalog, changes, {row["name"] for kind, row in offers if kind == "tiers"})
    if told is not None:
        raise StartError(told, "mend or remove the rule in aimon.toml, or start with --allow-unarmed")


def dead_rules(catalog: Catalog, changes: Sequence[Change], names: Container[str]) -> str | None:
    """Which rules of the tiers of these names could never act once ``changes`` hold, and why; None: all can.

    A tier without consumers is fine, they come later; so is a gateway without a route to a service: nothing passes it.
    """
    copy = Catalog(catalog.schemas, catalog.plugin_schemas, catalog.seals)
    copy.apply([Change("put", kind, row) for kind in _ARMED for row in catalog.rows(kind)])
    copy.apply(changes)
    snapshot = build({kind: list(copy.rows(kind)) for kind in _ARMED}, {}, str)
    if all(route.service_id is None for route in snapshot.routes.values()):
        return None
    found = tiering.armed(snapshot.tiering, snapshot.consumers.values(), snapshot.routes.values())
    dead = [one for one in found if one.fault is not None and one.tier in names]
    return "; ".join(f"tier {one.tier}: {one.rule} can't act: {one.fault}" for one in dead) or None


_NEEDED = (
    "services",
    "routes",
    "consumers",
    "consumer_groups",
    "tiers",
    "price_plans",
    "model_prices",
    MEMBERSHIPS,
    AGENTS,
)

_ARMED = _NEEDED


def _writes(catalog: Catalog, kind: str, row: Mapping[str, Any], now: int, ids: Ids) -> Iterable[Plan | Violation]:
    scoped = kind != "tiers" or row.get("consumer") or row.get("route")
    if not scoped and catalog.select_by("consumer_groups", "name", row["name"]) is None:
        yield catalog.insert("consumer_groups", {"name": row["name"]}, now, ids)
    stored = _stored(catalog, kind, row)
    if kind == AGENTS:
        row = by_reference(row)
        if stored is None:
            yield from enrol(catalog, row, now, ids)
            return
        row = {**kept(stored), **row}
    if stored is None:
        yield catalog.insert(kind, row, now, ids)
        return
    fresh = catalog.upsert(kind, stored["id"], row, now, ids)
    if isinstance(fresh, Violation) or not fresh.changes or not _same(fresh.changes[-1].entity, stored):
        yield fresh


def _stored(catalog: Catalog, kind: str, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if kind != "model_prices":
        return catalog.select_by(kind, "name", row["name"])
    since = row.get("since", 0)
    return next((line for line in catalog.rows(kind) if line["model"] == row["model"] and line["since"] == since), None)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {**one, "updated_at": 0} == {**other, "updated_at": 0}
