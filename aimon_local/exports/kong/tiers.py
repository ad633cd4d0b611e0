"""The meaning: what of a tier Kong's plugins can say, in which edition, and what they can't.

    tier                      open source                    Enterprise
    requests per window       rate-limiting, per consumer    rate-limiting-advanced, per consumer group
    tokens, cost per window   -                              ai-rate-limiting-advanced, one unit
    max_body_bytes            request-size-limiting          request-size-limiting
    routes                    - (acl says it by hand)        - (acl says it by hand)

All else is a ``Gap``. Kong's limits are its own: windows of UTC or of rolling seconds, counted after the call. To map
one more rule: a line in ``_GATES`` goes, and its plugin is made in ``plugins_for``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aimon_local.exports.gaps import Gap
from aimon_local.model.money import NANO
from aimon_local.model.tier import SPAN_S, Limit, Mode, Period, Tier, Unit

Plugin = dict[str, Any]

RATE, RATE_ADVANCED, AI_RATE, SIZE = (
    "rate-limiting",
    "rate-limiting-advanced",
    "ai-rate-limiting-advanced",
    "request-size-limiting",
)
PROVIDERS = ("anthropic", "openai")  # whose usage is metered here; Kong counts each of them apart
STRATEGIES = {
    Unit.TOKENS: "total_tokens",
    Unit.COST: "cost",
    Unit.INPUT: "prompt_tokens",
    Unit.OUTPUT: "completion_tokens",
}
"""Kong's ``tokens_count_strategy`` by our unit, the most telling one first: one plugin has one of them."""
_AI_UNITS = tuple(STRATEGIES)
PERIODS = ("second", "minute", "hour", "day", "month", "year")  # of rate-limiting
_OSS_PERIODS = (Period.SECOND, Period.MINUTE, Period.HOUR, Period.DAY, Period.MONTH)

_Said = Callable[[Tier], bool]
_GATES: tuple[tuple[str, _Said, str, str], ...] = (
    (
        "burst",
        lambda tier: tier.burst is not None,
        "Kong has windows, no rate with a burst",
        "a limit per second is the nearest",
    ),
    (
        "concurrency",
        lambda tier: tier.concurrency is not None,
        "no plugin bounds requests in flight per consumer",
        "bound connections before Kong, or at the upstream",
    ),
    (
        "max_prompt_tokens",
        lambda tier: tier.max_prompt_tokens is not None,
        "no plugin refuses by prompt size before the call",
        "request-size-limiting bounds the bytes",
    ),
    (
        "max_output_tokens",
        lambda tier: tier.max_output_tokens is not None,
        "only ai-proxy sets it, per route, not per consumer",
        "set config.model.options.max_tokens of ai-proxy",
    ),
    (
        "first_byte_s",
        lambda tier: tier.first_byte_s is not None,
        "time-outs belong to services, not to tiers",
        "set read_timeout of the service",
    ),
    (
        "total_s",
        lambda tier: tier.total_s is not None,
        "Kong bounds the time between reads, not the whole call",
        "set read_timeout of the service",
    ),
    (
        "models",
        lambda tier: tier.models != ("*",),
        "no plugin allows models per consumer",
        "one route per model with ai-proxy, and acl on it",
    ),
    (
        "routes",
        lambda tier: tier.routes != ("*",),
        "routes are not part of a consumer group",
        "put acl on the routes, and their groups on the consumers",
    ),
    (
        "priority",
        lambda tier: tier.priority != 1,
        "requests do not queue, so none goes first",
        "give the tier an upstream of its own",
    ),
    (
        "guards",
        lambda tier: tier.guards is not None,
        "no plugin watches for loops and storms of agents",
        "limits bound the harm",
    ),
    ("zone", lambda tier: tier.zone != "UTC", "Kong's calendar windows begin by UTC", "none"),
    (
        "mode",
        lambda tier: tier.mode is not Mode.RESERVE,
        "Kong has one way to count: after the call",
        "none is needed",
    ),
)


def plugins_for(tier: Tier, enterprise: bool) -> list[Plugin]:
    """The plugins that say what can be said of a tier; without a scope."""
    counted = [limit for limit in tier.limits if not limit.shadow]
    requests = [limit for limit in counted if limit.unit is Unit.REQUESTS]
    out = [_advanced(tier, requests) if enterprise else _simple(requests)] if _sayable(requests, enterprise) else []
    if enterprise:
        unit = next((unit for unit in _AI_UNITS if any(limit.unit is unit for limit in counted)), None)
        if unit is not None:
            out.append(_ai(unit, [limit for limit in counted if limit.unit is unit]))
    if tier.max_body_bytes is not None and "body" not in tier.shadow:
        config = {"allowed_payload_size": tier.max_body_bytes, "size_unit": "bytes", "require_content_length": False}
        out.append({"name": SIZE, "config": config})
    return out


def gaps_of(tier: Tier, enterprise: bool) -> Iterator[Gap]:
    """What of a tier is not in its plugins, or not as it is here."""
    where = f"tier {tier.name}"
    counted = [limit for limit in tier.limits if not limit.shadow]
    units = [unit for unit in _AI_UNITS if any(limit.unit is unit for limit in counted)]
    for limit in tier.limits:
        fault = _limit_fault(limit, units, enterprise)
        if fault is not None:
            yield Gap(where, limit.name, *fault)
    if enterprise:
        yield from _enterprise_gaps(where, counted)
    if any(limit.ask for limit in counted):
        yield Gap(where, "ask", "no plugin asks an operator: a full limit refuses", "none")
    for name, said, why, instead in _GATES:
        if said(tier):
            yield Gap(where, name, why, instead)
    if tier.plan != "free":
        yield Gap(where, "plan", "Kong has no prices and no bill", "meter with export usage, and bill elsewhere")
    if counted:
        yield Gap(where, "reserve", "Kong counts after the call: parallel calls overshoot", "leave head-room")


def _limit_fault(limit: Limit, units: Sequence[Unit], enterprise: bool) -> tuple[str, str] | None:
    """Why a limit is missing, or other: (why, instead)."""
    if limit.shadow:
        return "Kong has no limit that only reports", "watch the ledger, or set it when it shall deny"
    if limit.unit is Unit.CHARGE:
        return "Kong knows costs, not what is charged", "limit the cost"
    if limit.unit is not Unit.REQUESTS and not enterprise:
        return "the open-source edition counts no tokens and no money", "use --edition enterprise"
    if limit.unit is not Unit.REQUESTS and limit.unit is not units[0]:
        return f"ai-rate-limiting-advanced counts one unit, here {units[0].value}", "choose one of the units"
    if not enterprise and limit.period not in _OSS_PERIODS:
        return "rate-limiting has no such period", "use a day or a month"
    if not enterprise and limit.sliding:
        return "rate-limiting has calendar windows only: it is one of them there", "use --edition enterprise"
    return None


def _enterprise_gaps(where: str, counted: Sequence[Limit]) -> Iterator[Gap]:
    for name, chosen in ((RATE_ADVANCED, _of(counted, Unit.REQUESTS)), (AI_RATE, _of(counted, *_AI_UNITS))):
        if len({limit.sliding for limit in chosen}) > 1:
            yield Gap(where, name, "one plugin is all sliding or all fixed; it is fixed there", "none")
    if any(limit.period in (Period.WEEK, Period.MONTH) and not limit.sliding for limit in counted):
        yield Gap(where, "month, week", "Kong's windows are seconds: 30 days, 7 days, not the calendar's", "none")
    if _of(counted, *_AI_UNITS):
        yield Gap(where, AI_RATE, "it acts where ai-proxy runs, and counts each provider apart", "add ai-proxy")


def _of(limits: Sequence[Limit], *units: Unit) -> list[Limit]:
    return [limit for limit in limits if limit.unit in units]


def _sayable(requests: Sequence[Limit], enterprise: bool) -> bool:
    return any(enterprise or limit.period in _OSS_PERIODS for limit in requests)


def _simple(requests: Sequence[Limit]) -> Plugin:
    """rate-limiting: where two limits have one period, the smaller holds."""
    least: dict[str, Any] = {}
    for limit in requests:
        if limit.period in _OSS_PERIODS:
            name = limit.period.value
            least[name] = min(limit.amount, least.get(name, limit.amount))
    return {"name": RATE, "config": {**rising(least), "limit_by": "consumer", "policy": "local"}}


def rising(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Limits by period, none above that of a longer one: Kong refuses others, and they could not be reached anyway."""
    out: dict[str, Any] = {}
    for period in reversed([name for name in PERIODS if limits.get(name) is not None]):
        out[period] = min([limits[period], *out.values()])
    return dict(reversed(out.items()))


def _advanced(tier: Tier, requests: Sequence[Limit]) -> Plugin:
    config = {**_windows(requests, 1), "identifier": "consumer", "strategy": "local", "namespace": f"tier-{tier.name}"}
    return {"name": RATE_ADVANCED, "config": config}


def _ai(unit: Unit, limits: Sequence[Limit]) -> Plugin:
    windows = _windows(limits, NANO if unit is Unit.COST else 1)
    kind = windows.pop("window_type")
    config = {
        "llm_providers": [{"name": name, **windows} for name in PROVIDERS],
        "tokens_count_strategy": STRATEGIES[unit],
        "window_type": kind,
        "identifier": "consumer",
        "strategy": "local",
    }
    return {"name": AI_RATE, "config": config}


def _windows(limits: Sequence[Limit], scale: int) -> dict[str, Any]:
    """Limits as Kong's two lists, the shortest window first; of two for one window the smaller holds."""
    least: dict[int, int] = {}
    for limit in limits:
        span = SPAN_S[limit.period]
        least[span] = min(limit.amount, least.get(span, limit.amount))
    spans = sorted(least)
    for shorter, longer in zip(reversed(spans[:-1]), reversed(spans[1:]), strict=True):
        least[shorter] = min(least[shorter], least[longer])  # what a longer window forbids is no limit of a shorter one
    sliding = all(limit.sliding for limit in limits)
    return {
        "limit": [_plain(least[span] / scale) if scale > 1 else least[span] for span in spans],
        "window_size": spans,
        "window_type": "sliding" if sliding else "fixed",
    }


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


# ---- the way back

_PERIODS = {seconds: period for period, seconds in SPAN_S.items()}


def limits_of(plugin: Mapping[str, Any], where: str) -> tuple[list[dict[str, Any]], list[Gap]]:
    """The limits, as rows of a tier have them, that a plugin of Kong's Enterprise edition means; and what they lose."""
    config = plugin.get("config") or {}
    if plugin["name"] == RATE_ADVANCED:
        return _read_windows(config, config, Unit.REQUESTS, where, RATE_ADVANCED)
    strategy = config.get("tokens_count_strategy", "total_tokens")
    unit = next((unit for unit, name in STRATEGIES.items() if name == strategy), None)
    providers = config.get("llm_providers") or ()
    if unit is None or not providers:
        return [], [Gap(where, AI_RATE, f"its strategy {strategy!r} or its providers are not known here", "set a tier")]
    limits, gaps = _read_windows(providers[0], config, unit, where, AI_RATE)
    if any(_counts(each) != _counts(providers[0]) for each in providers[1:]):
        gaps.append(Gap(where, AI_RATE, "limits count all providers together; the first one's are taken", "check them"))
    return limits, gaps


def _counts(provider: Mapping[str, Any]) -> tuple[Any, Any]:
    return provider.get("limit"), provider.get("window_size")


def _read_windows(
    windows: Mapping[str, Any], config: Mapping[str, Any], unit: Unit, where: str, what: str
) -> tuple[list[dict[str, Any]], list[Gap]]:
    out, gaps = [], []
    sliding = config.get("window_type", "sliding") == "sliding"
    for amount, seconds in zip(windows.get("limit") or (), windows.get("window_size") or (), strict=False):
        period = _PERIODS.get(int(seconds))
        if period is None:
            gaps.append(Gap(where, what, f"a window of {seconds} s has no period here", "choose the nearest one"))
            continue
        limit = {"unit": unit.value, "amount": amount, "period": period.value}
        out.append({**limit, "sliding": True} if sliding else limit)
    return out, gaps
