"""The ledger as a feed: rows in the order of their ends, from a number on. Blocking: for a thread.

Rows are numbered without a gap and never change, so a reader that remembers the last number it has taken care of misses
nothing and can tell what it has seen. Corrections of a call are summed up beside it, as they are when it is read.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import UsageRow
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error
from aimon_local.storage.queries import MOST, record, row
from aimon_local.storage.span import HOUR_NS

_COLUMNS = ", ".join(f"usage.{name}" for name in UsageRow._fields)
_AI = ", ".join(f"ai_usage.{name}" for name in AiRecord._fields)
_MORE = "COALESCE((SELECT SUM({0}) FROM ai_corrections AS more WHERE more.request_id = usage.request_id), 0)"
_ROWS = f"""SELECT seq, {_MORE.format("cost")}, {_MORE.format("charge")}, {_COLUMNS}, {_AI}
    FROM usage LEFT JOIN ai_usage USING (request_id) WHERE seq > ? AND at_ns >= ? AND at_ns < ? ORDER BY seq LIMIT ?"""
_FIRST = f"""SELECT COALESCE(MIN(first_seq), (SELECT seq + 1 FROM usage_folded)) FROM usage_hourly
    WHERE hour >= ? / {HOUR_NS}"""
_LAST = "SELECT COALESCE(MAX(seq), 0) FROM usage_rows"
_END = 1 << 62


class Fed(NamedTuple):
    """One row of the feed; money of corrections in nano-dollars, more or less than the record says."""

    seq: int
    row: UsageRow
    ai: AiRecord | None
    corrected_cost: int
    corrected_charge: int


class Feed:
    """The feed of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, seq: int, size: int, since: int = 0, until: int | None = None) -> list[Fed]:
        """At most ``size`` rows behind ``seq`` that arrived in a span (Unix nanoseconds); raises StoreError."""
        try:
            with closing(self._database.connect()) as db:
                begin = max(seq, db.execute(_FIRST, (since,)).fetchone()[0] - 1) if since else seq
                arguments = (begin, since, _END if until is None else until, max(1, min(size, MOST)))
                return list(_read(db, arguments))
        except sqlite3.Error as error:
            raise store_error(error) from error

    def last(self) -> int:
        """The number of the newest row; 0: there is none."""
        try:
            with closing(self._database.connect()) as db:
                return int(db.execute(_LAST).fetchone()[0])
        except sqlite3.Error as error:
            raise store_error(error) from error


def _read(db: sqlite3.Connection, arguments: tuple[int, ...]) -> Iterator[Fed]:
    width = len(UsageRow._fields)
    for seq, cost, charge, *values in db.execute(_ROWS, arguments):
        used = values[width:]
        yield Fed(seq, row(values[:width]), None if used[0] is None else record(used), cost, charge)
