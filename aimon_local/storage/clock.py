"""How the clock was moved, in SQLite: one row, or none where it is the machine's. Written with the audit log's line."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from aimon_local.clock import Setting
from aimon_local.storage.database import NAME, Database
from aimon_local.storage.faults import store_error

Statement = tuple[str, list[tuple[Any, ...]]]


def stored(database: Database) -> Setting | None:
    """The setting of an open data directory; blocking, and short."""
    try:
        with closing(database.connect()) as db:
            return read(db)
    except sqlite3.Error as error:
        raise store_error(error) from error


def of_directory(directory: Path) -> Setting | None:
    """The same of a directory, whether a gateway runs there or not; None also where nothing can be read."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{directory.absolute().as_uri()}/{NAME}?mode=ro", uri=True)) as db,
    ):
        return read(db)
    return None


def read(db: sqlite3.Connection) -> Setting | None:
    """The same from an open connection."""
    found = db.execute("SELECT real_ns, wall_ns, speed FROM clock").fetchone()
    return None if found is None else Setting(*found)


def put(setting: Setting | None) -> Statement:
    """The statement that stores a setting; None: the machine's time."""
    if setting is None:
        return "DELETE FROM clock WHERE id = ?", [(1,)]
    sql = "INSERT OR REPLACE INTO clock (id, real_ns, wall_ns, speed) VALUES (1, ?, ?, ?)"
    return sql, [(setting.real_ns, setting.wall_ns, setting.speed)]
