"""Does it all add up? Recounts from single rows what is kept as sums and counters, and walks along the hash chain.

Reads a data directory on a connection of its own that can't write, so a running gateway doesn't have to stop: sums and
counters are seen in one state of the ledger, the chain after that in chunks, so that the write-ahead log is not held
back by it. Integers alone. To add a check: a function that yields ``Check``s, and its line in ``_CHECKS``.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aimon_local.storage import recount
from aimon_local.storage.audit import walk_audit
from aimon_local.storage.batch import ROW_COLUMNS
from aimon_local.storage.chain import walk
from aimon_local.storage.corrections import walk_corrections
from aimon_local.storage.database import NAME
from aimon_local.storage.faults import store_error
from aimon_local.storage.secret import NAME as SECRET
from aimon_local.storage.span import HOUR_NS
from aimon_local.storage.spend import ROW_SUMS, SUMS, spend_sql

_FOLDED = "seq <= (SELECT seq FROM usage_folded)"
_MODELS = """SELECT model, COUNT(*), SUM(input + cache_read + cache_write), SUM(output + reasoning)
    FROM usage_rows JOIN ai_usage USING (request_id) WHERE source != 'none' AND at_ns >= ? GROUP BY 1"""
_CORRECTED = """SELECT consumer, SUM(cost), SUM(charge) FROM ai_corrections
    JOIN usage_parties ON usage_parties.id = party WHERE decision = 'allow' GROUP BY 1"""
_STRAY = """SELECT COUNT(*) FROM ai_corrections AS c WHERE NOT EXISTS (
    SELECT 1 FROM usage_rows JOIN ai_usage USING (request_id) WHERE usage_rows.request_id = c.request_id
    AND at_ns = c.call_ns AND usage_rows.party = c.party AND ai_usage.model = c.model)"""
_NAMED = 3  # differences that are named


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison."""

    name: str
    good: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks; and per model the answered calls, prompt tokens and output tokens, to compare with an upstream's."""

    checks: list[Check]
    models: dict[str, list[int]]


def verify(directory: Path, now_ns: int, since_ns: int = 0) -> Verdict:
    """All checks of a data directory; StoreError where it can't be read.

    ``now_ns`` says which windows run, ``since_ns`` from when on models are counted; both are Unix nanoseconds.
    """
    try:
        with closing(_open(directory)) as db:
            db.execute("BEGIN")
            found = [check for checks in _CHECKS for check in checks(db, now_ns // 1_000_000_000)]
            models = {model: sums for model, *sums in db.execute(_MODELS, (since_ns,))}
            last = db.execute("SELECT COALESCE(MAX(seq), 0) FROM usage_rows").fetchone()[0]
            db.execute("COMMIT")
            return Verdict([*found, *_chains(db, directory, last)], models)
    except sqlite3.Error as error:
        raise store_error(error) from error


def _open(directory: Path) -> sqlite3.Connection:
    path = directory / NAME
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _whole(db: sqlite3.Connection, _: int) -> Iterator[Check]:
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    yield Check("database", verdict == "ok", f"quick_check says {verdict}")


def _numbers(db: sqlite3.Connection, _: int) -> Iterator[Check]:
    """Rows are numbered without a gap: none was taken out."""
    count, last = db.execute("SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM usage_rows").fetchone()
    folded = db.execute("SELECT seq FROM usage_folded").fetchone()[0]
    good = count == last and last >= folded
    yield Check(
        "rows", good, f"{count} rows, the last has the number {last}; up to {folded} they are in the hourly sums"
    )


def _hours(db: sqlite3.Connection, _: int) -> Iterator[Check]:
    """Hourly sums are those of the rows that were folded in, line by line."""
    yield _lines(
        db,
        "hourly sums",
        """SELECT party, hour, status, requests, incomplete, bytes_in, bytes_out, gateway_us, total_us, first_seq,
            last_seq FROM usage_hourly""",
        f"""SELECT party, at_ns / {HOUR_NS}, status, COUNT(*), SUM(NOT complete), SUM(bytes_in), SUM(bytes_out),
            SUM(gateway_us), SUM(total_us), MIN(seq), MAX(seq) FROM usage_rows WHERE {_FOLDED} GROUP BY 1, 2, 3""",
        "SELECT COALESCE(SUM(requests), 0) FROM usage_hourly",
    )
    yield _lines(
        db,
        "hourly sums of AI calls",
        f"SELECT party, hour, model, {', '.join(SUMS)} FROM ai_hourly",
        f"""SELECT party, at_ns / {HOUR_NS}, model, {ROW_SUMS}
            FROM usage_rows JOIN ai_usage USING (request_id) WHERE {_FOLDED} GROUP BY 1, 2, 3""",
        "SELECT COALESCE(SUM(calls), 0) FROM ai_hourly",
    )


def _lines(db: sqlite3.Connection, name: str, kept: str, counted: str, total: str) -> Check:
    """Two tables that are to be the same, each line of them."""
    lines = db.execute(f"SELECT COUNT(*) FROM ({kept})").fetchone()[0]
    over = db.execute(f"{kept} EXCEPT {counted}").fetchall()
    under = db.execute(f"{counted} EXCEPT {kept}").fetchall()
    if not over and not under:
        return Check(name, True, f"{db.execute(total).fetchone()[0]} requests in {lines} lines")
    return Check(name, False, f"kept {over[:_NAMED]}, counted {under[:_NAMED]}")


def _orphans(db: sqlite3.Connection, _: int) -> Iterator[Check]:
    calls, found = db.execute(
        "SELECT COUNT(*), COALESCE(SUM(request_id NOT IN (SELECT request_id FROM usage_rows)), 0) FROM ai_usage"
    ).fetchone()
    yield Check("AI calls have their requests", found == 0, f"{calls} calls, {found} without a request")


def _consumers(db: sqlite3.Connection, _: int) -> Iterator[Check]:
    """What ``/usage/ai`` says of each consumer is the plain sum of its rows."""
    plain: dict[str, tuple[Any, ...]] = {
        who: tuple(each)
        for who, *each in db.execute(
            f"""SELECT consumer, {ROW_SUMS} FROM usage_rows JOIN ai_usage USING (request_id)
            JOIN usage_parties ON usage_parties.id = party WHERE decision = 'allow' GROUP BY 1"""
        )
    }
    for who, cost, charge in db.execute(_CORRECTED):
        each = dict(zip(SUMS, plain.get(who, (0,) * len(SUMS)), strict=True))
        plain[who] = (*(each | {"cost": each["cost"] + cost, "charge": each["charge"] + charge}).values(),)
    told = {who: tuple(each) for who, *each in db.execute(*spend_sql(None, None, None, "consumer"))}
    wrong = [
        f"{who}: told {told.get(who)}, rows {plain.get(who)}"
        for who in {*told, *plain}
        if told.get(who) != plain.get(who)
    ]
    parts = [sum(column) for column in zip(*plain.values(), strict=True)] or [0] * len(SUMS)
    total = dict(zip(SUMS, parts, strict=True))
    said = (
        f"{len(plain)} consumers, {total['calls']} calls, cost {total['cost']}, charge {total['charge']} nano-dollars"
    )
    yield Check("AI usage by consumer", not wrong, "; ".join(wrong[:_NAMED]) or said)


def _counters(db: sqlite3.Connection, now: int) -> Iterator[Check]:
    for name, count in (
        ("billing months", recount.months),
        ("limits of tiers", recount.limits),
        ("windows of rate-limiting", recount.rates),
    ):
        found = count(db, now)
        untold = f", {found.untold} that rows can't tell" if found.untold else ""
        detail = "; ".join(found.differ[:_NAMED]) or f"{found.agree} counters{untold}"
        yield Check(name, not found.differ, detail)


def _chains(db: sqlite3.Connection, directory: Path, last: int) -> Iterator[Check]:
    try:
        secret = (directory / SECRET).read_bytes()
    except OSError as error:
        yield Check("chain", False, f"can't be walked without the install's secret ({error.strerror})")
        return
    yield _chain(db, secret, last)
    found, stray = walk_corrections(db, secret), db.execute(_STRAY).fetchone()[0]
    broken = f", number {found.broken.seq} does not fit" if found.broken else ""
    detail = f"{found.rows} corrections, {stray} of no call{broken}"
    yield Check("corrections", not stray and found.broken is None, detail)
    yield _audit(db, secret)


def _audit(db: sqlite3.Connection, secret: bytes) -> Check:
    found, whole = walk_audit(db, secret)
    if found.broken is not None:
        detail = f"line {found.broken.seq} does not fit the one before it or itself; {found.rows} lines before it fit"
    else:
        missed = "" if whole else "; lines behind it were taken away, or the seal was"
        detail = f"{found.rows} lines, the newest hash is {found.head}{missed}"
    return Check("audit log", whole and found.broken is None, detail)


def _chain(db: sqlite3.Connection, secret: bytes, last: int) -> Check:
    """Each row's hash fits."""
    found = walk(db, secret, ROW_COLUMNS, last)
    older = f"; {found.start} rows are older than the chain" if found.start else ""
    if found.broken is None:
        return Check("chain", True, f"{found.rows} rows, the newest hash is {found.head}{older}")
    broken = f"row {found.broken.seq} (request {found.broken.request_id}) does not fit the row before it or itself"
    return Check("chain", False, f"{broken}; {found.rows} rows before it fit{older}")


_CHECKS: tuple[Callable[[sqlite3.Connection, int], Iterator[Check]], ...] = (
    *(_whole, _numbers, _hours, _orphans, _consumers, _counters),
)
