"""The data directory: lock, database file, secret. Opens them at the start and gives connections to the others.

``Database.open`` is the only blocking work of this room on the event loop's thread, and only at the start. It changes
nothing that is damaged: it says what is wrong and leaves the files as they are. The directory must be on a local
disk: WAL needs shared memory, which network file systems lack.
"""

import os
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aiosqlite

from aimon_local.errors import StartError
from aimon_local.storage.faults import store_error
from aimon_local.storage.lock import DirectoryLock
from aimon_local.storage.migrate import migrate
from aimon_local.storage.secret import fingerprint, load_secret
from aimon_local.storage.wal import committed_frames, lost

NAME = "aimon-local.db"
CACHE_KIB = 512  # of pages, per connection: what is written and asked is the newest, and the system keeps the rest
WAL_LIMIT = 16 << 20  # bytes to which the write-ahead log is cut back when it starts over
WHOLE_CHECK = 128 << 20  # bytes; a larger database is checked but for its ledger, or a start would take seconds
BUSY_MS = 2000  # how long a statement waits for another program's lock
THROW_AWAY = "throw-away"
_LEVELS = {"normal": "NORMAL", "full": "FULL", THROW_AWAY: "OFF"}


def _nothing() -> None:
    """No rows wait to be stored."""


@dataclass(slots=True)
class Database:
    """An open data directory; ``close`` it last, when all connections are closed.

    ``synchronous`` "normal": a killed process loses nothing, a power cut may lose the last commits; "full": a power
    cut loses nothing either.
    "throw-away": nothing is kept for sure, and no thread is used, for virtual runs; there the writer sets ``settle``,
    which stores the rows that it gathers: whoever reads calls it first.
    ``unclean``: the process before did not stop orderly, the database was checked. ``notes``: what the operator must
    be told of that.
    """

    directory: Path
    path: Path
    synchronous: str
    secret: bytes
    node_id: str
    created: bool
    unclean: bool
    notes: tuple[str, ...]
    _lock: DirectoryLock
    _file: tuple[int, int]
    settle: Callable[[], None] = _nothing

    @classmethod
    def open(cls, directory: Path, *, synchronous: str = "normal") -> "Database":
        """Open or make it. StartError: in use, newer, not writable; StoreError: locked, full, damaged."""
        if synchronous not in _LEVELS:
            raise StartError(f"synchronous must be one of {', '.join(_LEVELS)}, not {synchronous!r}")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = DirectoryLock(directory)
        except OSError as error:
            raise StartError(
                f"the data directory {directory} can't be used ({error.strerror})", "choose another one with --data"
            ) from error
        try:
            return cls._opened(directory, synchronous, lock)
        except BaseException:
            lock.release(orderly=not lock.unclean)  # the next start is to check again
            raise

    @classmethod
    def _opened(cls, directory: Path, synchronous: str, lock: DirectoryLock) -> "Database":
        path = directory / NAME
        written = committed_frames(directory / f"{NAME}-wal") if lock.unclean else 0
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            db = _connect(path, synchronous)
            try:
                note = _recovered(db, path, written) if lock.unclean else None
                created = migrate(db)
                secret, node_id = _identity(db, directory)
            finally:
                db.close()
        except sqlite3.Error as error:
            raise store_error(error) from error
        except OSError as error:
            raise StartError(f"the data directory {directory} can't be used ({error})", "is it writable?") from error
        return cls(
            directory=directory,
            path=path,
            synchronous=synchronous,
            secret=secret,
            node_id=node_id,
            created=created,
            unclean=lock.unclean,
            notes=(note,) if note else (),
            _lock=lock,
            _file=_file_id(path),
        )

    @property
    def throw_away(self) -> bool:
        """Whether nobody asks for it after the run."""
        return self.synchronous == THROW_AWAY

    def connect(self, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
        """A connection of one's own, in autocommit; it never makes a file that is gone."""
        self.settle()
        return _connect(self.path, self.synchronous, busy_ms)

    async def connect_async(self, *, read_only: bool = False) -> aiosqlite.Connection:
        """The same through aiosqlite. ``read_only``: for queries."""
        if self.throw_away:
            from aimon_local.storage.inline import InlineConnection  # noqa: PLC0415

            return cast(aiosqlite.Connection, InlineConnection(self.connect(), self))
        db = await aiosqlite.connect(_address(self.path), uri=True, isolation_level=None)
        for pragma in _pragmas(self.synchronous, BUSY_MS):
            await db.execute(pragma)
        if read_only:
            await db.execute("PRAGMA query_only = ON")
        return db

    def is_in_place(self) -> bool:
        """Whether the file under our name is still the one that was opened (a look at the disk, 2 µs)."""
        try:
            return _file_id(self.path) == self._file
        except OSError:
            return False

    def close(self) -> None:
        """Let the directory go; the stop counts as orderly."""
        self._lock.release()


def _recovered(db: sqlite3.Connection, path: Path, written: int) -> str | None:
    """After an unclean stop: check the file, and whether all of its log was taken over."""
    frames = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    check(db, path)
    return lost(written, frames)


def _identity(db: sqlite3.Connection, directory: Path) -> tuple[bytes, str]:
    """The install's secret and node id, made at the first start."""
    known = _meta(db, "secret")
    secret = load_secret(directory, known)
    if known is None:
        _put_meta(db, "secret", fingerprint(secret))
        _put_meta(db, "node_id", str(uuid.uuid4()))
    return secret, _meta(db, "node_id") or ""


def check(db: sqlite3.Connection, path: Path) -> None:
    """SQLite's own check of the file's structure; StoreCorrupt says what it found first."""
    tables = ["1"]
    if path.stat().st_size > WHOLE_CHECK:
        rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'usage_rows'").fetchall()
        tables = [name for (name,) in rows]
    for table in tables:
        found = db.execute(f"PRAGMA quick_check({table})").fetchone()[0]
        if found != "ok":
            raise store_error(_corrupt(found))


def _corrupt(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _file_id(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _address(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"


def _pragmas(synchronous: str, busy_ms: int) -> tuple[str, ...]:
    return (
        f"PRAGMA busy_timeout = {busy_ms}",
        "PRAGMA journal_mode = WAL",
        f"PRAGMA synchronous = {_LEVELS[synchronous]}",
        "PRAGMA foreign_keys = ON",
        f"PRAGMA journal_size_limit = {WAL_LIMIT}",
        f"PRAGMA cache_size = -{CACHE_KIB}",
    )


def _connect(path: Path, synchronous: str, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    db = sqlite3.connect(_address(path), uri=True, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _pragmas(synchronous, busy_ms):
            db.execute(pragma)
    except BaseException:
        db.close()
        raise
    return db


def _meta(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _put_meta(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
