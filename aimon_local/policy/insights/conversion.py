"""From free to paid: who joined a group that costs nothing, and who then joined one that costs something. Pure.

What happened stands in the audit log. A group is paid if its price plan has a fee or a price now.
"""

from aimon_local.model.moment import rfc3339
from aimon_local.policy.insights.facts import DAY_NS, Facts, Insight, Move, Rows


def fold(facts: Facts) -> Rows:
    """A row per consumer that was in a free group up to the end of the span, the latest to convert first."""
    of: dict[str, list[Move]] = {}
    for move in sorted(facts.moves, key=lambda move: move.at_ns):
        if move.at_ns < facts.until_ns:
            of.setdefault(move.consumer_id, []).append(move)
    calls: dict[str, list[int]] = {}
    for each in facts.rows:
        calls.setdefault(each.row.consumer_id or "", []).append(each.row.at_ns)
    rows = [row for id_, moves in of.items() if (row := _row(moves, calls.get(id_, []), facts)) is not None]
    return sorted(rows, key=lambda row: (row["paid_since"] is None, row["consumer"]))


def _row(moves: list[Move], calls: list[int], facts: Facts) -> dict[str, object] | None:
    free = next((move for move in moves if move.joined and move.group not in facts.paid), None)
    if free is None:
        return None
    paid = next((move for move in moves if move.joined and move.group in facts.paid and move.at_ns >= free.at_ns), None)
    end = facts.until_ns if paid is None else paid.at_ns
    left = paid is not None and any(
        move.at_ns > paid.at_ns and move.group == paid.group and not move.joined for move in moves
    )
    return {
        **{"consumer": free.consumer, "free_group": free.group, "free_since": rfc3339(free.at_ns)},
        "paid_group": None if paid is None else paid.group,
        "paid_since": None if paid is None else rfc3339(paid.at_ns),
        "days": (end - free.at_ns) // DAY_NS,
        "calls_before": sum(free.at_ns <= at < end for at in calls),
        "state": "free" if paid is None else "left" if left else "paid",
    }


INSIGHT = Insight(
    "Who went from a free tier to a paid one.",
    "Members of groups whose plan costs nothing now, by the audit log; paid is the first group after that whose plan "
    "has a fee or a price; left: it is no more in that group.",
    ("consumer", "state", "free_group", "free_since", "paid_group", "paid_since", "days", "calls_before"),
    fold,
    whole=True,
)
