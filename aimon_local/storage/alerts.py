"""Alerts in SQLite: each once, with what is still to be delivered. Blocking, and short: for a thread."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from aimon_local.model.alert import FIRING, Alert
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

MOST = 1000  # that are listed at once
KEPT = 10_000  # the newest
_COLUMNS = ", ".join(Alert._fields)
_PUT = f"""INSERT OR IGNORE INTO alerts ({_COLUMNS}, delivered)
    VALUES ({", ".join("?" for _ in Alert._fields)}, ?) RETURNING number"""
_PRUNE = f"DELETE FROM alerts WHERE number <= (SELECT MAX(number) FROM alerts) - {KEPT}"
_OPEN = f"""state = '{FIRING}' AND NOT EXISTS (SELECT 1 FROM alerts AS later WHERE later.id = alerts.id
    AND later.state <> alerts.state)"""
_COUNTERS = """SELECT substr(key, 6), unit, expires, value FROM counters
    WHERE key >= 'tier:' AND key < 'tier;' AND unit NOT LIKE 'month/%' AND unit NOT LIKE '%@%' AND unit LIKE '%/%'
    AND expires > ?"""


class AlertTable:
    """The alerts of one database; raises StoreError where it can't be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alerts: Sequence[Alert], delivered: bool) -> list[Alert]:
        """Store alerts, durably; those that were not there before. ``delivered``: nobody waits for them."""
        try:
            with closing(self._database.connect()) as db, db:
                made = [each for each in alerts if db.execute(_PUT, (*each, int(delivered))).fetchall()]
                db.execute(_PRUNE)
                return made
        except sqlite3.Error as error:
            raise store_error(error) from error

    def firing(self) -> list[Alert]:
        """Those that were not resolved, the oldest first."""
        return [alert for _, alert in self._read(f"{_OPEN} ORDER BY number")]

    def listed(self, state: str | None, consumer: str | None, size: int) -> list[Alert]:
        """The newest first; ``state`` firing: those that still do."""
        where = (
            f"(?2 IS NULL OR consumer = ?2) AND (?1 IS NULL OR state = ?1) {'AND ' + _OPEN if state == FIRING else ''}"
        )
        found = self._read(f"{where} ORDER BY number DESC LIMIT ?3", (state, consumer, min(size, MOST)))
        return [alert for _, alert in found]

    def waiting(self, size: int) -> list[tuple[int, Alert]]:
        """Those that are to be delivered, by their numbers."""
        return self._read("delivered = 0 ORDER BY number LIMIT ?", (size,))

    def delivered(self, numbers: Iterable[int]) -> None:
        """These have arrived."""
        try:
            with closing(self._database.connect()) as db, db:
                db.executemany("UPDATE alerts SET delivered = 1 WHERE number = ?", [(each,) for each in numbers])
        except sqlite3.Error as error:
            raise store_error(error) from error

    def counters(self, now_s: int) -> list[tuple[str, str, int, int]]:
        """What is used of calendar limits now: (account's subject, limit's name, Unix seconds of its end, units)."""
        try:
            with closing(self._database.connect()) as db:
                return list(db.execute(_COUNTERS, (now_s,)))
        except sqlite3.Error as error:
            raise store_error(error) from error

    def _read(self, where: str, values: tuple[Any, ...] = ()) -> list[tuple[int, Alert]]:
        try:
            with closing(self._database.connect()) as db:
                rows = db.execute(f"SELECT number, {_COLUMNS} FROM alerts WHERE {where}", values)
                return [(number, Alert(*row)) for number, *row in rows]
        except sqlite3.Error as error:
            raise store_error(error) from error
