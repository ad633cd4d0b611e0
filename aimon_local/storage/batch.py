"""One batch of the ledger and its transaction: rows, their hourly sums, the newest counters. Plain sqlite3, no threads.

A batch is whole or absent, and ``usage.seq`` grows by one with each row, so ``last_seq`` tells after any doubt
whether a batch went in: a batch is never counted twice. A new column of ``UsageRow``: a migration, ``UsageRow``.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aimon_local.errors import StoreError
from aimon_local.model.usage import CounterChange, UsageRow

HOUR_NS = 3_600_000_000_000
Then = Callable[[StoreError | None], None]

_ROW = f"""INSERT INTO usage ({", ".join(UsageRow._fields)})
    VALUES ({", ".join("?" for _ in UsageRow._fields)})"""
_SUM = """INSERT INTO usage_hourly VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, incomplete = incomplete + excluded.incomplete,
    bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out,
    gateway_us = gateway_us + excluded.gateway_us, total_us = total_us + excluded.total_us,
    first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)"""
_COUNTER = """INSERT INTO counters (key, unit, start, value, expires) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET start = excluded.start, value = excluded.value, expires = excluded.expires"""
_FORGET = "DELETE FROM counters WHERE expires <= ?"
_MENDED = (ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.IntegrityError)
_INTEGERS = frozenset(
    name for name, kind in UsageRow.__annotations__.items() if kind in (int, bool, "int", "bool", int | None)
)
_OPTIONAL = frozenset(name for name, kind in UsageRow.__annotations__.items() if "None" in str(kind))


class Batch:
    """What gathered while the last batch was committed: rows, changes of counters, who waits for the commit."""

    __slots__ = ("rows", "thens", "touched")

    def __init__(self) -> None:
        self.rows: list[UsageRow] = []
        self.touched: list[CounterChange] = []
        self.thens: list[Then] = []


def last_seq(db: sqlite3.Connection) -> int:
    """The number of the newest row; 0 in an empty ledger."""
    found: int | None = db.execute("SELECT max(seq) FROM usage").fetchone()[0]
    return found or 0


def commit(db: sqlite3.Connection, batch: Batch, last: int) -> int:
    """Store a batch behind the row ``last`` and return the new last one. sqlite3.Error: nothing of it is stored.

    A request id that is in the ledger already is left out. A value that SQLite can't take (half a surrogate pair, a
    number beyond 64 bits) is put into a form that it can: better a row with an escaped name than no row.
    """
    rows = batch.rows
    counters = list({(change[0], change[1]): change for change in batch.touched}.values())
    try:
        _write(db, rows, counters, last)
    except _MENDED:
        rows = _new_rows(db, [_mended(row) for row in rows])
        _write(db, rows, [_mended_counter(change) for change in counters], last)
    return last + len(rows)


def forget(db: sqlite3.Connection, before: int) -> None:
    """Delete the counters whose windows ended at or before ``before`` (Unix seconds)."""
    db.execute(_FORGET, (before,))


def _write(db: sqlite3.Connection, rows: Sequence[UsageRow], counters: Sequence[CounterChange], last: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(_ROW, rows)
        db.executemany(_SUM, sums(rows, last))
        if counters:
            db.executemany(_COUNTER, counters)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite may have left it already: full disk, I/O error
            db.execute("ROLLBACK")
        raise


def sums(rows: Iterable[UsageRow], last: int) -> list[tuple[Any, ...]]:
    """The rows added up, one line of ``usage_hourly`` for each of its keys. ``last``: the row before the first."""
    out: dict[tuple[Any, ...], list[int]] = {}
    seq = last
    for row in rows:
        seq += 1
        _, at, consumer_id, consumer, _, tier, route, service, _, status, decision, reason = row[:12]
        complete, _, gateway_us, _, total_us, bytes_in, bytes_out = row[12:]
        key = (consumer_id, at // HOUR_NS, consumer, tier, route, service, decision, reason, status)
        line = out.get(key)
        if line is None:
            out[key] = [1, not complete, bytes_in, bytes_out, gateway_us, total_us, seq, seq]
            continue
        line[0] += 1
        line[1] += not complete
        line[2] += bytes_in
        line[3] += bytes_out
        line[4] += gateway_us
        line[5] += total_us
        line[7] = seq
    return [(*("" if part is None else part for part in key), *line) for key, line in out.items()]


def _new_rows(db: sqlite3.Connection, rows: list[UsageRow]) -> list[UsageRow]:
    """The rows whose request id is not stored yet, each once."""
    by_id = {row.request_id: row for row in reversed(rows)}
    known = "SELECT 1 FROM usage WHERE request_id = ?"
    return [row for row in reversed(by_id.values()) if db.execute(known, (row.request_id,)).fetchone() is None]


def _mended(row: UsageRow) -> UsageRow:
    return UsageRow(*(_fit(name, value) for name, value in zip(UsageRow._fields, row, strict=True)))


def _fit(name: str, value: Any) -> Any:
    if value is None and name in _OPTIONAL:
        return None
    return _integer(value) if name in _INTEGERS else _text(value)


def _mended_counter(change: CounterChange) -> CounterChange:
    key, unit, start, value, expires = change
    return CounterChange(_text(key), _text(unit), _integer(start), _integer(value), _integer(expires))


def _text(value: Any) -> str:
    return ("" if value is None else str(value)).encode("utf-8", "backslashreplace").decode()


def _integer(value: Any) -> int:
    try:
        return max(-(2**63), min(int(value), 2**63 - 1))
    except (TypeError, ValueError, OverflowError):
        return 0
