"""Checkpoints beside the hot path: moves the write-ahead log into the database on a thread and connection of its own.

Under steady load a checkpoint from here never catches up with the last few commits, and SQLite starts the log over
only when nothing in it is left to move. So when the log has grown, ``finish`` asks the writer, which between two
commits has the log to itself, to move the short rest. Without writes nothing wakes up here.
"""

import os
import sqlite3
import threading

from aimon_local.storage.database import Database

PAUSE = 0.5  # seconds from the first commit after a checkpoint to the next
HURRY = 2048  # pages (8 MiB) after which it comes at once, by a rough count
SMALL = 1 << 20  # bytes of log that may stay: moving them costs two syncs, reading them at a start next to nothing
LARGE = 4096  # pages (16 MiB) from which the writer is asked


class Checkpointer:
    """``nudge`` after each commit. ``finish`` is set while the writer should checkpoint once itself, and clears it."""

    pages = 0  # of log after which SQLite moves it within a commit; 0: never

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = f"{database.path}-wal"
        self._work = threading.Event()
        self._stop = threading.Event()
        self._hurry = threading.Event()  # or the stop: both end a pause
        self._pages = 0
        self.finish = False
        self.running = False  # the log is being moved: a commit may wait for the disk meanwhile
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def nudge(self, rows: int) -> None:
        """A batch of so many rows was committed."""
        if not self._work.is_set():
            self._work.set()
        self._pages += 4 + rows // 4
        if self._pages >= HURRY:
            self._pages = 0
            self._hurry.set()

    def close(self) -> None:
        """End the thread; waits for a checkpoint under way."""
        self._stop.set()
        self._work.set()
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        while True:
            self._work.wait()
            self._hurry.wait(PAUSE)
            if self._stop.is_set():
                break
            self._hurry.clear()
            self._work.clear()
            try:
                db = db or self._database.connect()
                self._checkpoint(db)
            except (sqlite3.Error, OSError):
                # The writer meets the same trouble and reports it; here it is tried again after the next commit.
                _close(db)
                db = None
        _close(db)

    def _checkpoint(self, db: sqlite3.Connection) -> None:
        if os.stat(self._log).st_size < SMALL:
            return
        self.running = True
        try:
            _, pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            self.running = False
        if pages >= LARGE:
            self.finish = True


def _close(db: sqlite3.Connection | None) -> None:
    if db is not None:
        db.close()
