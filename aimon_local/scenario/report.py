"""A run as text, in the manner of k6's end summary: what had to hold, who did what, the sums. Pure.

``document`` is the same for programs, ``junit`` for CI. Traffic text is data: control characters are made visible.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aimon_local.scenario.facts import Evidence, Fact
from aimon_local.scenario.metrics import measure
from aimon_local.scenario.play import Outcome
from aimon_local.scenario.verdict import UNITS, Judged

_COLUMNS = (
    "actor",
    "tier",
    "sent",
    "2xx",
    "denied",
    "failed",
    "p50 ms",
    "p95 ms",
    "tokens",
    "charge",
    "cost",
    "margin",
)
_SUMMARY = (
    ("requests", ("count", "rate")),
    ("denied", ("rate", "count")),
    ("failed", ("rate", "count")),
    ("retried", ("count",)),
    ("latency", ("avg", "med", "p(95)", "p(99)", "max")),
    ("late", ("avg", "p(99)", "max")),
    ("tokens", ("sum",)),
    ("charge", ("sum",)),
    ("cost", ("sum",)),
    ("margin", ("sum",)),
    ("leaked", ("sum",)),
    ("upstream_requests", ("value",)),
)


def text(outcome: Outcome) -> str:
    """The report for people."""
    evidence, verdict = outcome.evidence, outcome.verdict
    lines = [f"{outcome.script.name}: {outcome.script.about}".rstrip(": "), ""]
    lines += [f"  {_mark(each)}" for each in verdict.judged]
    lines += ["", *_table(evidence.facts), "", *_refusals(evidence.facts), *_sums(evidence), ""]
    lines += [f"  not cleaned up: {each}" for each in outcome.left]
    word = "interrupted" if verdict.interrupted else "passed" if verdict.passed else "failed"
    lines.append(f"  {word}: {_held(verdict.judged)}, seed {outcome.seed}, {span(evidence.seconds)}")
    return "\n".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in lines)


def _held(judged: Sequence[Judged]) -> str:
    return f"{sum(each.holds for each in judged)} of {len(judged)} hold"


def _mark(each: Judged) -> str:
    value = "" if each.value is None else f"   {number(each.value, each.unit)}"
    return f"{'✓' if each.holds else '✗'} {each.text}{value}{f'   {each.why}' if each.why else ''}"


def number(value: float, unit: str = "") -> str:
    """A value with its unit: dollars before, milliseconds behind; as few digits as say it."""
    if unit == "$":
        return f"{'-' if value < 0 else ''}${abs(value):.6f}".rstrip("0").rstrip(".")
    plain = f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"
    return f"{plain} {unit}".rstrip()


def span(seconds: float) -> str:
    """A time: ``1.3 s``, ``2 min``, ``24 h``."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _table(facts: Sequence[Fact]) -> list[str]:
    """A line per actor."""
    rows = [list(_COLUMNS)]
    for actor in dict.fromkeys(fact.actor for fact in facts):
        own = tuple(fact for fact in facts if fact.actor == actor)
        rows.append(_row(actor, own))
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    return ["  " + "  ".join(_cells(row, widths)) for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    """Names to the left, numbers to the right."""
    for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if at < 2 else cell.rjust(width)


def _row(actor: str, facts: tuple[Fact, ...]) -> list[str]:
    evidence = Evidence(facts)

    def of(metric: str, word: str, quantile: float = 0.0) -> str:
        value, dollars = measure(metric, (), word, quantile, evidence), UNITS.get(metric) == "$"
        return "-" if value is None else number(round(value, 6 if dollars else 1), "$" if dollars else "")

    good = str(sum(200 <= fact.status < 300 for fact in facts))
    counts = [str(len(facts)), good, of("denied", "count"), of("failed", "count")]
    sums = [of(name, "sum") for name in ("tokens", "charge", "cost", "margin")]
    return [actor, facts[0].tier or "-", *counts, of("latency", "med"), of("latency", "p", 0.95), *sums]


def _refusals(facts: Sequence[Fact]) -> list[str]:
    """Why calls were denied, and how often."""
    reasons = Counter((fact.reason, str(fact.ai("denied_limit") or "")) for fact in facts if fact.reason)
    lines = [
        f"  denied {count}: {reason}{f' ({limit})' if limit else ''}"
        for (reason, limit), count in reasons.most_common(8)
    ]
    return [*lines, ""] if lines else []


def _sums(evidence: Evidence) -> list[str]:
    """k6's lines of metrics."""
    lines = []
    for metric, words in _SUMMARY:
        parts = []
        for word in words:
            quantile = float(word[2:-1]) / 100 if word.startswith("p(") else 0.0
            value = measure(metric, (), word.partition("(")[0], quantile, evidence)
            if value is not None:
                share = word == "rate" and metric != "requests"
                shown = f"{value * 100:.2f} %" if share else number(value, UNITS.get(metric, ""))
                parts.append(shown if len(words) == 1 else f"{word}={shown}")
        if parts:
            lines.append(f"  {metric.ljust(20, '.')}: {'  '.join(parts)}")
    return lines


# ---- for programs


def document(outcome: Outcome) -> dict[str, Any]:
    """The report as JSON has it."""
    evidence = outcome.evidence
    return {
        "script": outcome.script.name,
        "about": outcome.script.about,
        "seed": outcome.seed,
        "passed": outcome.verdict.passed,
        "interrupted": outcome.verdict.interrupted,
        "seconds": round(evidence.seconds, 6),
        "checks": [
            {"text": each.text, "holds": each.holds, "value": each.value, "unit": each.unit, "why": each.why}
            for each in outcome.verdict.judged
        ],
        "actors": {
            actor: _numbers(tuple(fact for fact in evidence.facts if fact.actor == actor))
            for actor in dict.fromkeys(fact.actor for fact in evidence.facts)
        },
        "totals": _numbers(evidence.facts),
        "upstream": dict(evidence.upstream),
        "events": [{"name": each.name, "do": each.do, "at": each.at, "error": each.error} for each in evidence.marks],
        "not_cleaned_up": list(outcome.left),
    }


def _numbers(facts: tuple[Fact, ...]) -> Mapping[str, Any]:
    evidence = Evidence(facts)
    return {
        "requests": len(facts),
        "by_status": {str(status): count for status, count in sorted(Counter(fact.status for fact in facts).items())},
        "by_reason": dict(sorted(Counter(fact.reason for fact in facts if fact.reason).items())),
        "latency_ms": {
            word: measure("latency", (), word.partition("(")[0], quantile, evidence)
            for word, quantile in (("avg", 0.0), ("med", 0.0), ("p(95)", 0.95), ("p(99)", 0.99), ("max", 0.0))
        },
        "late_ms": {
            "p(99)": measure("late", (), "p", 0.99, evidence),
            "max": measure("late", (), "max", 0.0, evidence),
        },
        **{
            name: measure(name, (), "sum", 0.0, evidence)
            for name in ("tokens", "charge", "cost", "margin", "leaked", "overrun")
        },
    }


def junit(outcomes: Iterable[Outcome]) -> str:
    """JUnit's XML: a suite per script, a case per thing that had to hold."""
    root = ET.Element("testsuites")
    for outcome in outcomes:
        judged = [*outcome.verdict.judged]
        if outcome.verdict.interrupted:
            judged.append(Judged("the run came to its end", False, why="it was interrupted"))
        failures = sum(not each.holds for each in judged)
        spent = f"{outcome.evidence.seconds:.3f}"
        suite = ET.SubElement(root, "testsuite", name=_xml(outcome.script.name), tests=str(len(judged)),
                              failures=str(failures), time=spent)  # fmt: skip
        for each in judged:
            case = ET.SubElement(suite, "testcase", classname=_xml(outcome.script.name), name=_xml(each.text))
            if not each.holds:
                found = "nothing" if each.value is None else number(each.value, each.unit)
                ET.SubElement(case, "failure", message=_xml(each.why or f"found {found}"))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _xml(words: str) -> str:
    """Characters that XML 1.0 can't hold are left out."""
    return "".join(c for c in words if c in "\t\n" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c < "\ufffe"))
