"""The store without threads, for a data directory that is thrown away (``database.THROW_AWAY``): no waiting at all.

In virtual time nothing may wait for a thread: time would have to stand meanwhile, and the order of things would be the
machine's. Nothing else is different: the same SQL by the same code. Who waits for a commit is told at once, and the
rows are gathered into transactions of many, for nobody can lose them; whoever reads has them stored first.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from aimon_local.storage.batch import Batch
from aimon_local.storage.checkpoint import Checkpointer
from aimon_local.storage.database import Database
from aimon_local.storage.writer import WriterThread

_ROWS = 256  # that are gathered


class _NoCheckpoints(Checkpointer):
    """In place of the thread that moves the log: SQLite does so itself, as its default is."""

    pages = 1000

    def __init__(self, database: Database) -> None:
        self.finish = self.running = False

    def nudge(self, rows: int) -> None:
        """Nothing is to be done."""

    def close(self) -> None:
        """Nothing is to be ended."""


class InlineThread(WriterThread):
    """In place of the writing thread."""

    inline = True
    _checkpointer = _NoCheckpoints

    def _start(self) -> None:
        """There is none to start."""
        self._gathered = Batch()
        self._database.settle = self.settle

    async def stop(self) -> None:
        """Store what is left, end the connection."""
        self.settle()
        self._drop()

    def commit_here(self, batch: Batch) -> bool:
        """Take a batch, which is as good as committed."""
        gathered = self._gathered
        gathered.rows += batch.rows
        gathered.ai += batch.ai
        gathered.touched += batch.touched
        gathered.lines += batch.lines
        gathered.asked += batch.asked
        if len(gathered.rows) >= _ROWS:
            self.settle()
        return True

    def settle(self) -> None:
        """Store what was gathered; a fault ends the run, for there is nobody who could put the disk right."""
        batch = self._gathered
        if not batch.rows:
            return
        self._gathered = Batch()
        try:
            self._attempt(batch)
        except BaseException:
            self._gathered = batch
            raise
        self._keep_house(batch)


class InlineConnection:
    """What the storage uses of an aiosqlite connection."""

    def __init__(self, db: sqlite3.Connection, database: Database) -> None:
        self._db, self._database = db, database

    def _begin(self) -> None:
        """Outside of a transaction, read what there is."""
        if not self._db.in_transaction:
            self._database.settle()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> sqlite3.Cursor:
        """One statement."""
        self._begin()
        return self._db.execute(sql, parameters)  # type: ignore[arg-type]

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """One statement for many rows."""
        self._begin()
        return self._db.executemany(sql, parameters)

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[Any]:
        """All rows of one statement."""
        self._begin()
        return self._db.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    async def close(self) -> None:
        """Let it go."""
        self._db.close()
