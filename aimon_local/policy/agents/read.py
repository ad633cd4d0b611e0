"""From stored agents to the noun, and which keys keep an owner alive. Read by ``policy.snapshot``.

An owner acts as long as one of its credentials is good; its agents act no longer than it does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimon_local.model.agent import Agent, RunLimits, Scopes
from aimon_local.policy.nouns import Consumer, Credential

_FOREVER = 1 << 62

Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """All agents of a snapshot, and the keys of their owners."""

    by_consumer: Mapping[str, Agent] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by owner: id of a credential → when it ends

    def lives(self, owner_id: str, key_id: str, now: int) -> bool:
        """Whether an owner's credential is there and good; ``now`` in Unix seconds."""
        return self.keys.get(owner_id, {}).get(key_id, 0) > now

    def owner_acts(self, owner_id: str, now: int) -> bool:
        """Whether an owner has any good credential."""
        return any(end > now for end in self.keys.get(owner_id, {}).values())


NONE = Family()


def read_agent(row: Entity, consumers: Mapping[str, Consumer]) -> Agent:
    """An agent; what its row leaves open is the noun's default."""
    owner_id = row["owner"]["id"]
    owner = consumers.get(owner_id)
    return Agent(
        id=row["id"],
        name=row["name"],
        consumer_id=row["consumer"]["id"],
        owner_id=owner_id,
        owner=(owner.username or owner.custom_id or owner_id) if owner is not None else owner_id,
        enabled=row.get("enabled", True),
        scopes=Scopes.of(row.get("scopes") or {}),
        limits=RunLimits.of(row.get("limits") or {}),
        tokens_since=row.get("tokens_since") or 0,
        revoked=frozenset(row.get("revoked_tokens") or ()),
    )


def build(rows: Iterable[Entity], consumers: Mapping[str, Consumer], credentials: Iterable[Credential]) -> Family:
    """The agents of stored rows; none costs nothing."""
    agents = {row["consumer"]["id"]: read_agent(row, consumers) for row in rows}
    if not agents:
        return NONE
    owners = {each.owner_id for each in agents.values()}
    keys: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in credentials:
        if each.consumer_id in owners and each.consumer_id in consumers:
            keys[each.consumer_id][each.id] = _FOREVER if each.expires is None else each.expires
    return Family(agents, dict(keys))
