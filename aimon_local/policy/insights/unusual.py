"""Consumers whose last day is unlike their own days before: up is a surprise on an invoice, down is churn. Pure.

A day is 24 hours that end at the end of the span. Usual is the median of the days before, since the first call; a
change counts where it is at least a factor of two and three times the usual spread (median deviation, scaled as a
standard deviation is), so that who is always unsteady is not unusual.
"""

from collections import Counter

from aimon_local.model.money import dollars
from aimon_local.policy.insights.facts import DAY_NS, Facts, Insight, Rows

FEWEST = 3  # days before that make a past
_SPREAD = 4.4478  # three times 1.4826, which scales a median deviation to a standard deviation


def fold(facts: Facts) -> Rows:
    """A row per consumer that changed, the strongest change first."""
    calls: dict[str, Counter[int]] = {}
    charges: dict[str, Counter[int]] = {}
    for each in facts.rows:
        if each.consumer:
            back = (facts.until_ns - 1 - each.row.at_ns) // DAY_NS  # 0: the last day
            calls.setdefault(each.consumer, Counter())[back] += 1
            charges.setdefault(each.consumer, Counter())[back] += each.charge
    days = (facts.until_ns - facts.since_ns) // DAY_NS
    rows = [row for name in sorted(calls) if (row := _row(name, calls[name], charges[name], days)) is not None]
    return sorted(rows, key=lambda row: -abs(row["requests"] - row["usual_requests"]))


def _row(name: str, calls: Counter[int], charges: Counter[int], days: int) -> dict[str, object] | None:
    past = range(1, min(max(calls), days - 1) + 1)
    if len(past) < FEWEST:
        return None
    now, before = calls[0], sorted(calls[day] for day in past)
    usual = _median(before)
    spread = _SPREAD * _median(sorted(abs(value - usual) for value in before))
    change = now - usual
    if abs(change) < max(1, spread) or not (now >= 2 * usual or 2 * now <= usual):
        return None
    return {
        **{"consumer": name, "direction": "up" if change > 0 else "down", "requests": now, "usual_requests": usual},
        "charge": dollars(charges[0]),
        "usual_charge": dollars(int(_median(sorted(charges[day] for day in past)))),
        "days": len(past),
        "may_be": "a surprise on the invoice" if change > 0 else "churn",
    }


def _median(ordered: list[float] | list[int]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


INSIGHT = Insight(
    "Consumers whose last day is unlike their days before.",
    "The last 24 hours against the median of the 24-hour days before, three at least: at least twice or at most "
    "half of it, and three scaled median deviations away.",
    ("consumer", "direction", "requests", "usual_requests", "charge", "usual_charge", "days", "may_be"),
    fold,
)
