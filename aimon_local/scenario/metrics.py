"""What a threshold can speak of: metrics over facts, the tags that choose facts, the words that sum them up. Pure.

To add a metric: a line in ``METRICS``. Money is in dollars, times are in milliseconds.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aimon_local.model.guard_words import told
from aimon_local.scenario.facts import NANO, Evidence, Fact

Samples = list[float]

_TREND = ("avg", "min", "max", "med", "p")
_SHARE = ("rate", "count")
_SUMS = ("sum", "avg", "min", "max")
_ONE = ("value",)
_STOPS = ("count", "min", "max")
_DENIALS = ("deny", "cool-down")
WORDS = ("count", "rate", "sum", "avg", "min", "max", "med", "p", "value")


def _denied_by(fact: Fact) -> str:
    """The behaviour guard that denied it; "": none did."""
    words = told(str(fact.ai("guard") or ""))
    return next((word["guard"] for word in words if word["action"] in _DENIALS and not word["shadow"]), "")


def _run_over(fact: Fact) -> bool:
    """Whether an agent's run, or what it and its owner have left, denied it."""
    reason = fact.reason or ""
    return reason.startswith("run_") or (bool(fact.ai("agent")) and reason in ("quota_exhausted", "budget_exhausted"))


TAGS: Mapping[str, Callable[[Fact], str]] = {
    "actor": lambda fact: fact.actor,
    "tier": lambda fact: fact.tier,
    "consumer": lambda fact: fact.consumer,
    "phase": lambda fact: fact.phase,
    "step": lambda fact: fact.step,
    "model": lambda fact: fact.model,
    "status": lambda fact: str(fact.status),
    "decision": lambda fact: fact.decision,
    "reason": lambda fact: fact.reason,
    "error": lambda fact: fact.error,
    "attempt": lambda fact: str(fact.attempt),
    "limit": lambda fact: str(fact.ai("denied_limit") or ""),
    "guard": _denied_by,
    "complete": lambda fact: "yes" if fact.row and fact.row["complete"] else "no",
}
"""Tag → its value for a fact. ``status`` also takes a class: 4xx."""


def matches(fact: Fact, tags: Sequence[tuple[str, str]]) -> bool:
    """Whether all tags are the fact's."""
    return all(_is(TAGS[tag](fact), value) for tag, value in tags)


def _is(found: str, wanted: str) -> bool:
    if wanted.endswith("xx"):
        return found[:1] == wanted[:1] and len(found) == 3
    return found == wanted


@dataclass(frozen=True, slots=True)
class Metric:
    """``one``: a fact's sample, None where it has none; ``all``: samples of all facts at once, or of the upstream."""

    words: tuple[str, ...]
    doc: str
    one: Callable[[Fact], float | None] | None = None
    all: Callable[[Sequence[Fact]], Samples] | None = None
    upstream: str = ""


def _ms(value: float | None) -> float | None:
    return None if value is None else value * 1000


def _latency(fact: Fact) -> float | None:
    return (fact.ended - fact.sent) * 1000 if fact.status else None


def _dollars(name: str) -> Callable[[Fact], float]:
    return lambda fact: fact.ai(name) / NANO


def _input(fact: Fact) -> float:
    return float(fact.ai("input") + fact.ai("cache_read") + fact.ai("cache_write"))


def _output(fact: Fact) -> float:
    return float(fact.ai("output") + fact.ai("reasoning"))


MONEY_UNITS = {"cost": "cost", "charge": "charge"}
_TOKEN_UNITS: Mapping[str, Callable[[Fact], float]] = {
    "tokens": lambda fact: _input(fact) + _output(fact),
    "input_tokens": _input,
    "output_tokens": _output,
    "requests": lambda fact: float(fact.decision == "allow"),
    "cost": lambda fact: float(fact.ai("cost")),
    "charge": lambda fact: float(fact.ai("charge")),
}


def overruns(facts: Sequence[Fact], units: Sequence[str]) -> dict[tuple[str, str, int], float]:
    """(consumer, limit, its window's end) → what was used beyond the limit, in its unit; calendar windows alone.

    What a call counted on is in its row, so a limit in shadow is left out where the row says that it would have denied.
    """
    used: dict[tuple[str, str, int], float] = {}
    amounts: dict[tuple[str, str, int], int] = {}
    for fact in facts:
        for mark in fact.ai("limits") or ():
            name = mark["name"]
            unit = name.partition("/")[0]
            if unit not in units or name.endswith(":sliding") or name in fact.ai("shadow"):
                continue
            key = (mark["account"] or fact.consumer, name, mark["resets"])
            used[key] = used.get(key, 0.0) + _TOKEN_UNITS[unit](fact)
            amounts[key] = mark["amount"]
    return {key: used[key] - amounts[key] for key in used if used[key] > amounts[key]}


def _leaked(facts: Sequence[Fact]) -> Samples:
    return [over / NANO for over in overruns(facts, ("cost", "charge")).values()]


def _overrun(facts: Sequence[Fact]) -> Samples:
    return list(overruns(facts, ("requests", "tokens", "input_tokens", "output_tokens")).values())


def _stops(facts: Sequence[Fact]) -> list[tuple[list[Fact], Fact]]:
    """Of each actor that a guard, or a limit of its run, has denied: its calls up to then, and the first denied one."""
    out = []
    for actor in dict.fromkeys(fact.actor for fact in facts):
        own = sorted((fact for fact in facts if fact.actor == actor), key=lambda fact: fact.sent)
        at = next((at for at, fact in enumerate(own) if _denied_by(fact) or _run_over(fact)), None)
        if at is not None:
            out.append((own[: at + 1], own[at]))
    return out


def _stopped_in(facts: Sequence[Fact]) -> Samples:
    return [(stop.ended - calls[0].sent) * 1000 for calls, stop in _stops(facts)]


def _stopped_after(facts: Sequence[Fact]) -> Samples:
    return [float(len(calls)) for calls, _ in _stops(facts)]


def _stopped_cost(facts: Sequence[Fact]) -> Samples:
    return [sum(fact.ai("cost") for fact in calls) / NANO for calls, _ in _stops(facts)]


METRICS: Mapping[str, Metric] = {
    "requests": Metric(("count", "rate"), "requests; rate: a second", one=lambda fact: 1.0),
    "denied": Metric(_SHARE, "refused by a rule", one=lambda fact: float(fact.decision == "deny")),
    "failed": Metric(_SHARE, "no answer, or 5xx", one=lambda fact: float(not fact.status or fact.status >= 500)),
    "checks": Metric(_SHARE, "answers as the steps expect them", one=lambda fact: float(not any(fact.missed()))),
    "retried": Metric(_SHARE, "sent again", one=lambda fact: float(fact.attempt > 0)),
    "retry_after_honoured": Metric(
        _SHARE,
        "retries that waited as they were told",
        one=lambda fact: None if fact.honoured is None else float(fact.honoured),
    ),
    "unrecorded": Metric(
        _SHARE, "answers without a row in the ledger", one=lambda fact: float(bool(fact.request_id) and not fact.row)
    ),
    "latency": Metric(_TREND, "ms from sending to the answer's end", one=_latency),
    "first_byte": Metric(
        _TREND, "ms to the answer's head", one=lambda fact: _ms(fact.first_byte and fact.first_byte - fact.sent)
    ),
    "late": Metric(_TREND, "ms by which a request was sent after its time", one=lambda fact: fact.late * 1000),
    "tokens": Metric(_SUMS, "input and output", one=lambda fact: _input(fact) + _output(fact)),
    "input_tokens": Metric(_SUMS, "tokens of prompts", one=_input),
    "output_tokens": Metric(_SUMS, "tokens of answers", one=_output),
    "charge": Metric(_SUMS, "dollars that calls bring", one=_dollars("charge")),
    "cost": Metric(_SUMS, "dollars that calls cost", one=_dollars("cost")),
    "margin": Metric(_SUMS, "charge - cost", one=lambda fact: (fact.ai("charge") - fact.ai("cost")) / NANO),
    "leaked": Metric(("sum", "max"), "dollars spent above budgets", all=_leaked),
    "overrun": Metric(("sum", "max"), "requests and tokens above limits", all=_overrun),
    "stopped_in": Metric(_STOPS, "ms from an actor's first call to its denial by a behaviour guard", all=_stopped_in),
    "stopped_after": Metric(_STOPS, "calls of an actor up to that denial", all=_stopped_after),
    "stopped_cost": Metric(_STOPS, "dollars that they cost", all=_stopped_cost),
    "upstream_requests": Metric(_ONE, "requests at the mock", upstream="requests"),
    "upstream_served": Metric(_ONE, "answers of the mock that count tokens", upstream="served"),
    "upstream_cut": Metric(_ONE, "streams that did not reach their end at the mock", upstream="cut"),
    "upstream_input_tokens": Metric(_ONE, "tokens of prompts at the mock", upstream="prompt_tokens"),
    "upstream_output_tokens": Metric(_ONE, "tokens of answers at the mock", upstream="output_tokens"),
    "upstream_most_in_flight": Metric(_ONE, "the mock's most requests at once", upstream="most_in_flight"),
}
"""Metric → what it is and which words it has."""


def measure(name: str, tags: Sequence[tuple[str, str]], word: str, quantile: float, on: Evidence) -> float | None:
    """The value of one expression; None where nothing was there to measure."""
    metric = METRICS[name]
    if metric.upstream:
        return on.upstream.get(metric.upstream)
    samples = _samples(name, metric, tuple(tags), on)
    if metric.all is not None:
        return summed(word, samples, quantile)
    if name == "requests":
        return len(samples) if word == "count" else len(samples) / max(on.seconds, 1e-9)
    if word == "rate":
        return sum(samples) / len(samples) if samples else None
    return summed(word, samples, quantile)


def _samples(name: str, metric: Metric, tags: tuple[tuple[str, str], ...], on: Evidence) -> Samples:
    """A metric's samples, gone through once however many words ask for them."""
    known: Samples | None = on.found.get((name, tags))
    if known is not None:
        return known
    chosen = on.found.setdefault(tags, [fact for fact in on.facts if matches(fact, tags)]) if tags else on.facts
    if metric.all is not None:
        made = metric.all(chosen)
    else:
        made = [sample for fact in chosen if metric.one and (sample := metric.one(fact)) is not None]
    on.found[name, tags] = made
    return made


def summed(word: str, samples: Samples, quantile: float = 0.0) -> float | None:
    """Samples as one number: sums of nothing are 0, means and quantiles of nothing None."""
    if word in ("sum", "count"):
        return math.fsum(samples)
    if not samples:
        return 0.0 if word == "max" else None
    if word in ("avg", "min", "max"):
        return {"avg": math.fsum(samples) / len(samples), "min": min(samples), "max": max(samples)}[word]
    return quantile_of(sorted(samples), 0.5 if word == "med" else quantile)


def quantile_of(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: a value that was measured, at or above ``share`` of all."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
