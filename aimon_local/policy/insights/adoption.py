"""New consumers: whether and when they called first, and on how many days since. Pure."""

from aimon_local.model.moment import rfc3339
from aimon_local.policy.insights.facts import DAY_NS, Facts, Insight, Rows

IDLE = 7  # days without a call


def fold(facts: Facts) -> Rows:
    """A row per consumer that was made, or called first, within the span; the newest first."""
    times: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for each in facts.rows:
        if each.row.consumer_id:
            times.setdefault(each.row.consumer_id, []).append(each.row.at_ns)
            names[each.row.consumer_id] = each.consumer
    made = {each.id: each for each in facts.consumers}
    names |= {each.id: each.name for each in made.values()}
    rows = []
    for id_, name in names.items():
        calls = sorted(times.get(id_, ()))
        born = made[id_].created_ns if id_ in made else calls[0]
        if facts.since_ns <= min([born, *calls[:1]]) < facts.until_ns:
            rows.append((born, name, calls))
    return [_row(*each, facts.until_ns) for each in sorted(rows, key=lambda row: (-row[0], row[1]))]


def _row(born: int, name: str, calls: list[int], until: int) -> dict[str, object]:
    idle = bool(calls) and until - calls[-1] >= IDLE * DAY_NS
    return {
        **{"consumer": name, "since": rfc3339(born), "first_call": rfc3339(calls[0]) if calls else None},
        "hours_to_first_call": max(0, calls[0] - born) // (DAY_NS // 24) if calls else None,
        "active_days": len({at // DAY_NS for at in calls}),
        "requests": len(calls),
        "last_call": rfc3339(calls[-1]) if calls else None,
        "state": "never_called" if not calls else "idle" if idle else "active",
    }


INSIGHT = Insight(
    "New consumers, and whether they stay.",
    f"Consumers that were made, or called first, within the span; active days are days of UTC with a call; idle: none "
    f"for {IDLE} days.",
    ("consumer", "state", "since", "first_call", "hours_to_first_call", "active_days", "requests", "last_call"),
    fold,
    whole=True,
)
