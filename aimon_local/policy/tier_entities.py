"""From stored tiers, price plans and prices to the nouns that the law reads.

An amendment is a tier row with a scope: what it does not set is None, so that ``policy.tiers`` can tell what it
overrides. Money comes in dollars and becomes nano-dollars here, at the one place.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aimon_local.model.guard_words import NAMES
from aimon_local.model.money import usd
from aimon_local.model.tier import Burst, Limit, Mode, Period, Tier, Unit
from aimon_local.policy.pricing import Component, ModelPrice, PricePlan, Rates, Step

if TYPE_CHECKING:
    from aimon_local.model.guards import Guards

Entity = Mapping[str, Any]

_MONEY = (Unit.COST, Unit.CHARGE)
_SCALARS = (
    "zone",
    "concurrency",
    "max_prompt_tokens",
    "max_output_tokens",
    "clamp",
    "max_body_bytes",
    "first_byte_s",
    "total_s",
    "priority",
    "queue_s",
    "hold_s",
    "on_disconnect",
    "hard_cut",
    "plan",
)


def read_tier(row: Entity) -> Tier:
    """A tier; what the row leaves open is the noun's default."""
    return Tier(name=row["name"], **given(row))


def given(row: Entity) -> dict[str, Any]:
    """The fields of ``Tier`` that a row sets."""
    out = {name: row[name] for name in _SCALARS if row.get(name) is not None}
    for name in ("concurrency", "max_prompt_tokens", "max_output_tokens", "max_body_bytes", "priority"):
        if name in out:
            out[name] = int(out[name])
    if row.get("limits"):
        out["limits"] = tuple(read_limit(limit) for limit in row["limits"])
    if row.get("burst") is not None:
        burst = row["burst"]
        period = Period(burst["period"])
        out["burst"] = Burst(int(burst["amount"]), period, int(burst.get("burst") or 1), bool(burst.get("shadow")))
    for name in ("models", "routes"):
        if row.get(name) is not None:
            out[name] = tuple(row[name])
    if row.get("mode") is not None:
        out["mode"] = Mode(row["mode"])
    if row.get("guards") is not None:
        out["guards"] = read_guards(row["guards"])
    if row.get("shadow"):
        out["shadow"] = frozenset(row["shadow"])
    return out


def read_guards(row: Entity) -> "Guards":
    """The guards of a tier; what the row leaves open is the noun's default."""
    from aimon_local.model.guards import Guards  # noqa: PLC0415 (a start without guards has none of it)

    given: dict[str, Any] = {name: row[name] for name in ("pause_s", "throttle_s", "cool_s") if row.get(name)}
    given |= {name: int(row[name]) for name in ("growth_percent", "growth_tokens") if row.get(name) is not None}
    if row.get("velocity_floor") is not None:
        given["velocity_floor"] = usd(row["velocity_floor"], "velocity_floor")
    for name in NAMES:
        steps = {step: int(value) for step, value in (row.get(name) or {}).items() if value is not None}
        given[name] = replace(getattr(Guards(), name), **steps)
    shadow = NAMES if row.get("mode") == "shadow" else row.get("shadow") or ()
    return Guards(
        shadow=frozenset(shadow),
        off=frozenset(NAMES if row.get("mode") == "off" else row.get("off") or ()),
        pollers=tuple(row.get("pollers") or ()),
        **given,
    )


def read_limit(row: Entity) -> Limit:
    """One limit."""
    unit = Unit(row["unit"])
    amount = usd(row["amount"], "amount") if unit in _MONEY else int(row["amount"])
    switches = (bool(row.get(name)) for name in ("sliding", "shadow", "ask"))
    return Limit(unit, amount, Period(row["period"]), *switches)


def read_price(row: Entity) -> ModelPrice:
    """One line of the price book; parts without a rate of their own cost what their kind costs."""
    into, out = usd(row["input"]), usd(row["output"])

    def rate(name: str, otherwise: int) -> int:
        return otherwise if row.get(name) is None else usd(row[name])

    rates = Rates(into, out, rate("cache_read", into), rate("cache_write", into), rate("reasoning", out))
    most = row.get("max_output")
    return ModelPrice(row["model"], row.get("provider") or "custom", int(row.get("since") or 0), rates, most)


def read_plan(row: Entity) -> PricePlan:
    """One price plan."""
    components = tuple(
        Component(
            each["unit"],
            tuple(Step(step.get("up_to"), usd(step["price"])) for step in each["steps"]),
            int(each.get("included") or 0),
            int(each.get("per") or 1),
        )
        for each in row.get("components") or ()
    )
    markup = round((row.get("markup_percent") or 0) * 100)
    return PricePlan(row["name"], usd(row.get("monthly_fee") or 0), components, markup)
