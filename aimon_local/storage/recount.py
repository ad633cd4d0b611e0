"""Counters of the windows that run, against the ledger's rows in them: what each should be, where rows can tell.

A tier's counter is the sum of what the calls used whose rows name it among their limits; a billing month is the sum of
a consumer's calls. Rows can't tell of sliding windows (kept in cells), of bursts, of limits that count later
(async-count), and of windows in which a row was written before rows named limits: those are left out, and counted.
A window of rate-limiting counts requests when they come, its rows are written when they end, and what a kill cut off
has none: there the rows are at most the counter, and they tell only where one place of the plugin counts by consumer
and was not changed within the window. Nor can rows tell where the clock was set back: see ``_horizon``.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from aimon_local.storage.span import HOUR_NS
from aimon_local.storage.spend import COUNTED

_NS = 1_000_000_000
_INPUT, _OUTPUT = "input + cache_read + cache_write", "output + reasoning"
_UNITS = {
    "requests": "1",
    "input_tokens": _INPUT,
    "output_tokens": _OUTPUT,
    "tokens": f"{_INPUT} + {_OUTPUT}",
    "cost": "ai_usage.cost",
    "charge": "ai_usage.charge",
}
_SPAN = """at_ns >= :low AND at_ns < :high
    AND seq >= (SELECT COALESCE(MIN(first_seq), 0) FROM usage_hourly WHERE hour >= :hour)"""
_CALLS = f"""FROM usage_rows JOIN ai_usage USING (request_id) WHERE {_SPAN} AND {COUNTED}
    AND party IN (SELECT id FROM usage_parties WHERE consumer_id = :of)"""
_MOVES = "SELECT before, after FROM audit WHERE kind = 'clock'"
_WORDS = "' ' || limits"
# Calls that count on a subject: its own, and those of agents, whose words name the whole subject.
_SHARED = f"""FROM usage_rows JOIN ai_usage USING (request_id) WHERE {_SPAN} AND {COUNTED}
    AND ((instr({_WORDS}, :word) > 0 AND party IN (SELECT id FROM usage_parties WHERE consumer_id = :of))
    OR (agent IS NOT NULL AND instr({_WORDS}, :whole) > 0))"""
_ADMITTED = f"""FROM usage_rows JOIN usage_parties ON usage_parties.id = party WHERE {_SPAN} AND consumer_id = :of
    AND decision = 'allow' AND (:route = '' OR route_id = :route) AND (:service = '' OR service_id = :service)"""


@dataclass(slots=True)
class Recount:
    """What was compared: how many agree, which differ, how many rows can't tell."""

    agree: int = 0
    untold: int = 0
    differ: list[str] = field(default_factory=list)

    def compare(self, what: str, counter: int, rows: int | None, *, at_least: bool = False) -> None:
        """One counter; ``rows`` None: they can't tell."""
        if rows is None:
            self.untold += 1
        elif counter == rows or (at_least and counter > rows):
            self.agree += 1
        else:
            self.differ.append(f"{what}: counter {counter}, rows {rows}")


def months(db: sqlite3.Connection, now: int) -> Recount:
    """Billing months; ``now`` in Unix seconds."""
    found, horizon = Recount(), _horizon(db)
    for key, unit, start, value, end in _counters(db, now, "tier", " AND unit LIKE 'month/%'"):
        if start < horizon:
            found.untold += 1
            continue
        sql = f"SELECT COALESCE(SUM({_UNITS[unit.removeprefix('month/')]}), 0) {_CALLS}"
        rows = db.execute(sql, _bounds(key[5:], start, end)).fetchone()[0]
        found.compare(f"{key} {unit}", value, rows)
    return found


def limits(db: sqlite3.Connection, now: int) -> Recount:
    """Calendar windows of tiers' limits."""
    found, late, horizon = Recount(), _late(db), _horizon(db)
    for key, unit, start, value, end in _counters(db, now, "tier", " AND unit NOT LIKE 'month/%'"):
        consumer, _, account = key[5:].partition("@")
        kind, calendar, _ = unit.partition("/")
        if kind not in _UNITS or not calendar or ":sliding" in unit or consumer in late or start < horizon:
            found.untold += 1
            continue
        rows = _limit(db, unit, account, _UNITS[kind], _bounds(consumer, start, end))
        found.compare(f"{key} {unit}", value, rows)
    return found


def _limit(db: sqlite3.Connection, name: str, account: str, units: str, bounds: dict[str, str | int]) -> int | None:
    silent = db.execute(f"SELECT COUNT(*) {_CALLS} AND limits = ''", bounds).fetchone()[0]
    if silent:
        return None
    word = f" {name}{'@' + quote(account, '') if account else ''}="
    subject = f"{bounds['of']}{'@' + account if account else ''}"
    asked = {**bounds, "word": word, "whole": f" {name}@{quote(subject, '')}="}
    rows: int = db.execute(f"SELECT COALESCE(SUM({units}), 0) {_SHARED}", asked).fetchone()[0]
    return rows


def _late(db: sqlite3.Connection) -> set[str]:
    """Consumers with calls of a tier that counts later."""
    tiers = [json.loads(body) for (body,) in db.execute("SELECT body FROM tiers")]
    names = json.dumps([tier["name"] for tier in tiers if tier.get("mode") == "async-count"])
    sql = """SELECT DISTINCT consumer_id FROM usage_parties WHERE tier IN (SELECT value FROM json_each(?))"""
    return {consumer for (consumer,) in db.execute(sql, (names,))}


def rates(db: sqlite3.Connection, now: int) -> Recount:
    """Windows of rate-limiting."""
    found, changed, horizon = Recount(), _only_place(db), _horizon(db)
    for key, unit, start, value, end in _counters(db, now, "rate", ""):
        _, route, service, who = key.split(":", 3)
        bounds = {**_bounds(who, start, end), "route": route, "service": service}
        rows = None
        if changed is not None and changed[:2] == (route, service) and start >= horizon:
            first, rows = db.execute(f"SELECT MIN(at_ns), COUNT(*) {_ADMITTED}", bounds).fetchone()
            rows = None if first is None or first < changed[2] * _NS else rows
        found.compare(f"{key} {unit}", value, rows, at_least=True)
    return found


def _horizon(db: sqlite3.Connection) -> int:
    """The latest second that the clock showed when somebody set it back; 0: never. Windows that began earlier may have
    counted calls of other times: a counter never goes back, a row's time does.
    """
    moves = [[json.loads(side)["at_ns"] for side in row] for row in db.execute(_MOVES)]
    return max((before // _NS + 1 for before, after in moves if after < before), default=0)


def _only_place(db: sqlite3.Connection) -> tuple[str, str, int] | None:
    """(route, service, second of the last change), where all of rate-limiting is in one place and by consumer."""
    sql = "SELECT COALESCE(route_id, ''), COALESCE(service_id, ''), body FROM plugins WHERE name = 'rate-limiting'"
    found = [(route, service, json.loads(body)) for route, service, body in db.execute(sql)]
    places = {(route, service) for route, service, _ in found}
    if len(places) != 1 or any(body["config"].get("limit_by") != "consumer" for *_, body in found):
        return None
    changes = [body[name] or 0 for *_, body in found for name in ("created_at", "updated_at") if name in body]
    return (*places.pop(), max(changes, default=0) + 1)


def _counters(db: sqlite3.Connection, now: int, kind: str, more: str) -> Iterator[tuple[str, str, int, int, int]]:
    sql = f"SELECT key, unit, start, value, expires FROM counters WHERE key LIKE ? AND expires > ?{more}"
    yield from db.execute(sql, (f"{kind}:%", now)).fetchall()


def _bounds(consumer: str, start: int, end: int) -> dict[str, str | int]:
    low = start * _NS
    return {"of": consumer, "low": low, "high": end * _NS, "hour": low // HOUR_NS}
