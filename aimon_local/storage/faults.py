"""SQLite's errors as our own faults, each with what to do about it. The one place that knows SQLite's codes.

A new code: one line in ``_KINDS``.
"""

import sqlite3

from aimon_local.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull

_DAMAGED = (
    "stop the gateway, move the files aimon-local.db* elsewhere and put a copy back that you trust, or start empty; "
    "what can still be read comes out with: sqlite3 aimon-local.db .recover"
)
_BUSY = "another program holds the database (a shell, a backup, a sync tool): close it; we go on trying"
_KINDS: dict[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, "the database is locked by another program", _BUSY),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "the database is locked by another program", _BUSY),
    sqlite3.SQLITE_FULL: (StoreFull, "no space left for the database", "free some space on its disk; we go on trying"),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, "the database is damaged", _DAMAGED),
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, "the database file is not a database", _DAMAGED),
    sqlite3.SQLITE_READONLY: (StoreError, "the database can't be written", "make its files and folder writable"),
    sqlite3.SQLITE_PERM: (StoreError, "the database can't be accessed", "make its files and folder writable"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "the database can't be opened", "is its folder there and writable?"),
    sqlite3.SQLITE_IOERR: (StoreError, "the disk failed under the database", "look at the disk and the system's log"),
    sqlite3.SQLITE_CONSTRAINT: (
        StoreError,
        "the database refused what the gateway's own checks had allowed",
        "this is a fault of the program: please report it; a restart reads the state back from the database",
    ),
}
_OTHER = (StoreError, "the database failed", "look at the message; a restart may help")


def store_error(error: Exception) -> StoreError:
    """The fault that stands for an error of SQLite (or of its Python module) met in storage."""
    if isinstance(error, StoreError):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    kind, what, hint = _OTHER if code is None else _KINDS.get(code & 0xFF, _OTHER)
    return kind(f"{what} ({error})", hint)
