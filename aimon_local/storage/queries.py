"""What is asked of the ledger, through aiosqlite on a connection of its own that only reads.

The ledger has no index by time or consumer (that would cost each request); ``usage_hourly`` says in which range of
``seq`` the rows of an hour lie. Totals come from the hourly sums, and from rows only in the two hours at the ends of
a span that does not begin or end on the hour. Statements are short and read to their end, so that they never hold the
write-ahead log back.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiosqlite

from aimon_local.model.usage import CounterChange, UsageRow
from aimon_local.storage.batch import HOUR_NS
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

By = Literal["consumer", "tier", "route", "service", "status", "hour", "day"]
MOST = 1000  # rows of a page

_SUMS = """SUM(requests), SUM(incomplete), SUM(bytes_in), SUM(bytes_out), SUM(gateway_us), SUM(total_us)"""
_ROW_SUMS = """COUNT(*), SUM(NOT complete), SUM(bytes_in), SUM(bytes_out), SUM(gateway_us), SUM(total_us)"""
_GROUPS: Mapping[str | None, tuple[str, str]] = {  # in usage_hourly, in usage
    None: ("''", "''"),
    "consumer": ("consumer", "COALESCE(consumer, '')"),
    "tier": ("tier", "COALESCE(tier, '')"),
    "route": ("route_id", "COALESCE(route_id, '')"),
    "service": ("service_id", "COALESCE(service_id, '')"),
    "status": ("status", "status"),
    "hour": ("hour * 3600", f"at_ns / {HOUR_NS} * 3600"),
    "day": ("hour / 24 * 86400", f"at_ns / {24 * HOUR_NS} * 86400"),
}
_COLUMNS = ", ".join(UsageRow._fields)


@dataclass(slots=True)
class UsageTotals:
    """Sums over a part of the ledger. ``requests`` were admitted; refused ones are ``denied``, apart by reason."""

    requests: int = 0
    denied: int = 0
    denied_by_reason: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)  # of all, refused ones too; 0 = left before an answer
    incomplete: int = 0  # admitted, but cut by either side
    bytes_in: int = 0  # bodies, bytes, of all
    bytes_out: int = 0
    gateway_us: int = 0  # sums over the admitted ones, microseconds
    total_us: int = 0

    def _add(self, decision: str, reason: str, status: int, sums: tuple[int, ...]) -> None:
        count, incomplete, bytes_in, bytes_out, gateway_us, total_us = sums
        self.statuses[status] = self.statuses.get(status, 0) + count
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out
        if decision == "deny":
            self.denied += count
            self.denied_by_reason[reason] = self.denied_by_reason.get(reason, 0) + count
            return
        self.requests += count
        self.incomplete += incomplete
        self.gateway_us += gateway_us
        self.total_us += total_us


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Rows, newest first, and where the next page begins (``before``); None: that was the last."""

    rows: tuple[UsageRow, ...]
    next: int | None


class Queries:
    """Reading questions to one database. Times are Unix nanoseconds of a request's arrival: ``since`` ≤ t < ``until``.

    ``consumer``: an id, or a name as it was at the time of the request.
    """

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    @classmethod
    async def open(cls, database: Database) -> "Queries":
        """With a connection of its own."""
        try:
            return cls(await database.connect_async(read_only=True))
        except sqlite3.Error as error:
            raise store_error(error) from error

    async def close(self) -> None:
        """Close the connection."""
        await self._db.close()

    async def counters(self, now: int) -> list[CounterChange]:
        """All counters whose windows are not over at ``now`` (Unix seconds)."""
        rows = await self._all("SELECT key, unit, start, value, expires FROM counters WHERE expires > ?", (now,))
        return [CounterChange(*row) for row in rows]

    async def usage_totals(
        self, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> UsageTotals:
        """The sums of a span, all consumers or one."""
        found = await self._totals(consumer, since, until, None)
        return found.get("", UsageTotals())

    async def usage_totals_by(
        self, by: By, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> dict[str | int, UsageTotals]:
        """The same apart by consumer, tier, route id, service id ("": none), status, or the hour's or day's start.

        Hours and days are those of UTC; their starts are Unix seconds.
        """
        return await self._totals(consumer, since, until, by)

    async def usage_row(self, request_id: str) -> UsageRow | None:
        """The row of one request."""
        rows = await self._all(f"SELECT {_COLUMNS} FROM usage WHERE request_id = ?", (request_id,))
        return _row(rows[0]) if rows else None

    async def usage_rows(
        self,
        consumer: str | None = None,
        since: int | None = None,
        until: int | None = None,
        *,
        before: int | None = None,
        size: int = 100,
    ) -> UsagePage:
        """Rows, the last ended first; ``before``: the ``next`` of the page before. At most ``MOST`` rows."""
        size = max(1, min(size, MOST))
        wanted = size + 1
        found: list[Any] = []
        for first, last in await self._ranges(consumer, since, until, before):
            sql, arguments = _page_sql(first, last, consumer, since, until, wanted - len(found))
            found += await self._all(sql, arguments)
            if len(found) >= wanted:
                break
        page = found[:size]
        return UsagePage(tuple(_row(row[1:]) for row in page), page[-1][0] if len(found) > size else None)

    async def _ranges(
        self, consumer: str | None, since: int | None, until: int | None, before: int | None
    ) -> list[tuple[int, int]]:
        """Where rows can be, newest first, as ranges of ``seq`` that don't overlap."""
        top = (before or (1 << 62)) - 1
        if consumer is None and since is None and until is None:
            return [(0, top)]
        first_hour = None if since is None else since // HOUR_NS
        where, arguments = _hours(consumer, first_hour, None if until is None else until // HOUR_NS + 1)
        spans = await self._all(
            f"SELECT MIN(first_seq), MAX(last_seq) FROM usage_hourly {where} GROUP BY hour", arguments
        )
        out: list[tuple[int, int]] = []
        for first, last in sorted(spans, key=lambda span: -span[1]):
            free = out[-1][0] - 1 if out else top  # hours overlap where long requests end in the next one
            if first <= min(last, free):
                out.append((first, min(last, free)))
        return out

    async def _totals(
        self, consumer: str | None, since: int | None, until: int | None, by: str | None
    ) -> dict[str | int, UsageTotals]:
        out: dict[str | int, UsageTotals] = {}
        inner, edges = _split(since, until)
        if inner is not None:
            where, arguments = _hours(consumer, *inner)
            sql = f"""SELECT {_GROUPS[by][0]}, decision, deny_reason, status, {_SUMS}
                FROM usage_hourly {where} GROUP BY 1, 2, 3, 4"""
            _gather(out, await self._all(sql, arguments))
        for start, end in edges:
            _gather(out, await self._edge(consumer, start, end, by))
        return out

    async def _edge(self, consumer: str | None, start: int, end: int, by: str | None) -> list[Any]:
        """Sums over rows within one hour."""
        where, arguments = _hours(consumer, start // HOUR_NS, start // HOUR_NS + 1)
        found = await self._all(f"SELECT MIN(first_seq), MAX(last_seq) FROM usage_hourly {where}", arguments)
        first, last = found[0]
        if first is None:
            return []
        sql = f"""SELECT {_GROUPS[by][1]}, decision, COALESCE(deny_reason, ''), status, {_ROW_SUMS} FROM usage
            WHERE seq BETWEEN ? AND ? AND at_ns >= ? AND at_ns < ? {_only(consumer)} GROUP BY 1, 2, 3, 4"""
        return await self._all(sql, (first, last, start, end, *_twice(consumer)))

    async def _all(self, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        try:
            return list(await self._db.execute_fetchall(sql, arguments))
        except sqlite3.Error as error:
            raise store_error(error) from error


def _split(since: int | None, until: int | None) -> tuple[tuple[int | None, int | None] | None, list[tuple[int, int]]]:
    """A span as its whole hours [first, end) and the rests at its ends, each within one hour."""
    if since is not None and until is not None and since >= until:
        return None, []
    first = None if since is None else -(-since // HOUR_NS)
    end = None if until is None else until // HOUR_NS
    if since is not None and until is not None and first is not None and end is not None and first > end:
        return None, [(since, until)]
    edges = []
    if since is not None and first is not None and since < first * HOUR_NS:
        edges.append((since, first * HOUR_NS))
    if until is not None and end is not None and end * HOUR_NS < until:
        edges.append((end * HOUR_NS, until))
    return (first, end), edges


def _hours(consumer: str | None, first: int | None, end: int | None) -> tuple[str, tuple[Any, ...]]:
    """The WHERE of ``usage_hourly`` for hours [first, end)."""
    parts, arguments = ["hour >= ?", "hour < ?"], [first or 0, 1 << 40 if end is None else end]
    if consumer is None:
        return f"WHERE {' AND '.join(parts)}", tuple(arguments)
    span = " AND ".join(parts)
    where = f"WHERE (consumer_id = ? AND {span}) OR (consumer = ? AND {span})"
    return where, (consumer, *arguments, consumer, *arguments)


def _only(consumer: str | None) -> str:
    return "" if consumer is None else "AND (consumer_id = ? OR consumer = ?)"


def _twice(consumer: str | None) -> tuple[str, ...]:
    return () if consumer is None else (consumer, consumer)


def _page_sql(
    first: int, last: int, consumer: str | None, since: int | None, until: int | None, size: int
) -> tuple[str, tuple[Any, ...]]:
    sql = f"""SELECT seq, {_COLUMNS} FROM usage WHERE seq BETWEEN ? AND ? AND at_ns >= ? AND at_ns < ?
        {_only(consumer)} ORDER BY seq DESC LIMIT ?"""
    low, high = -(1 << 63) if since is None else since, (1 << 63) - 1 if until is None else until
    return sql, (first, last, low, high, *_twice(consumer), size)


def _row(values: Any) -> UsageRow:
    row = UsageRow(*values)
    return row._replace(complete=bool(row.complete))


def _gather(out: dict[str | int, UsageTotals], rows: list[Any]) -> None:
    for group, decision, reason, status, *sums in rows:
        out.setdefault(group, UsageTotals())._add(decision, reason, status, tuple(sums))
