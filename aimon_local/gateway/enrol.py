"""What a new agent brings along, its consumer and its place in a tier: for the Admin API and for ``aimon.toml``."""

from collections.abc import Iterator, Mapping
from typing import Any

from aimon_local.model import violation
from aimon_local.model.catalog import Catalog, Plan
from aimon_local.model.fill import Ids
from aimon_local.model.validators import is_uuid
from aimon_local.model.violation import Violation

KIND, CONSUMERS, GROUPS, MEMBERSHIPS = "agents", "consumers", "consumer_groups", "consumer_group_consumers"
TIER = "agent"
"""The consumer group that an agent joins where none is said and this one is there."""


def enrol(copy: Catalog, row: Mapping[str, Any], now: int, ids: Ids) -> Iterator[Plan | Violation]:
    """The plans that make an agent, one behind the other: each must be applied to ``copy`` before the next is asked."""
    data, name = by_reference(row), row.get("name")
    if not data.get("consumer") and isinstance(name, str) and name:
        if copy.select_by(CONSUMERS, "username", name) is None:
            yield copy.insert(CONSUMERS, {"username": name, "tags": data.get("tags")}, now, ids)
        data["consumer"] = {"username": name}
    made = copy.insert(KIND, data, now, ids)
    if isinstance(made, Violation) or made.entity is None:
        yield made
        return
    yield owner_fault(copy, made.entity) or made
    yield from _join(copy, made.entity, data.get("tier"), now, ids)


def _join(copy: Catalog, entity: Mapping[str, Any], tier: str | None, now: int, ids: Ids) -> Iterator[Plan | Violation]:
    """Into its tier, unless it is in one."""
    consumer = entity["consumer"]["id"]
    if any(row["consumer"]["id"] == consumer for row in copy.rows(MEMBERSHIPS)):
        return
    if copy.select_by(GROUPS, "name", tier or TIER) is not None:
        yield copy.insert(
            MEMBERSHIPS, {"consumer": {"id": consumer}, "consumer_group": {"name": tier or TIER}}, now, ids
        )
    elif tier:
        yield violation.schema_violation({"tier": f"there is no consumer group '{tier}'"})


def kept(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a document that leaves it open does not undo: whose the agent is, and that it or its tokens were revoked."""
    return {name: stored[name] for name in ("consumer", "enabled", "tokens_since", "revoked_tokens") if name in stored}


def by_reference(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """A row whose owner and consumer may be written by name or id."""
    data = dict(row)
    for name in ("owner", "consumer"):
        value = data.get(name)
        if isinstance(value, str):
            data[name] = {"id" if is_uuid(value) else "username": value}
    return data


def owner_fault(catalog: Catalog, entity: Mapping[str, Any] | None) -> Violation | None:
    """Why an agent can't have this owner: there is one storey of agents under consumers that answer for them."""
    if entity is None:
        return None
    owner, rows = entity["owner"]["id"], [row for row in catalog.rows(KIND) if row["id"] != entity["id"]]
    if owner == entity["consumer"]["id"]:
        return violation.schema_violation({"owner": "an agent can't be its own owner"})
    if any(row["consumer"]["id"] == owner for row in rows):
        return violation.schema_violation({"owner": "is an agent itself: name the consumer that answers for it"})
    if any(row["owner"]["id"] == entity["consumer"]["id"] for row in rows):
        return violation.schema_violation({"consumer": "owns agents itself, and an agent can't"})
    if any(row["consumer"]["id"] == entity["consumer"]["id"] for row in rows):
        return violation.schema_violation({"consumer": "is another agent already"})
    return None
