"""One batch of the ledger and its transaction: usage rows and the newest counters. Plain sqlite3, no threads.

A batch is whole or absent, and ``seq`` grows by one with each row, so ``last_seq`` tells after any doubt whether a
batch went in: a batch is never counted twice. What repeats from row to row (who, where, how decided) is stored once
and numbered (``Parties``): a row is a third of the size, and two thirds of the time.
A new column of ``UsageRow``: a migration, ``ROW_COLUMNS`` (the hash chain covers these) and ``Parties.lay``.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, cast

from aimon_local.errors import StoreError
from aimon_local.model.ai import AiRecord
from aimon_local.model.approval import Question
from aimon_local.model.audit import AuditEntry
from aimon_local.model.usage import Counted, CounterChange, Touched, UsageRow
from aimon_local.storage.chain import Chain
from aimon_local.storage.span import HOUR_NS
from aimon_local.storage.spend import FOLD as FOLD_SPEND

Then = Callable[[StoreError | None], None]
Beside = Callable[[sqlite3.Connection], None]

ROW_COLUMNS = (
    *("request_id", "at_ns", "party", "method", "status", "complete"),
    *("upstream_status", "gateway_us", "upstream_us", "total_us", "bytes_in", "bytes_out", "shift_ns"),
)
_PARTY_COLUMNS = (
    *("consumer_id", "consumer", "credential_id", "tier", "route_id", "service_id", "decision", "deny_reason"),
)
_ROW = f"""INSERT INTO usage_rows ({", ".join(ROW_COLUMNS)}, chain)
    VALUES ({", ".join("?" for _ in ROW_COLUMNS)}, ?)"""
_PARTY = f"""INSERT INTO usage_parties ({", ".join(_PARTY_COLUMNS)})
    VALUES ({", ".join("?" for _ in _PARTY_COLUMNS)}) ON CONFLICT DO NOTHING"""
_PARTY_ID = f"SELECT id FROM usage_parties WHERE {' AND '.join(f'{name} = ?' for name in _PARTY_COLUMNS)}"
_COUNTER = """INSERT INTO counters (key, unit, start, value, expires) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET start = excluded.start, value = excluded.value, expires = excluded.expires"""
_AI = f"""INSERT INTO ai_usage (request_id, {", ".join(AiRecord._fields)})
    VALUES (?, {", ".join("?" for _ in AiRecord._fields)}) ON CONFLICT DO NOTHING"""
_FOLD = f"""INSERT INTO usage_hourly
    SELECT party, at_ns / {HOUR_NS}, status, COUNT(*), SUM(NOT complete), SUM(bytes_in), SUM(bytes_out),
        SUM(gateway_us), SUM(total_us), MIN(seq), MAX(seq)
    FROM usage_rows WHERE seq > (SELECT seq FROM usage_folded) AND seq <= :last GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, incomplete = incomplete + excluded.incomplete,
    bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out,
    gateway_us = gateway_us + excluded.gateway_us, total_us = total_us + excluded.total_us,
    first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)"""
_MENDED = (ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.IntegrityError)
_KINDS = UsageRow.__annotations__
_OPTIONAL = frozenset(name for name, kind in _KINDS.items() if "None" in str(kind))
_TEXTS = frozenset(name for name, kind in _KINDS.items() if kind is str or kind == str | None)
_MOST_PARTIES = 20_000  # numbers that are remembered at once
_MOST = 1 << 48  # of a mended number: so large that it is absurd, so small that sums of it stay within 64 bits


class Batch:
    """What gathered while the last batch was committed: rows, changes of counters, who waits for the commit."""

    __slots__ = ("ai", "asked", "lines", "rows", "thens", "touched")

    def __init__(self) -> None:
        self.rows: list[UsageRow] = []
        self.ai: list[tuple[str, AiRecord]] = []  # with the request's id
        self.touched: list[Touched] = []
        self.lines: list[AuditEntry] = []  # of the audit log
        self.asked: list[Question] = []  # of soft limits
        self.thens: list[Then] = []

    def read_counters(self) -> None:
        """Have what the rows counted on tell its counters, each once; on the loop, where they are changed."""
        seen: dict[int, Counted] = {}
        rows: list[Touched] = []
        for each in self.touched:
            if type(each) is CounterChange:
                rows.append(each)
            else:
                seen[id(each)] = cast(Counted, each)
        for counted in seen.values():
            rows += counted.changes()
        self.touched = rows


class Parties:
    """The numbers of ``usage_parties``, remembered. A party is stored before the batch that names it first."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, ...], int] = {}

    def lay(self, db: sqlite3.Connection, rows: Sequence[UsageRow]) -> list[tuple[Any, ...]]:
        """The rows in the order of ``ROW_COLUMNS``; by place, since this is the loop that each request pays for."""
        known, out = self._known, []
        for row in rows:
            key = row[2:8] + row[10:12]
            party = known.get(key) or self._number(db, key)
            out.append((row[0], row[1], party, row[8], row[9], 1 if row[12] else 0, *row[13:]))
        return out

    def _number(self, db: sqlite3.Connection, key: tuple[str | None, ...]) -> int:
        if len(self._known) >= _MOST_PARTIES:
            self._known.clear()
        values = tuple(part or "" for part in key)
        found = db.execute(_PARTY_ID, values).fetchone()
        if found is None:
            db.execute(_PARTY, values)
            found = db.execute(_PARTY_ID, values).fetchone()
        number: int = found[0]
        self._known[key] = number
        return number


def last_seq(db: sqlite3.Connection) -> int:
    """The number of the newest row; 0 in an empty ledger."""
    found: int | None = db.execute("SELECT max(seq) FROM usage_rows").fetchone()[0]
    return found or 0


def commit(
    db: sqlite3.Connection,
    batch: Batch,
    last: int,
    parties: Parties,
    chain: Chain | None = None,
    beside: Beside | None = None,
) -> int:
    """Store a batch behind the row ``last`` and return the new last one. sqlite3.Error: nothing of it is stored.

    A request id that is in the ledger already is left out. A value that SQLite can't take (half a surrogate pair, a
    number beyond 64 bits) is put into a form that it can: better a row with an escaped name than no row. ``beside``
    is called within the transaction: what else belongs to these rows.
    """
    rows = batch.rows
    touched = cast(list[CounterChange], batch.touched)  # ``read_counters`` has seen to it
    counters = list({(change[0], change[1]): change for change in touched}.values())
    try:
        _store(db, rows, counters, [_ai_row(*each) for each in batch.ai], parties, chain, beside)
    except _MENDED:
        rows = _new_rows(db, [_mended(row) for row in rows])
        new = {row.request_id for row in rows}
        ai = [tuple(map(_fits, _ai_row(*each))) for each in batch.ai]
        ai = [each for each in ai if each[0] in new]
        _store(db, rows, [_mended_counter(change) for change in counters], ai, parties, chain, beside)
    return last + len(rows)


def fold(db: sqlite3.Connection, last: int) -> None:
    """Add the rows up to ``last`` to the hourly sums, each row once."""
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute(_FOLD, {"last": last})
        db.execute(FOLD_SPEND, {"last": last})
        db.execute("UPDATE usage_folded SET seq = max(seq, ?)", (last,))
        db.execute("COMMIT")
    except BaseException:
        _leave(db)
        raise


def forget(db: sqlite3.Connection, before: int) -> None:
    """Delete the counters whose windows ended at or before ``before`` (Unix seconds)."""
    db.execute("DELETE FROM counters WHERE expires <= ?", (before,))


def _store(
    db: sqlite3.Connection,
    rows: list[UsageRow],
    counters: Sequence[CounterChange],
    ai: list[tuple[Any, ...]],
    parties: Parties,
    chain: Chain | None,
    beside: Beside | None,
) -> None:
    laid = parties.lay(db, rows)
    if chain is None:
        return _write(db, [(*line, None) for line in laid], counters, ai, beside)
    used = {each[0]: each[1:] for each in reversed(ai)}  # of two with one id the first is stored
    links = chain.links(laid, used, lambda at: rows[at][2:8] + rows[at][10:12])
    _write(db, [(*line, link) for line, link in zip(laid, links, strict=True)], counters, ai, beside)
    if links:
        chain.head = links[-1]
    return None


def _write(
    db: sqlite3.Connection,
    rows: list[tuple[Any, ...]],
    counters: Sequence[CounterChange],
    ai: Sequence[tuple[Any, ...]],
    beside: Beside | None,
) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(_ROW, rows)
        if counters:
            db.executemany(_COUNTER, counters)
        if ai:
            db.executemany(_AI, ai)
        if beside is not None:
            beside(db)
        db.execute("COMMIT")
    except BaseException:
        _leave(db)
        raise


def _leave(db: sqlite3.Connection) -> None:
    """Undo what a transaction did, unless SQLite has done so already (full disk, I/O error)."""
    if db.in_transaction:
        db.execute("ROLLBACK")


def _new_rows(db: sqlite3.Connection, rows: list[UsageRow]) -> list[UsageRow]:
    """The rows whose request id is not stored yet, each once."""
    by_id = {row.request_id: row for row in reversed(rows)}
    known = "SELECT 1 FROM usage_rows WHERE request_id = ?"
    return [row for row in reversed(by_id.values()) if db.execute(known, (row.request_id,)).fetchone() is None]


def _ai_row(request_id: str, record: AiRecord) -> tuple[Any, ...]:
    """In the order of the table's columns, as they come back: lists become words, a yes 1."""
    return (request_id, *(" ".join(v) if type(v) is tuple else +v if type(v) is bool else v for v in record))


def _fits(value: Any) -> Any:
    """A value that SQLite takes, whatever it was."""
    if value is None:
        return None
    return _integer(value, _MOST) if isinstance(value, int | float) else _text(value)


def _mended(row: UsageRow) -> UsageRow:
    return UsageRow(*(_fit(name, value) for name, value in zip(UsageRow._fields, row, strict=True)))


def _fit(name: str, value: Any) -> Any:
    if value is None and name in _OPTIONAL:
        return None
    if name in _TEXTS:
        return _text(value)
    return _integer(value, (1 << 63) - 1 if name == "at_ns" else _MOST)


def _mended_counter(change: CounterChange) -> CounterChange:
    key, unit, start, value, expires = change
    return CounterChange(_text(key), _text(unit), _integer(start), _integer(value), _integer(expires))


def _text(value: Any) -> str:
    return ("" if value is None else str(value)).encode("utf-8", "backslashreplace").decode()


def _integer(value: Any, most: int = (1 << 63) - 1) -> int:
    try:
        return max(-most, min(int(value), most))
    except (TypeError, ValueError, OverflowError):
        return 0
