"""Where each limit will stand at the end of its window, if use goes on as it went in the window so far. Pure.

A straight line through nothing at the window's beginning and what is used now. It knows no weekends; early in a window
it knows little, which ``gone_percent`` tells.
"""

from datetime import UTC, datetime, timedelta

from aimon_local.model.moment import SECOND, rfc3339
from aimon_local.model.money import dollars
from aimon_local.model.tier import SPAN_S, Period
from aimon_local.policy.alerts import Key, Standing, Use, used, uses
from aimon_local.policy.insights.facts import Facts, Insight, Rows, percent

_MUTE = (1 << 62,)  # no threshold


def fold(facts: Facts) -> Rows:
    """A row per limit whose window is open, the fullest expectation first."""
    standings: dict[Key, Standing] = {}
    last: dict[Key, Use] = {}
    for each in facts.rows:
        for use in uses(each.row, each.ai) if each.ai is not None else ():
            if not use.mark.name.endswith(":sliding"):
                key = use.subject, use.mark.name
                standing, _ = used(standings.get(key), use, _MUTE, None)
                if standing is not None:
                    standings[key], last[key] = standing, use
    rows = [_row(last[key], standing, facts.until_ns) for key, standing in standings.items()]
    return sorted(
        (row for row in rows if row is not None), key=lambda row: (-(row["expected_percent"] or 0), *_who(row))
    )


def _who(row: dict[str, object]) -> tuple[str, str]:
    return str(row["consumer"]), str(row["limit"])


def _row(use: Use, standing: Standing, now_ns: int) -> dict[str, object] | None:
    begin, end, name = began(use.mark.name, standing.ends) * SECOND, standing.ends * SECOND, use.mark.name
    if not begin < now_ns < end:
        return None
    level, amount, gone = standing.level, standing.amount, now_ns - begin
    expected = level * (end - begin) // gone
    full = begin + gone * amount // level if level and expected > amount else None
    show = dollars if name.partition("/")[0] in ("cost", "charge") else int
    return {
        **{"consumer": use.consumer, "tier": use.tier, "limit": name, "used": show(level), "amount": show(amount)},
        **{"expected": show(expected), "expected_percent": percent(expected, amount)},
        **{"gone_percent": percent(gone, end - begin), "ends": rfc3339(end)},
        "full_at": None if full is None else rfc3339(full // SECOND * SECOND),
    }


def began(name: str, ends: int) -> int:
    """Unix seconds at which the window began that ends then; where clocks changed within it, an hour off."""
    period = Period(name.partition("/")[2])
    if period is not Period.MONTH:
        return ends - SPAN_S[period]
    # The end is midnight of a first, in a zone that is at most 14 hours off: half a day before it is in the month.
    inside = datetime.fromtimestamp(ends, UTC) - timedelta(days=2)
    first = inside.replace(day=1)
    days = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - first
    return ends - days.days * SPAN_S[Period.DAY]


INSIGHT = Insight(
    "What each limit will have used at the end of its window.",
    "A straight line: what was used since the window began, by the time that is gone, on to its end. gone_percent says "
    "how much of the window that rests on.",
    ("consumer", "tier", "limit", "used", "amount", "expected", "expected_percent", "gone_percent", "full_at", "ends"),
    fold,
)
