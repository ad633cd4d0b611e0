"""How far readers of the feed have come: one number each, kept over restarts. Blocking: for a thread."""

import sqlite3
from contextlib import closing

from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

_READ = "SELECT seq FROM push_cursors WHERE sink = ?"
_WRITE = "INSERT INTO push_cursors (sink, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq"


class Cursors:
    """The cursors of one database; raises StoreError where it can't be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, sink: str) -> int:
        """The number of the last row that a sink has taken; 0: none."""
        try:
            with closing(self._database.connect()) as db:
                found = db.execute(_READ, (sink,)).fetchone()
                return 0 if found is None else int(found[0])
        except sqlite3.Error as error:
            raise store_error(error) from error

    def write(self, sink: str, seq: int) -> None:
        """Remember it, durably."""
        try:
            with closing(self._database.connect()) as db, db:
                db.execute(_WRITE, (sink, seq))
        except sqlite3.Error as error:
            raise store_error(error) from error
