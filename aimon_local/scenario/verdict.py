"""Judges a run: thresholds, the order of things, expectations of answers, events that failed. Pure."""

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from aimon_local.scenario.facts import Evidence, Fact, Mark
from aimon_local.scenario.metrics import matches, measure
from aimon_local.scenario.script import Order, Script, Threshold

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": lambda found, bound: abs(found - bound) <= 1e-9 * max(1.0, abs(bound)),
    "!=": lambda found, bound: abs(found - bound) > 1e-9 * max(1.0, abs(bound)),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that had to hold. ``value`` None: nothing was measured; ``why``: more words."""

    text: str
    holds: bool
    value: float | None = None
    unit: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was judged. ``passed``: all of it holds and the run came to its end."""

    judged: tuple[Judged, ...]
    interrupted: bool

    @property
    def passed(self) -> bool:
        """Whether the run is good."""
        return not self.interrupted and all(each.holds for each in self.judged)


def judge(script: Script, evidence: Evidence) -> Verdict:
    """The verdict over a run."""
    judged = [*(_threshold(each, evidence) for each in script.thresholds)]
    judged += [_order(each, evidence) for each in script.orders]
    judged += [*_expectations(script, evidence), *_events(evidence.marks)]
    return Verdict(tuple(judged), evidence.interrupted)


def holds_so_far(script: Script, evidence: Evidence) -> tuple[tuple[str, bool], ...]:
    """Thresholds on what clients saw alone: those that need no ledger and no upstream."""
    seen = ("requests", "failed", "retried", "latency", "first_byte", "late", "retry_after_honoured")
    chosen = [each for each in script.thresholds if each.metric in seen]
    return tuple((each.text, _threshold(each, evidence).holds) for each in chosen)


UNITS = {
    **dict.fromkeys(("latency", "first_byte", "late", "stopped_in"), "ms"),
    **dict.fromkeys(("charge", "cost", "margin", "leaked", "stopped_cost"), "$"),
}


def _threshold(threshold: Threshold, evidence: Evidence) -> Judged:
    value = measure(threshold.metric, threshold.tags, threshold.word, threshold.quantile, evidence)
    unit = UNITS.get(threshold.metric, "")
    if value is None:
        return Judged(threshold.text, False, None, unit, "there was nothing to measure")
    return Judged(threshold.text, _OPERATORS[threshold.operator](value, threshold.bound), value, unit)


# ---- order


def _order(order: Order, evidence: Evidence) -> Judged:
    spans = []
    for selector in order.selectors:
        times = sorted(_times(selector, evidence))
        if not times:
            return Judged(order.text, False, why=f"there was no {_words(selector)}")
        spans.append((times[0][0], times[0][0] if order.first else max(end for _, end in times)))
    for at in range(1, len(spans)):
        if spans[at][0] < spans[at - 1][1] - 1e-9:
            early, late = _words(order.selectors[at]), _words(order.selectors[at - 1])
            return Judged(
                order.text, False, why=f"{early} at {spans[at][0]:.3f} s, {late} until {spans[at - 1][1]:.3f} s"
            )
    return Judged(order.text, True)


def _times(selector: Mapping[str, str], evidence: Evidence) -> Iterable[tuple[float, float]]:
    """(begin, end) of each call or event that a selector chooses."""
    if "event" in selector:
        return [(mark.at, mark.at) for mark in evidence.marks if mark.name == selector["event"]]
    tags = tuple(selector.items())
    return [(fact.sent, fact.ended) for fact in evidence.facts if matches(fact, tags)]


def _words(selector: Mapping[str, str]) -> str:
    return " ".join(f"{tag} {value}" for tag, value in selector.items())


# ---- expectations of steps, and events that failed


def _expectations(script: Script, evidence: Evidence) -> Iterator[Judged]:
    """One for each step that expects something."""
    steps = [
        (actor.name, step.name)
        for actor in script.actors
        for step in (*actor.steps, *(call.step for call in actor.calls))
        if step.expect
    ]
    by_step: dict[tuple[str, str], list[Fact]] = {key: [] for key in steps}
    for fact in evidence.facts:
        if (fact.actor, fact.step) in by_step:
            by_step[fact.actor, fact.step].append(fact)
    for (actor, step), facts in by_step.items():
        missed = Counter(word for fact in facts for word in fact.missed())
        why = "; ".join(f"{count} times {word}" for word, count in missed.most_common(3))
        yield Judged(f"{actor} {step}: answers as expected", bool(facts) and not missed, float(len(facts)), "answers",
                     why or ("" if facts else "it was never called"))  # fmt: skip


def _events(marks: Iterable[Mark]) -> Iterator[Judged]:
    return (Judged(f"event {mark.name} ({mark.do})", False, why=mark.error) for mark in marks if mark.error)
