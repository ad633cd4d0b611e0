"""Which limits hold for a consumer on a route: its tier, the consumer's own amendment, the route's.

    row's scope   what it does                                     why
    none          the tier of the consumer group of its name       what is sold
    consumer      overrides: a limit of the same name, the burst   a deal with one customer may be better or worse
                  and every other field that it sets are replaced;
                  a limit of another name is added
    route         adds: its limits count on their own, on this     a dear route is protected from all, also from
                  route alone; of numbers the smaller one holds,   customers with a deal
                  of patterns both must match
    both          as route, for that consumer alone

A consumer without a tier whose own row exists has that row as its tier. Fields that a route's row can't change: zone,
plan, mode and priority of the consumer's tier stay (its own limits begin by its own zone).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from aimon_local.model.tier import Tier

_N = TypeVar("_N", int, float)


@dataclass(frozen=True, slots=True)
class Amendment:
    """A tier row with a scope: what it sets, and nothing else."""

    name: str
    sets: Mapping[str, Any]  # fields of Tier
    consumer_id: str | None = None
    route_id: str | None = None


def override(tier: Tier, amendment: Amendment) -> Tier:
    """A consumer's amendment over its tier."""
    sets = dict(amendment.sets)
    if "limits" in sets:
        own = {limit.name: limit for limit in sets["limits"]}
        kept = [own.pop(limit.name, limit) for limit in tier.limits]
        sets["limits"] = (*kept, *own.values())
    return replace(tier, **sets)


def beside(amendment: Amendment, tier: Tier) -> Tier:
    """A route's amendment as limits of their own, which count beside the tier's; gates are in ``narrowed``."""
    own = ("limits", "burst", "concurrency", "shadow", "zone")
    sets = {name: amendment.sets[name] for name in own if name in amendment.sets}
    return Tier(amendment.name, mode=tier.mode, plan=tier.plan, **sets)


def narrowed(tier: Tier, amendment: Amendment) -> Tier:
    """A tier whose gates a route's amendment makes narrower."""
    sets = amendment.sets
    return replace(
        tier,
        max_prompt_tokens=_smaller(tier.max_prompt_tokens, sets.get("max_prompt_tokens")),
        max_output_tokens=_smaller(tier.max_output_tokens, sets.get("max_output_tokens")),
        max_body_bytes=_smaller(tier.max_body_bytes, sets.get("max_body_bytes")),
        first_byte_s=_smaller(tier.first_byte_s, sets.get("first_byte_s")),
        total_s=_smaller(tier.total_s, sets.get("total_s")),
        queue_s=_smaller(tier.queue_s, sets.get("queue_s")),
        clamp=tier.clamp and sets.get("clamp", True),
        hard_cut=tier.hard_cut or sets.get("hard_cut", False),
    )


def _smaller(one: _N | None, other: _N | None) -> _N | None:
    return other if one is None else one if other is None else min(one, other)
