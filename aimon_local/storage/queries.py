"""What is asked of the ledger, through aiosqlite on a connection of its own that only reads.

The ledger has no index by time or consumer (that would cost each request); ``usage_hourly`` says in which range of
``seq`` the rows of an hour lie. Totals come from the hourly sums, and from rows only for the newest ones, which are not
folded in yet, and in the two hours at the ends of a span that does not begin or end on the hour. Statements are short
and read to their end, so that they never hold the write-ahead log back.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiosqlite

from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import CounterChange, UsageRow
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error
from aimon_local.storage.span import HOUR_NS, bounds, ends
from aimon_local.storage.spend import AGENT, Spend, spend_sql
from aimon_local.storage.today import Today, read
from aimon_local.storage.verify import Verdict, verify

By = Literal["consumer", "tier", "route", "agent", "service", "status", "hour", "day"]
MOST = 1000  # rows of a page

_SUMS = "SUM(requests), SUM(incomplete), SUM(bytes_in), SUM(bytes_out), SUM(gateway_us), SUM(total_us)"
_FROM_ROWS = f"""SELECT party, at_ns / {HOUR_NS} AS hour, status, 1 AS requests, NOT complete AS incomplete, bytes_in,
    bytes_out, gateway_us, total_us FROM usage_rows"""
_FROM_HOURS = """SELECT party, hour, status, requests, incomplete, bytes_in, bytes_out, gateway_us, total_us
    FROM usage_hourly"""
_TAIL = "seq > (SELECT seq FROM usage_folded)"
_OF = "party IN (SELECT id FROM usage_parties WHERE consumer_id = :of OR consumer = :of)"
_GROUPS: Mapping[str | None, str] = {
    None: "''",
    "consumer": "consumer",
    "tier": "tier",
    "route": "route_id",
    "agent": AGENT,
    "service": "service_id",
    "status": "status",
    "hour": "hour * 3600",
    "day": "hour / 24 * 86400",
}
_LATEST = 1 << 62  # behind every row
_COLUMNS = ", ".join(UsageRow._fields)
_AI_RECORDS = f"""SELECT request_id, {", ".join(AiRecord._fields)} FROM ai_usage
    WHERE request_id IN (SELECT value FROM json_each(:ids))"""


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

    def count(self, decision: str, reason: str, status: int, sums: tuple[int, ...]) -> None:
        """Add a line: requests, incomplete, bytes in and out, gateway and total microseconds."""
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
    """Reading questions to one database. All times given are Unix nanoseconds.

    ``since`` ≤ arrival < ``until``; ``consumer``: an id, or a name as it was at the time of the request.
    """

    def __init__(self, db: aiosqlite.Connection, database: Database) -> None:
        self._db = db
        self._database = database
        self._reading = asyncio.Lock()  # a connection has one transaction at a time

    @classmethod
    async def open(cls, database: Database) -> "Queries":
        """With a connection of its own."""
        try:
            return cls(await database.connect_async(read_only=True), database)
        except sqlite3.Error as error:
            raise store_error(error) from error

    async def close(self) -> None:
        """Close the connection."""
        await self._db.close()

    async def counters(self, now: int) -> list[CounterChange]:
        """All counters whose windows are not over at ``now``."""
        sql = "SELECT key, unit, start, value, expires FROM counters WHERE expires > :now"
        rows = await self._all(sql, {"now": now // 1_000_000_000})
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

    async def spend(
        self, by: str | None = None, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> dict[str | int, Spend]:
        """What admitted AI calls used, apart by one of ``storage.spend.GROUPS``; None: all under ""."""
        sql, arguments = spend_sql(consumer, since, until, by)
        return {group: Spend(*sums) for group, *sums in await self._all(sql, arguments)}

    async def today(self, since: int) -> Today:
        """All sums from ``since`` on, as one state of the ledger."""
        async with self._reading:
            return await read(
                self._all, lambda by: self._totals(None, since, None, by), lambda by: self.spend(by, None, since)
            )

    async def verify(self, now: int, since: int = 0) -> Verdict:
        """Recount the ledger, in a thread and on a connection of its own: it takes seconds where it is long."""
        self._database.settle()
        return await asyncio.to_thread(verify, self._database.directory, now, since)

    async def usage_row(self, request_id: str) -> UsageRow | None:
        """The row of one request."""
        rows = await self._all(f"SELECT {_COLUMNS} FROM usage WHERE request_id = :id", {"id": request_id})
        return row(rows[0]) if rows else None

    async def ai_records(self, request_ids: Iterable[str]) -> dict[str, AiRecord]:
        """What those of the requests used that were AI calls."""
        rows = await self._all(_AI_RECORDS, {"ids": json.dumps(list(request_ids))})
        return {request_id: record(values) for request_id, *values in rows}

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
        return UsagePage(tuple(row(each[1:]) for each in page), page[-1][0] if len(found) > size else None)

    async def _ranges(
        self, consumer: str | None, since: int | None, until: int | None, before: int | None
    ) -> list[tuple[int, int]]:
        """Where rows can be, newest first, as ranges of ``seq`` that don't overlap."""
        top = (before or _LATEST) - 1
        if consumer is None and since is None and until is None:
            return [(0, top)]
        low, high = bounds(since, until)
        where = "hour BETWEEN :first AND :last" + (f" AND {_OF}" if consumer is not None else "")
        spans = await self._all(
            f"""SELECT MIN(first_seq), MAX(last_seq) FROM usage_hourly WHERE {where} GROUP BY hour
            UNION ALL SELECT seq + 1, {_LATEST} FROM usage_folded""",
            {"first": low // HOUR_NS, "last": high // HOUR_NS, "of": consumer},
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
        sql, arguments = totals_sql(consumer, since, until, by)
        for group, decision, reason, status, *sums in await self._all(sql, arguments):
            out.setdefault(group, UsageTotals()).count(decision, reason, status, tuple(sums))
        return out

    async def _all(self, sql: str, arguments: Mapping[str, Any]) -> list[Any]:
        try:
            return list(await self._db.execute_fetchall(sql, arguments))
        except sqlite3.Error as error:
            raise store_error(error) from error


def totals_sql(
    consumer: str | None, since: int | None, until: int | None, by: str | None
) -> tuple[str, Mapping[str, Any]]:
    """One statement, so one state of the ledger: whole hours, the ends of the span, and what is not folded yet."""
    low, high = bounds(since, until)
    first, end = -(-low // HOUR_NS), high // HOUR_NS
    of = f" AND {_OF}" if consumer is not None else ""
    arms = [f"{_FROM_ROWS} WHERE {_TAIL} AND at_ns >= :low AND at_ns < :high{of}"]
    if first < end:
        arms.append(f"{_FROM_HOURS} WHERE hour >= {first} AND hour < {end}{of}")
    for begin, stop in ends(low, high, first, end):
        hour = f"FROM usage_hourly WHERE hour = {begin // HOUR_NS}"
        span = f"seq BETWEEN (SELECT MIN(first_seq) {hour}) AND (SELECT MAX(last_seq) {hour}) AND NOT {_TAIL}"
        arms.append(f"{_FROM_ROWS} WHERE {span} AND at_ns >= {begin} AND at_ns < {stop}{of}")
    sql = f"""SELECT {_GROUPS[by]}, decision, deny_reason, status, {_SUMS} FROM ({" UNION ALL ".join(arms)})
        JOIN usage_parties ON usage_parties.id = party GROUP BY 1, 2, 3, 4"""
    return sql, {"low": low, "high": high, "of": consumer}


def _page_sql(
    first: int, last: int, consumer: str | None, since: int | None, until: int | None, size: int
) -> tuple[str, Mapping[str, Any]]:
    low, high = bounds(since, until)
    of = f" AND {_OF}" if consumer is not None else ""
    sql = f"""SELECT seq, {_COLUMNS} FROM usage WHERE seq BETWEEN :first AND :last
        AND at_ns >= :low AND at_ns < :high{of} ORDER BY seq DESC LIMIT :size"""
    return sql, {"first": first, "last": last, "low": low, "high": high, "of": consumer, "size": size}


def record(values: Any) -> AiRecord:
    """An AI call's record from its columns."""
    found = AiRecord(*values)
    words: dict[str, Any] = {name: tuple(getattr(found, name).split()) for name in ("flags", "shadow", "limits")}
    return found._replace(stream=bool(found.stream), complete=bool(found.complete), **words)


def row(values: Any) -> UsageRow:
    """A request's row from its columns."""
    found = UsageRow(*values)
    return found._replace(complete=bool(found.complete))
