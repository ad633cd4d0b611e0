"""Questions and their answers in SQLite: put with the row of the call that asked, or with the audit log's line."""

import sqlite3
from contextlib import closing
from typing import Any

from aimon_local.model.approval import Question
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

_COLUMNS = ", ".join(Question._fields)
PUT = f"""INSERT OR REPLACE INTO approvals ({_COLUMNS}) VALUES ({", ".join("?" for _ in Question._fields)})"""
MOST = 1000  # that are listed at once


def living(database: Database, now_ns: int) -> list[Question]:
    """Those whose end is not over, the oldest first; blocking, and short."""
    return _read(database, "ends_ns > ? ORDER BY at_ns", (now_ns,))


def listed(database: Database, state: str | None, consumer: str | None, size: int) -> list[Question]:
    """The newest first; blocking."""
    where = "(?1 IS NULL OR state = ?1) AND (?2 IS NULL OR consumer = ?2) ORDER BY at_ns DESC LIMIT ?3"
    return _read(database, where, (state, consumer, min(size, MOST)))


def one(database: Database, id_: str) -> Question | None:
    """The question of an id; blocking."""
    return next(iter(_read(database, "id = ?", (id_,))), None)


def _read(database: Database, where: str, values: tuple[Any, ...]) -> list[Question]:
    try:
        with closing(database.connect()) as db:
            return [Question(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM approvals WHERE {where}", values)]
    except sqlite3.Error as error:
        raise store_error(error) from error
