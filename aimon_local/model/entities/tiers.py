"""Tiers, price plans and the price book as stored entities: one table each, for the Admin API, TOML and JSON alike.

A tier without a scope is the tier of the consumer group of its name. One with a consumer overrides that consumer's
tier, one with a route adds to all tiers on that route (``policy.tiers`` has the law). Money is written in dollars;
rates are dollars per million tokens, as providers publish them.
"""

from typing import Any
from zoneinfo import ZoneInfo

from aimon_local.model.entities import common
from aimon_local.model.guard_words import NAMES as GUARDS
from aimon_local.model.guard_words import POLLERS
from aimon_local.model.money import check_money
from aimon_local.model.schema import (
    Field,
    Schema,
    array,
    boolean,
    foreign,
    integer,
    number,
    record,
    set_of,
    string,
)
from aimon_local.model.tier import Mode, Period, Unit

_UNITS = [unit.value for unit in Unit]
_PERIODS = [period.value for period in Period]
_MOST = 1 << 53
SHADOWS = ("models", "routes", "concurrency", "prompt", "output", "body")
"""The gates that can stand in shadow by their own name; a limit and the burst carry ``shadow`` themselves."""


def _check_zone(name: str) -> str | None:
    """A zone is data that comes with the system or with tzdata, as a character table does."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, not a name, not readable
        return f"no time zone has the name '{name}'"
    return None


def _check_limit(limit: Any) -> str | None:
    if limit.get("unit") in (Unit.COST.value, Unit.CHARGE.value):
        return check_money(limit["amount"])
    amount = limit.get("amount")
    return None if amount == int(amount) else "amount must be a whole number for all but cost and charge"


def _check_poller(pattern: str) -> str | None:
    kind, colon, wanted = pattern.partition(":")
    known = kind in POLLERS and colon and wanted
    return None if known else f"'{pattern}' must be one of {', '.join(POLLERS)}, a colon and a pattern"


def _count(name: str, about: str, **attrs: Any) -> Field:
    return integer(name, between=[0, _MOST], description=about, **attrs)


def _dollars(name: str, about: str, **attrs: Any) -> Field:
    return number(name, check=check_money, description=about, **attrs)


_LIMIT = record(
    "",
    string("unit", required=True, one_of=_UNITS, description="What it counts."),
    number("amount", required=True, between=[0, _MOST], description="How much; dollars for cost and charge."),
    string("period", required=True, one_of=_PERIODS, description="A calendar period in the tier's time zone."),
    boolean("sliding", required=True, default=False, description="Any stretch of that length instead."),
    boolean("shadow", required=True, default=False, description="Counts and reports, does not deny."),
    boolean("ask", required=True, default=False, description="Full, it asks the operator for head-room."),
    check=_check_limit,
)

_BURST = record(
    "burst",
    integer("amount", required=True, between=[1, 1_000_000], description="Requests per period."),
    string("period", required=True, one_of=_PERIODS),
    integer("burst", required=True, default=1, between=[1, 1_000_000], description="Requests that may come at once."),
    boolean("shadow", required=True, default=False),
)


def _ladder(name: str, about: str) -> Field:
    steps = (integer(step, between=[0, 1_000_000]) for step in ("warn", "throttle", "deny"))
    return record(name, *steps, description=f"{about} From which count on; 0: never.")


_GUARDS = record(
    "guards",
    string("mode", one_of=["on", "shadow", "off"], description="All of them; on where it is left open."),
    _ladder("repeat", "The same call again."),
    _ladder("ping_pong", "Two steps that take turns."),
    _ladder("no_progress", "Calls in a row whose tools give the same result."),
    _ladder("growth", "Times in a row that the prompt grew by leaps."),
    _ladder("velocity", "Times the usual spend in a minute."),
    _ladder("storm", "Tries before the time that a refusal named."),
    _ladder("errors", "Calls in a row that failed."),
    set_of("shadow", string(one_of=list(GUARDS)), description="These report, and do nothing."),
    set_of("off", string(one_of=list(GUARDS)), description="These are not there."),
    array(
        "pollers",
        string(check=_check_poller),
        description="Calls that may repeat: route:, path:, model:, tool:, fingerprint: and a pattern.",
    ),
    number("pause_s", gt=0, description="A step that comes later begins a new count."),
    number("throttle_s", gt=0, description="Between two calls of who is throttled."),
    number("cool_s", gt=0, description="Of silence that end a cool-down."),
    integer("growth_percent", between=[1, 10_000], description="What a leap is."),
    integer("growth_tokens", between=[0, _MOST], description="Smaller prompts may grow as they like."),
    _dollars("velocity_floor", "Dollars a minute; less is nobody's runaway."),
    description="What watches how consumers behave.",
)

TIERS = Schema(
    "tiers",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        common.name(required=True),
        foreign("consumer", "consumers", on_delete="cascade"),
        foreign("route", "routes", on_delete="cascade"),
        string("zone", check=_check_zone, description="IANA name; calendar periods begin by its clock."),
        array("limits", _LIMIT, description="All of them hold at once."),
        _BURST,
        _count("concurrency", "Requests in flight, held to the end of the stream."),
        _count("max_prompt_tokens", "By our estimate before the call."),
        _count("max_output_tokens", "Also what is held where a client asks for nothing."),
        boolean("clamp", description="A larger wish for output is brought down, not refused."),
        _count("max_body_bytes", "Of the request."),
        number("first_byte_s", gt=0, description="Seconds until the answer's head."),
        number("total_s", gt=0, description="Seconds for the whole call."),
        array("models", string(len_min=1), description="Patterns with * and ?."),
        array("routes", string(len_min=1), description="Patterns over names of routes."),
        integer("priority", between=[1, 1000], description="Weight in the queue of a busy service."),
        number("queue_s", gt=0, description="The longest wait in that queue, in seconds."),
        number("hold_s", between=[0, 3600], description="Seconds that a call waits for the answer of a soft limit."),
        boolean("hard_cut", description="A stream that outgrows what is held for it is ended at that edge."),
        string("on_disconnect", one_of=["abort", "drain"], description="The answer of a call whose client has gone."),
        string("plan", description="The price plan's name."),
        string("mode", one_of=[mode.value for mode in Mode], description="How budgets are kept."),
        set_of("shadow", string(one_of=list(SHADOWS)), description="Gates that only report."),
        _GUARDS,
        common.TAGS,
    ),
    endpoint_key="name",
    in_admin=True,
)

_STEP = record(
    "",
    _count("up_to", "Units in all, counted after the included ones; absent: no bound."),
    _dollars("price", "Dollars per `per` units.", required=True),
)

_COMPONENT = record(
    "",
    string("unit", required=True, one_of=["requests", "tokens", "input_tokens", "output_tokens"]),
    _count("included", "Units that the fee covers.", required=True, default=0),
    integer("per", required=True, default=1, between=[1, _MOST], description="Units that a price is for."),
    array("steps", _STEP, required=True, len_min=1, description="Graduated; the last one has no bound."),
)

PRICE_PLANS = Schema(
    "price_plans",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        common.name(required=True),
        _dollars("monthly_fee", "Dollars.", required=True, default=0),
        number("markup_percent", between=[0, 100_000], description="Of the cost that is charged: 120 = cost + 20 %."),
        array("components", _COMPONENT),
        common.TAGS,
    ),
    endpoint_key="name",
)

MODEL_PRICES = Schema(
    "model_prices",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        string("model", required=True, len_min=1, description="A name, or a pattern with * and ?."),
        string("provider", required=True, default="custom"),
        integer("since", required=True, default=0, between=[0, _MOST], description="Unix seconds: it holds from then."),
        _dollars("input", "Dollars per million tokens.", required=True),
        _dollars("output", "Dollars per million tokens.", required=True),
        _dollars("cache_read", "Absent: as input."),
        _dollars("cache_write", "Absent: as input."),
        _dollars("reasoning", "Absent: as output."),
        _count("max_output", "Tokens that the model can write at most."),
        common.TAGS,
    ),
    composite_unique=("model", "since"),
)

__all__ = ["MODEL_PRICES", "PRICE_PLANS", "SHADOWS", "TIERS"]
