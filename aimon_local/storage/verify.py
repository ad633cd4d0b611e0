"""Does it all add up? Reads a data directory in one transaction, so a running gateway doesn't have to stop.

Each check recounts from single rows what is kept as sums, and says both numbers. To add a check: a function that yields
``Check``s, and its line in ``_CHECKS``.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aimon_local.storage.database import NAME
from aimon_local.storage.faults import store_error
from aimon_local.storage.span import HOUR_NS
from aimon_local.storage.spend import SUMS

_NS = 1_000_000_000
_MONTH = {
    "month/requests": "COUNT(*)",
    "month/input_tokens": "SUM(input + cache_read + cache_write)",
    "month/output_tokens": "SUM(output + reasoning)",
    "month/cost": "SUM(cost)",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison."""

    name: str
    good: bool
    detail: str


def verify(directory: Path) -> list[Check]:
    """All checks of a data directory; StoreError where it can't be read."""
    path = directory / NAME
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            database.execute("BEGIN")
            return [check for checks in _CHECKS for check in checks(database)]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise store_error(error) from error


def _whole(db: sqlite3.Connection) -> Iterator[Check]:
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    yield Check("database", verdict == "ok", f"quick_check says {verdict}")


def _chain(db: sqlite3.Connection) -> Iterator[Check]:
    """Rows are numbered without a gap: none was taken out."""
    count, last = db.execute("SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM usage_rows").fetchone()
    yield Check("rows", count == last, f"{count} rows, the last has the number {last}")


def _hours(db: sqlite3.Connection) -> Iterator[Check]:
    """Hourly sums are those of the rows that were folded in."""
    sums = "SUM(requests), SUM(bytes_in), SUM(bytes_out), SUM(total_us)"
    kept = db.execute(f"SELECT {sums} FROM usage_hourly").fetchone()
    counted = db.execute(
        """SELECT COUNT(*), SUM(bytes_in), SUM(bytes_out), SUM(total_us) FROM usage_rows
        WHERE seq <= (SELECT seq FROM usage_folded)"""
    ).fetchone()
    yield _same("hourly sums", _zeros(kept), _zeros(counted))
    values = {"calls": "COUNT(*)", "estimated": "SUM(source = 'estimated')"}
    kept = db.execute(f"SELECT {', '.join(f'SUM({name})' for name in SUMS)} FROM ai_hourly").fetchone()
    counted = db.execute(
        f"""SELECT {", ".join(values.get(name, f"SUM(ai_usage.{name})") for name in SUMS)}
        FROM usage_rows JOIN ai_usage USING (request_id) WHERE seq <= (SELECT seq FROM usage_folded)"""
    ).fetchone()
    yield _same("hourly sums of AI calls", _zeros(kept), _zeros(counted))


def _orphans(db: sqlite3.Connection) -> Iterator[Check]:
    found = db.execute(
        "SELECT COUNT(*) FROM ai_usage WHERE request_id NOT IN (SELECT request_id FROM usage_rows)"
    ).fetchone()[0]
    yield Check("AI calls have their requests", found == 0, f"{found} without one")


def _months(db: sqlite3.Connection) -> Iterator[Check]:
    """Each consumer's billing month: the counters are the sums of its calls."""
    rows = db.execute(
        "SELECT key, unit, start, expires, value FROM counters WHERE key LIKE 'tier:%' AND unit LIKE 'month/%'"
    ).fetchall()
    wrong = []
    for key, unit, start, end, value in rows:
        counted = db.execute(
            f"""SELECT {_MONTH[unit]} FROM usage_rows JOIN ai_usage USING (request_id)
            JOIN usage_parties ON usage_parties.id = party WHERE consumer_id = ? AND at_ns >= ? AND at_ns < ?
            AND decision = 'allow' AND ' ' || flags || ' ' NOT LIKE '% released %'
            AND seq >= (SELECT COALESCE(MIN(first_seq), 0) FROM usage_hourly WHERE hour >= ?)""",
            (key.partition(":")[2], start * _NS, end * _NS, start * _NS // HOUR_NS),
        ).fetchone()[0]
        if (counted or 0) != value:
            wrong.append(f"{key} {unit}: counter {value}, ledger {counted or 0}")
    yield Check("counters = ledger", not wrong, "; ".join(wrong) or f"{len(rows)} monthly counters")


def _zeros(row: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(value or 0 for value in row)


def _same(name: str, kept: tuple[int, ...], counted: tuple[int, ...]) -> Check:
    return Check(name, kept == counted, f"kept {kept}, counted {counted}" if kept != counted else f"{kept[0]} rows")


_CHECKS: tuple[Callable[[sqlite3.Connection], Iterator[Check]], ...] = (_whole, _chain, _hours, _orphans, _months)


def ai_totals(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Per model: answered calls, prompt tokens, output tokens, by the ledger; for comparison with an upstream."""
    database = sqlite3.connect(f"{(directory / NAME).absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = database.execute(
            """SELECT model, COUNT(*), SUM(input + cache_read + cache_write), SUM(output + reasoning) FROM ai_usage
            WHERE source != 'none' AND complete GROUP BY 1"""
        ).fetchall()
    except sqlite3.Error as error:
        raise store_error(error) from error
    finally:
        database.close()
    return {model: (calls, into, out) for model, calls, into, out in rows}
