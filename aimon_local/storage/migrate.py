"""Brings a database to the program's schema: the numbered files of ``migrations/``, each in one transaction.

``PRAGMA user_version`` says which was the last. A change of the schema is a new file with the next number; a file
that was released is never edited. A database that is newer than the program is refused, not guessed at.
"""

import sqlite3
from importlib import resources

from aimon_local.errors import StartError


def migrations() -> list[tuple[int, str]]:
    """All migrations as (number, SQL text), in order."""
    folder = resources.files("aimon_local.storage") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.split("_", 1)[0]), f.read_text(encoding="utf-8")) for f in files]


def migrate(db: sqlite3.Connection) -> bool:
    """Apply what is missing; True if the database was new. ``db`` must be in autocommit (isolation_level None)."""
    known = migrations()
    newest = known[-1][0]
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    if found > newest:
        raise StartError(
            f"the database was written by a newer aimon-local (schema {found}, this program knows {newest})",
            "update aimon-local, or choose another data directory with --data",
        )
    for number, text in known:
        if number > found:
            _apply(db, number, text)
    return found == 0


def _apply(db: sqlite3.Connection, number: int, text: str) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
