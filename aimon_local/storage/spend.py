"""Sums of what AI calls used: tokens and money, by hour, party and model, folded beside ``usage_hourly``.

As with the usage totals: whole hours come from the sums, rows are read only for what is not folded in yet and for the
two ends of a span that does not lie on the hour. Corrections (see ``corrections``) are added where they are asked for,
by the time of the call that they correct. To sum another column: a line in ``SUMS`` and a migration.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aimon_local.storage.span import HOUR_NS, bounds, ends

SUMS = ("calls", "estimated", "input", "cache_read", "cache_write", "output", "reasoning", "cost", "charge", "requests")


class Spend(NamedTuple):
    """Sums over admitted AI calls; money in nano-dollars."""

    calls: int = 0
    estimated: int = 0  # calls that the provider's own count could not settle
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cost: int = 0
    charge: int = 0
    requests: int = 0  # of the calls those that count as a request: not given back


AGENT = "COALESCE((SELECT name FROM agents WHERE agents.consumer_id = usage_parties.consumer_id), '')"
"""The name of the agent that a party is now; "": it is none, or is deleted."""

GROUPS: Mapping[str | None, str] = {
    None: "''",
    "consumer": "consumer",
    "tier": "tier",
    "route": "route_id",
    "agent": AGENT,
    "model": "model",
    "hour": "hour * 3600",
    "day": "hour / 24 * 86400",
}
"""What sums can be apart by."""

COUNTED = "denied_limit IS NULL AND instr(' ' || flags || ' ', ' released ') = 0"
"""Of AI calls, and plain ones of a tier's consumers: those that count, since they were admitted and not given back."""
_COUNTS = {"calls": "1", "estimated": "source = 'estimated'", "requests": COUNTED}
_VALUES = ", ".join(f"{_COUNTS.get(name, f'ai_usage.{name}')} AS {name}" for name in SUMS)
ROW_SUMS = ", ".join(f"SUM({_COUNTS.get(name, f'ai_usage.{name}')})" for name in SUMS)
"""Each of the sums over rows of usage_rows with their AI records."""
_ROWS = f"""SELECT party, at_ns / {HOUR_NS} AS hour, model, {_VALUES}
    FROM usage_rows JOIN ai_usage USING (request_id)"""
_CORRECTIONS = f"""SELECT party, call_ns / {HOUR_NS} AS hour, model,
    {", ".join(name if name in ("cost", "charge") else "0" for name in SUMS)} FROM ai_corrections"""
_HOURS = f"SELECT party, hour, model, {', '.join(SUMS)} FROM ai_hourly"
_TAIL = "seq > (SELECT seq FROM usage_folded)"
_OF = "party IN (SELECT id FROM usage_parties WHERE consumer_id = :of OR consumer = :of)"

_NEW = f"{_ROWS} WHERE {_TAIL} AND seq <= :last"
FOLD = f"""INSERT INTO ai_hourly
    SELECT party, hour, model, {", ".join(f"SUM({name})" for name in SUMS)} FROM ({_NEW}) WHERE true GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)}"""
"""Adds the rows up to ``:last`` that are not folded yet; run before ``usage_folded`` moves on."""


def spend_sql(
    consumer: str | None, since: int | None, until: int | None, by: str | None
) -> tuple[str, Mapping[str, Any]]:
    """(group, sums …) of the admitted calls of a span, one statement."""
    low, high = bounds(since, until)
    first, end = -(-low // HOUR_NS), high // HOUR_NS
    of = f" AND {_OF}" if consumer is not None else ""
    arms = [f"{_ROWS} WHERE {_TAIL} AND at_ns >= :low AND at_ns < :high{of}"]
    if first < end:
        arms.append(f"{_HOURS} WHERE hour >= {first} AND hour < {end}{of}")
    for begin, stop in ends(low, high, first, end):
        hour = f"FROM usage_hourly WHERE hour = {begin // HOUR_NS}"
        span = f"seq BETWEEN (SELECT MIN(first_seq) {hour}) AND (SELECT MAX(last_seq) {hour}) AND NOT {_TAIL}"
        arms.append(f"{_ROWS} WHERE {span} AND at_ns >= {begin} AND at_ns < {stop}{of}")
    arms.append(f"{_CORRECTIONS} WHERE call_ns >= :low AND call_ns < :high{of}")
    sums = ", ".join(f"SUM({name})" for name in SUMS)
    sql = f"""SELECT {GROUPS[by]}, {sums} FROM ({" UNION ALL ".join(arms)})
        JOIN usage_parties ON usage_parties.id = party WHERE decision = 'allow' GROUP BY 1"""
    return sql, {"low": low, "high": high, "of": consumer}
