"""The store without threads, for a data directory that is thrown away (``database.THROW_AWAY``): no waiting at all.

In virtual time nothing may wait for a thread: time would have to stand meanwhile, and the order of things would be the
machine's. Nothing else is different: the same SQL by the same code.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from aimon_local.storage.batch import Batch
from aimon_local.storage.writer import WriterThread


class InlineThread(WriterThread):
    """In place of the writing thread."""

    inline = True

    def _start(self) -> None:
        """There is none to start."""

    async def stop(self) -> None:
        """End the connections."""
        self._drop()
        self._checkpoints.close()

    def commit_here(self, batch: Batch) -> bool:
        """Commit a batch; a fault ends the run, for there is nobody who could put the disk right."""
        self._attempt(batch)
        self._keep_house(batch)
        return True


class InlineConnection:
    """What the storage uses of an aiosqlite connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> sqlite3.Cursor:
        """One statement."""
        return self._db.execute(sql, parameters)  # type: ignore[arg-type]

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """One statement for many rows."""
        return self._db.executemany(sql, parameters)

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[Any]:
        """All rows of one statement."""
        return self._db.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    async def close(self) -> None:
        """Let it go."""
        self._db.close()
