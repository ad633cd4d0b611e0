"""Tiers that are too small or too large for who has them: the fullest that each limit was, per consumer. Pure."""

from collections import Counter

from aimon_local.policy.alerts import Key, Standing, used, uses
from aimon_local.policy.insights.facts import Facts, Insight, Rows, percent

MAXED, UNDER = 95, 20  # percent
_MUTE = (1 << 62,)


def fold(facts: Facts) -> Rows:
    """A row per tier, consumer and limit."""
    standings: dict[Key, Standing] = {}
    peaks: dict[tuple[str, str, str], tuple[int, int]] = {}  # (used, amount) where it was fullest
    refused: Counter[tuple[str, str, str]] = Counter()
    named: dict[str, str] = {}  # the tier of a subject, which a call of its agent does not tell
    for each in facts.rows:
        for use in uses(each.row, each.ai) if each.ai is not None else ():
            standing, _ = used(standings.get((use.subject, use.mark.name)), use, _MUTE, None)
            if standing is None:
                continue
            standings[use.subject, use.mark.name] = standing
            tier = use.tier or named.get(use.subject, "")
            named[use.subject] = tier
            place = tier, use.consumer, use.mark.name
            refused[place] += use.refused
            most, amount = peaks.get(place, (0, 1))
            if place not in peaks or standing.level * amount > most * standing.amount:
                peaks[place] = standing.level, max(1, standing.amount)
    return [_row(place, peaks[place], refused[place]) for place in sorted(peaks)]


def _row(place: tuple[str, str, str], peak: tuple[int, int], refused: int) -> dict[str, object]:
    tier, consumer, limit = place
    share = percent(*peak) or 0.0
    verdict = "maxed_out" if refused or share >= MAXED else "under_used" if share < UNDER else "fits"
    return {
        **{"tier": tier, "consumer": consumer, "limit": limit, "peak_percent": share, "refused": refused},
        "verdict": verdict,
    }


INSIGHT = Insight(
    "Limits that are maxed out, and limits that nobody needs.",
    f"The fullest that a limit was in any of its windows: maxed out from {MAXED} % or where it refused a call, "
    f"under-used below {UNDER} %.",
    ("tier", "consumer", "limit", "peak_percent", "refused", "verdict"),
    fold,
)
