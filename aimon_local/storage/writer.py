"""The ledger's writer: one thread that owns a connection and commits what gathered while the last commit ran.

The loop's side only appends to lists; a batch is handed over when a turn of the loop has added nothing to it (or after
a few turns), so requests that end together share a commit, and under load it is shared by all that ended during the one
before. Chosen: a plain thread and connection; refused: aiosqlite, whose every call is a hop between threads (80 µs more
for a lone client). A lone row, with the thread at rest, is committed on the loop itself, which saves that client the
hop; only where a commit does not wait for the disk (synchronous "normal"), is quick (``pace``), and meets nothing
unusual: else it takes the way of all batches. The connection is the thread's while ``_held``, the loop's otherwise.

When the database can't write, no row is dropped: the batch is kept and tried again until it is in, on a new
connection each time, so the writer heals by itself. ``failure`` is set at once (when the database is only locked:
after ``patience`` seconds), and who waits for a commit longer than ``patience`` is told. While ``failure`` is set
the gateway refuses what would need a row; so what is kept stays small. A batch is never counted twice: see ``batch``.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from aimon_local.clock import Clock, SystemClock
from aimon_local.errors import StoreBusy, StoreError
from aimon_local.model.ai import AiRecord
from aimon_local.model.approval import Question
from aimon_local.model.audit import AuditEntry
from aimon_local.model.usage import Touched, UsageRow
from aimon_local.storage.approvals import PUT as PUT_QUESTION
from aimon_local.storage.audit import Trail
from aimon_local.storage.batch import Batch, Parties, Then, commit, fold, forget, last_seq
from aimon_local.storage.chain import Chain
from aimon_local.storage.checkpoint import Checkpointer
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error
from aimon_local.storage.pace import Pace

PATIENCE = 2.0  # seconds that a commit may take before those who wait for it are told
BOUND = 20_000  # rows that may wait; from then on ``overloaded``
_TURNS = 4  # of the loop that a growing batch is held back at most; a lone request is never held back
_BUSY_MS = 250  # one attempt's wait for another program's lock
_RETRY_FIRST, _RETRY_LAST = 0.02, 0.5  # seconds between attempts, doubled each time
_LOOK = 1.0  # seconds between looks whether the file is still the one that is written
_FOLD_ROWS, _FOLD_EVERY = 1000, 1.0  # rows, seconds after which rows go into the hourly sums
_FORGET_EVERY = 600.0  # seconds between deletions of counters
_FORGET_AFTER = 86_400  # seconds that an expired counter is kept, lest a clock set back frees a used-up limit

OnState = Callable[[StoreError | None], None]
OnCommit = Callable[[Sequence[UsageRow], Sequence[tuple[str, AiRecord]]], None]


class LedgerWriter:
    """``add`` rows on the event loop; each ``then`` is called there after the commit: ``then(None)``, or an error.

    ``failure``: why nothing can be written now. ``overloaded``: more rows wait than ``bound``. ``on_state`` is told of
    each change of ``failure``, ``on_commit`` of the rows of each commit, once each, after those who waited for it (and
    of its AI calls, by request ids). Make it with a running loop; ``close`` it before the database.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_state: OnState | None = None,
        on_commit: OnCommit | None = None,
        clock: Clock | None = None,
        patience: float = PATIENCE,
        bound: int = BOUND,
    ) -> None:
        self.failure: StoreError | None = None
        self.overloaded = False
        self._loop = asyncio.get_running_loop()
        self._on_state = on_state
        self._on_commit = on_commit
        self._patience = patience
        self._bound = bound
        self._next = Batch()
        self._flight: Batch | None = None  # handed to the thread, not yet committed
        self._busy = False  # a batch is handed over or about to be
        self._seen = 1  # rows of the next batch at the last look at it
        self._turns = 0  # of the loop that it was held back
        self._late: StoreError | None = None  # patience is over: who comes now is told at once
        self._trouble: StoreError | None = None  # what the last attempt met
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._thread = _thread_of(database)(database, self, clock or SystemClock())

    def add(
        self,
        row: UsageRow,
        touched: Sequence[Touched],
        then: Then,
        ai: AiRecord | None = None,
        lines: Sequence[AuditEntry] = (),
        asked: Sequence[Question] = (),
    ) -> None:
        """Store a row, its counters' new values, what an AI call used, lines of the audit log, questions of soft
        limits; ``then`` is called when they are committed.
        """
        batch = self._next
        if lines:
            batch.lines.extend(lines)
            batch.asked.extend(asked)
        batch.rows.append(row)
        if ai is not None:
            batch.ai.append((row.request_id, ai))
        batch.touched.extend(touched)
        if self._late is None:
            batch.thens.append(then)
        else:
            self._loop.call_soon(then, self._late)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand)
        elif len(batch.rows) >= self._bound:
            self.overloaded = True

    async def close(self) -> None:
        """Write what waits, then end. StoreError: rows that could not be written within twice the patience are lost."""
        if self._busy:
            self._drained = self._loop.create_future()
            await asyncio.wait([self._drained], timeout=2 * self._patience)
        self._cancel_timer()
        await self._thread.stop()
        lost = len(self._next.rows) + (len(self._flight.rows) if self._flight is not None else 0)
        if lost:
            why = self._trouble or StoreError("the writer did not end in time")
            raise type(why)(f"{lost} usage rows could not be written: {why}", why.hint)

    # ---- called on the loop

    def _hand(self) -> None:
        """Give the batch to the thread; not yet, where the last turn of the loop made it grow: more is on its way."""
        rows = len(self._next.rows)
        if rows > self._seen and self._turns < _TURNS:
            self._seen = rows
            self._turns += 1
            self._loop.call_soon(self._hand)
            return
        self._seen, self._turns = 1, 0
        batch, self._next = self._next, Batch()
        batch.read_counters()
        self.overloaded = False
        if (rows == 1 or self._thread.inline) and self._thread.commit_here(batch):
            return self.committed(batch)
        self._flight = batch
        self._thread.batches.put(batch)
        return None

    def committed(self, batch: Batch) -> None:
        """The batch is stored."""
        self._flight = self._trouble = self._late = None
        self._cancel_timer()
        if self.failure is not None:
            self._set_failure(None)
        self._answer(batch, None)
        if self._on_commit is not None:
            self._on_commit(batch.rows, batch.ai)
        if self._next.rows:
            self._loop.call_soon(self._hand)
            return
        self._busy = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def failed(self, error: StoreError) -> None:
        """The thread could not store the batch and will try again."""
        self._trouble = error
        if self._timer is None and self._late is None:
            self._timer = self._loop.call_later(self._patience, self._give_up)
        if self._late is not None or not isinstance(error, StoreBusy):
            self._set_failure(error)

    def died(self, error: BaseException) -> None:
        """The thread is gone: another one takes its place, and the batch that it had."""
        self.failed(StoreError(f"the ledger's writer stopped ({error!r})", "it is started again; please report this"))
        self._loop.call_later(_RETRY_LAST, self._thread.restart, self._flight)

    def _give_up(self) -> None:
        """Patience is over: tell all who wait. Their rows are kept."""
        self._timer = None
        self._late = self._trouble or StoreError("the ledger does not answer")
        self._set_failure(self._late)
        for batch in (self._flight, self._next):
            if batch is not None:
                self._answer(batch, self._late)

    def _answer(self, batch: Batch, error: StoreError | None) -> None:
        thens, batch.thens = batch.thens, []
        for then in thens:
            try:
                then(error)
            except Exception as fault:
                context = {"message": "after a commit of the ledger", "exception": fault}
                self._loop.call_exception_handler(context)

    def _set_failure(self, failure: StoreError | None) -> None:
        before, self.failure = self.failure, failure
        changed = type(before) is not type(failure) or str(before) != str(failure)
        if changed and self._on_state is not None:
            self._on_state(failure)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _thread_of(database: Database) -> "type[WriterThread]":
    if not database.throw_away:
        return WriterThread
    from aimon_local.storage.inline import InlineThread  # noqa: PLC0415

    return InlineThread


class WriterThread:
    """The writing thread. It talks to the loop by ``call_soon_threadsafe`` alone and owns its connection."""

    inline = False  # there is none: all is done on the loop
    _checkpointer: type[Checkpointer] = Checkpointer

    def __init__(self, database: Database, owner: LedgerWriter, clock: Clock) -> None:
        self.batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._database = database
        self._owner = owner
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._checkpoints = self._checkpointer(database)
        self._db: sqlite3.Connection | None = None
        self._last: int | None = None  # the newest row's number, as far as known
        self._folded = 0  # and the newest one that we folded into the hourly sums
        self._parties = Parties()
        self._chain, self._trail = Chain(database.secret), Trail(database.secret)
        self._look_at = self._fold_at = self._forget_at = 0.0
        self._pace = Pace()
        self._here = database.synchronous == "normal"  # a commit does not wait for the disk
        self._patient = True  # the connection waits for another program's lock
        self._held = False  # by the thread, from a batch that it takes until it has kept house after it
        self._stopping = threading.Event()
        self._start()

    def restart(self, batch: Batch | None) -> None:
        """After a death: start again with the batch that was in hand."""
        if not self._stopping.is_set():
            self._start()
            if batch is not None:
                self.batches.put(batch)

    async def stop(self) -> None:
        """End the thread and its connections; a batch that can't be written now is given up."""
        self._stopping.set()
        self.batches.put(None)
        await self._ended
        self._thread.join()
        await self._loop.run_in_executor(None, self._checkpoints.close)

    def commit_here(self, batch: Batch) -> bool:
        """On the loop, with no batch in the thread's hands: commit one row; False: it is the thread's, stored or not.

        Never waits for a lock. Once a second, for a long log and for all that is no row, the thread is asked, which
        looks after the file.
        """
        db, last, now = self._db, self._last, time.monotonic()
        if not self._here or self._held or db is None or last is None or now >= self._look_at:
            return False
        if batch.lines or batch.asked or not self._pace.allows(now):
            return False
        if self._checkpoints.finish or self._checkpoints.running:
            return False
        try:
            self._wait_for_locks(db, patient=False)
            self._last = commit(db, batch, last, self._parties, self._chain)
        except Exception as error:  # whatever it is, the thread meets it again and reports it
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                self._drop()  # a new connection tells whether the row went in
            return False
        self._pace.took(now, time.monotonic())
        self._checkpoints.nudge(1)
        return True

    def _wait_for_locks(self, db: sqlite3.Connection, *, patient: bool) -> None:
        if self._patient is not patient:
            db.execute(f"PRAGMA busy_timeout = {_BUSY_MS if patient else 0}")
            self._patient = patient

    def _start(self) -> None:
        self._ended = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(self._ended,), name="ledger", daemon=True)
        self._thread.start()

    def _run(self, ended: "asyncio.Future[None]") -> None:
        try:
            while (batch := self.batches.get()) is not None:
                self._held = True  # before anybody hears of the commit: the loop must not come between
                if self._store(batch):
                    self._tell(self._owner.committed, batch)
                    self._keep_house(batch)
                    self._held = False
            self._held = True
        except BaseException as error:  # even a SystemExit must not end the ledger in silence
            self._tell(self._owner.died, error)
        finally:
            self._drop()
            self._tell(ended.set_result, None)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(what, *arguments)

    def _store(self, batch: Batch) -> bool:
        """Try until the batch is in; False if it was given up because we stop."""
        pause = _RETRY_FIRST
        while True:
            try:
                self._attempt(batch)
                return True
            except (sqlite3.Error, OSError, StoreError) as error:
                self._drop()
                self._tell(self._owner.failed, store_error(error))
            if self._stopping.wait(pause):
                return False
            pause = min(2 * pause, _RETRY_LAST)

    def _attempt(self, batch: Batch) -> None:
        self._look()
        db, last = self._db, self._last
        if db is None:
            db = self._db = self._database.connect(_BUSY_MS)
            db.execute(f"PRAGMA wal_autocheckpoint = {self._checkpoints.pages}")
            self._patient = True
            newest = last_seq(db)
            self._chain.find(db)
            if last is not None and newest > last:  # a commit that was reported as failed went in after all
                self._last = newest
                return
            self._last = last = newest
        assert last is not None
        self._wait_for_locks(db, patient=True)
        beside = partial(self._beside, batch) if batch.lines or batch.asked else None
        self._last = commit(db, batch, last, self._parties, self._chain, beside)

    def _beside(self, batch: Batch, db: sqlite3.Connection) -> None:
        """What belongs to a batch's rows and is no row: questions of soft limits, lines of the audit log."""
        db.executemany(PUT_QUESTION, batch.asked)
        self._trail.append(db, batch.lines)

    def _look(self) -> None:
        """Is the file that we write still the one under its name? Rows in a removed file would be lost in silence."""
        now = time.monotonic()
        if now < self._look_at:
            return
        database = self._database
        if not database.is_in_place():
            raise StoreError(
                f"the database file {database.path} was removed or replaced while in use",
                "stop the gateway, put the file back and start again",
            )
        self._look_at = now + _LOOK

    def _keep_house(self, batch: Batch) -> None:
        """What can wait until after the answers: hourly sums, checkpoints, old counters."""
        self._checkpoints.nudge(len(batch.rows))
        db, last, now = self._db, self._last or 0, time.monotonic()
        if db is None:
            return
        try:
            if last - self._folded >= _FOLD_ROWS or now >= self._fold_at:
                fold(db, last)
                self._folded, self._fold_at = last, now + _FOLD_EVERY
            if self._checkpoints.finish:
                self._checkpoints.finish = False
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if now >= self._forget_at:
                self._forget_at = now + _FORGET_EVERY
                forget(db, self._clock.now_ns() // 1_000_000_000 - _FORGET_AFTER)
        except sqlite3.Error:
            self._drop()  # the next commit meets the same trouble and reports it

    def _drop(self) -> None:
        """Let the connection go; a transaction that was open in it is undone."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()
