import asyncio
import os
import sqlite3
import stat

import pytest

from aimon_local.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from aimon_local.model.ai import AiRecord
from aimon_local.storage import writer as module
from aimon_local.storage.batch import ROW_COLUMNS
from aimon_local.storage.chain import walk
from aimon_local.storage.database import Database
from aimon_local.storage.writer import LedgerWriter
from tests.support.ledger import add, counter, on_ledger, stored, usage_row


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch):
    monkeypatch.setattr(module, "_RETRY_FIRST", 0.001)
    monkeypatch.setattr(module, "_RETRY_LAST", 0.01)
    monkeypatch.setattr(module, "_BUSY_MS", 5)


class States:
    """What ``on_state`` was told, with a way to wait for the next."""

    def __init__(self):
        self.seen = []
        self.queue = asyncio.Queue()

    def __call__(self, failure):
        self.seen.append(failure)
        self.queue.put_nowait(failure)


def test_then_is_called_after_the_commit_with_all_in_it(tmp_path):
    async def steps(writer, database):
        told = [add(writer, usage_row(n), counter(n)) for n in range(5)]
        assert not any(one.done() for one in told)
        assert await asyncio.gather(*told) == [None] * 5
        assert stored(database) == [usage_row(n) for n in range(5)]
        db = database.connect()
        assert db.execute("SELECT key, unit, value FROM counters").fetchall() == [("rate:r-1::c-1", "minute", 4)]
        db.close()
        assert (writer.failure, writer.overloaded) == (None, False)

    on_ledger(tmp_path, steps)


def test_what_gathers_during_a_commit_shares_the_next_one(tmp_path, monkeypatch):
    sizes = []
    plain = module.commit

    def counted(db, batch, *rest):
        sizes.append(len(batch.rows))
        return plain(db, batch, *rest)

    monkeypatch.setattr(module, "commit", counted)

    async def steps(writer, database):
        def chain(name, rest):
            return lambda error: writer.add(usage_row(name + rest), (), chain(name, rest - 1)) if rest else None

        told = [add(writer, usage_row(n)) for n in range(7)]
        for name in (1000, 2000, 3000):
            writer.add(usage_row(name), (), chain(name, 4))
        await asyncio.gather(*told)

    on_ledger(tmp_path, steps)
    assert sizes == [10, 3, 3, 3, 3]


def test_each_committed_row_is_told_once_after_those_who_waited(tmp_path):
    told = []
    record = AiRecord("openai.chat", "free", "m", None, False, 1, 2, 3, 4)

    async def steps(writer, database):
        ended = [add(writer, usage_row(n)) for n in range(3)]
        writer.add(usage_row(3), (), lambda error: told.append("answered"), record)
        await asyncio.gather(*ended)
        await add(writer, usage_row(4))

    on_ledger(tmp_path, steps, on_commit=lambda rows, ai: told.extend([*rows, *ai]))
    ids = [usage_row(n).request_id for n in range(5)]
    assert [one if isinstance(one, str) else one[0] for one in told] == [
        "answered", *ids[:4], usage_row(3).request_id, ids[4],
    ]  # fmt: skip
    assert told[5] == (usage_row(3).request_id, record)


def test_close_writes_what_waits(tmp_path):
    told = []

    async def steps(writer, database):
        for n in range(300):
            writer.add(usage_row(n), (), told.append)

    on_ledger(tmp_path, steps)
    assert told == [None] * 300
    database = Database.open(tmp_path)
    assert len(stored(database)) == 300
    database.close()
    assert not os.path.exists(f"{database.path}-wal")  # all connections were closed, the log is in the database


def test_one_that_raises_does_not_keep_the_others_waiting(tmp_path):
    async def steps(writer, database):
        faults = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context["exception"]))
        writer.add(usage_row(1), (), lambda error: 1 / 0)
        assert await add(writer, usage_row(2)) is None
        assert [type(fault) for fault in faults] == [ZeroDivisionError]

    on_ledger(tmp_path, steps)


def test_overloaded_says_that_more_waits_than_the_bound_and_drops_nothing(tmp_path):
    async def steps(writer, database):
        told = [add(writer, usage_row(n)) for n in range(9)]
        assert not writer.overloaded
        told += [add(writer, usage_row(n)) for n in range(9, 12)]
        assert writer.overloaded
        await asyncio.gather(*told)
        assert not writer.overloaded
        assert len(stored(database)) == 12

    on_ledger(tmp_path, steps, bound=10)


# ---- trouble


def holder(database):
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_short_lock_is_waited_out_in_silence(tmp_path):
    async def steps(writer, database):
        states = writer._on_state
        other = holder(database)
        told = add(writer, usage_row(1))
        done, _ = await asyncio.wait([told], timeout=0.05)
        assert not done
        other.execute("ROLLBACK")
        assert await told is None
        assert states.seen == []
        other.close()

    async def run():
        await _with_states(tmp_path, steps, patience=5)

    asyncio.run(run())


async def _with_states(directory, steps, **options):
    database = Database.open(directory)
    try:
        writer = LedgerWriter(database, on_state=States(), **options)
        try:
            await steps(writer, database)
        finally:
            await writer.close()
    finally:
        database.close()


def with_states(directory, steps, **options):
    asyncio.run(_with_states(directory, steps, **options))


def test_a_long_lock_is_told_and_heals_and_nothing_is_lost_or_double(tmp_path):
    async def steps(writer, database):
        states = writer._on_state
        other = holder(database)
        told = [add(writer, usage_row(n), counter(n)) for n in range(3)]
        errors = await asyncio.gather(*told)
        assert {type(error) for error in errors} == {StoreBusy}
        assert isinstance(writer.failure, StoreBusy)
        assert isinstance(states.seen[0], StoreBusy)
        late = add(writer, usage_row(3), counter(3))  # a request that was under way already
        assert isinstance(await late, StoreBusy)  # is told at once
        other.execute("ROLLBACK")
        other.close()
        while await states.queue.get() is not None:
            pass
        assert writer.failure is None
        assert await add(writer, usage_row(4), counter(4)) is None
        assert stored(database) == [usage_row(n) for n in range(5)]

    with_states(tmp_path, steps, patience=0.05)


def test_a_full_database_is_told_at_once_and_heals(tmp_path, monkeypatch):
    plain = Database.connect
    room = {"pages": 60}

    def small(database, busy_ms=1):
        db = plain(database, busy_ms)
        db.execute(f"PRAGMA max_page_count = {room['pages']}")
        return db

    monkeypatch.setattr(Database, "connect", small)

    async def steps(writer, database):
        states = writer._on_state
        told = [add(writer, usage_row(n), counter(n)) for n in range(3000)]
        assert isinstance(await states.queue.get(), StoreFull)
        assert isinstance(writer.failure, StoreFull)
        assert not any(one.done() for one in told)  # patience is not over, it may still go in
        room["pages"] = 100_000
        assert set(await asyncio.gather(*told)) == {None}
        assert states.seen[-1] is None
        assert writer.failure is None
        assert len(stored(database)) == 3000

    with_states(tmp_path, steps, patience=5)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="modes don't bind here")
def test_a_read_only_file(tmp_path):
    async def steps(writer, database):
        states = writer._on_state
        other = database.connect()  # as the entities' one: the log and its index are there, and writable
        other.execute("PRAGMA user_version").fetchone()
        database.path.chmod(stat.S_IRUSR)
        told = add(writer, usage_row(1))
        assert isinstance(await states.queue.get(), StoreError)
        database.path.chmod(0o600)
        assert await told is None
        assert len(stored(database)) == 1
        other.close()

    with_states(tmp_path, steps, patience=5)


def test_a_database_that_is_made_read_only_under_the_writer(tmp_path, monkeypatch):
    """As root modes don't bind, so the connection is opened read-only instead."""
    plain = Database.connect
    read_only = {"on": True}

    def connect(database, busy_ms=1):
        db = plain(database, busy_ms)
        db.execute(f"PRAGMA query_only = {int(read_only['on'])}")
        return db

    monkeypatch.setattr(Database, "connect", connect)

    async def steps(writer, database):
        states = writer._on_state
        told = add(writer, usage_row(1))
        failure = await states.queue.get()
        assert "can't be written" in str(failure)
        read_only["on"] = False
        assert await told is None

    with_states(tmp_path, steps, patience=5)


def test_a_damaged_database_is_told_as_such(tmp_path, monkeypatch):
    def damaged(*_):
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    async def steps(writer, database):
        monkeypatch.setattr(module, "commit", damaged)
        assert isinstance(await add(writer, usage_row(1)), StoreCorrupt)
        assert "move the files" in writer.failure.hint
        monkeypatch.undo()
        while await writer._on_state.queue.get() is not None:
            pass

    with_states(tmp_path, steps, patience=0.05)


def test_a_commit_that_failed_to_say_that_it_went_in_is_not_repeated(tmp_path, monkeypatch):
    plain = module.commit
    calls, events = [], []

    def unsure(*arguments):
        calls.append(plain(*arguments))
        if len(calls) in (1, 3):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return calls[-1]

    monkeypatch.setattr(module, "commit", unsure)

    async def steps(writer, database):
        for n in range(4):
            assert await add(writer, usage_row(n), counter(n)) is None
        assert stored(database) == [usage_row(n) for n in range(4)]
        assert calls == [1, 2, 3, 4]

    on_ledger(tmp_path, steps, on_commit=lambda rows, _: events.extend(rows))
    assert events == [usage_row(n) for n in range(4)]


def test_a_thread_that_dies_is_replaced_and_its_batch_goes_in(tmp_path, monkeypatch):
    plain = module.commit
    deaths = []

    def deadly(*arguments):
        if len(deaths) < 2:
            deaths.append(1)
            raise SystemExit("injected")
        return plain(*arguments)

    monkeypatch.setattr(module, "commit", deadly)

    async def steps(writer, database):
        states = writer._on_state
        told = [add(writer, usage_row(n)) for n in range(3)]
        assert "stopped" in str(await states.queue.get())
        assert await asyncio.gather(*told) == [None] * 3
        assert len(stored(database)) == 3
        assert writer.failure is None

    with_states(tmp_path, steps, patience=5)


def test_a_database_file_that_is_taken_away_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_LOOK", 0.0)

    async def steps(writer, database):
        states = writer._on_state
        assert await add(writer, usage_row(1)) is None
        away = tmp_path / "away.db"
        database.path.rename(away)
        told = add(writer, usage_row(2))
        assert "removed or replaced" in str(await states.queue.get())
        assert not database.path.exists()
        away.rename(database.path)
        assert await told is None
        assert len(stored(database)) == 2

    with_states(tmp_path, steps, patience=5)


def test_rows_that_never_went_in_are_counted_at_the_end(tmp_path):
    async def steps(writer, database):
        other = holder(database)
        told = [add(writer, usage_row(n)) for n in range(3)]
        await asyncio.gather(*told)
        add(writer, usage_row(3))
        with pytest.raises(StoreBusy, match="4 usage rows could not be written"):
            await writer.close()
        other.close()

    async def run():
        database = Database.open(tmp_path)
        await steps(LedgerWriter(database, patience=0.02), database)
        database.close()

    asyncio.run(run())


async def _at_rest(writer, row):
    """One row by way of the thread, then wait until it has kept house."""
    assert await add(writer, row) is None
    while writer._thread._held:  # noqa: ASYNC110 (a thread clears it)
        await asyncio.sleep(0)


def _handed(writer, monkeypatch):
    """Batches that go to the thread from here on."""
    handed = []
    queue = writer._thread.batches

    class Queue:
        def put(self, batch):
            handed.append(batch)
            queue.put(batch)

        def get(self):
            return queue.get()

    monkeypatch.setattr(writer._thread, "batches", Queue())
    return handed


def test_a_lone_row_is_committed_on_the_loop_and_chained_as_all(tmp_path, monkeypatch):
    async def steps(writer, database):
        await _at_rest(writer, usage_row(0))
        with monkeypatch.context() as patch:
            handed = _handed(writer, patch)
            for number in range(1, 4):
                assert await add(writer, usage_row(number), counter(number)) is None
            assert handed == []
            assert await asyncio.gather(*(add(writer, usage_row(n)) for n in (4, 5))) == [None, None]
            assert len(handed) == 1  # two rows share a commit of the thread
        assert stored(database) == [usage_row(n) for n in range(6)]
        db = database.connect()
        assert db.execute("SELECT value FROM counters").fetchall() == [(3,)]
        assert walk(db, database.secret, ROW_COLUMNS)[1:] == (6, writer._thread._chain.head.hex(), None)
        db.close()

    on_ledger(tmp_path, steps)


def test_with_full_durability_the_loop_never_commits(tmp_path, monkeypatch):
    async def run():
        database = Database.open(tmp_path, synchronous="full")
        writer = LedgerWriter(database)
        await _at_rest(writer, usage_row(0))
        with monkeypatch.context() as patch:
            handed = _handed(writer, patch)
            assert await add(writer, usage_row(1)) is None
            assert len(handed) == 1
        await writer.close()
        database.close()

    asyncio.run(run())


def test_the_loop_does_not_wait_for_a_lock_the_thread_does(tmp_path, monkeypatch):
    async def steps(writer, database):
        await _at_rest(writer, usage_row(0))
        other = holder(database)
        with monkeypatch.context() as patch:
            handed = _handed(writer, patch)
            told = add(writer, usage_row(1))
            while not handed:  # noqa: ASYNC110 (a list tells nobody)
                await asyncio.sleep(0)
            assert not told.done()
            other.execute("ROLLBACK")
            other.close()
            assert await told is None
        assert stored(database) == [usage_row(0), usage_row(1)]

    with_states(tmp_path, steps)


@pytest.mark.parametrize("went_in", [True, False])
def test_a_commit_on_the_loop_that_fails_is_made_once_by_the_thread(tmp_path, monkeypatch, went_in):
    plain = module.commit

    async def steps(writer, database):
        def failing(*arguments):
            monkeypatch.setattr(module, "commit", plain)
            if went_in:
                plain(*arguments)
            raise sqlite3.OperationalError("disk I/O error")

        await _at_rest(writer, usage_row(0))
        monkeypatch.setattr(module, "commit", failing)
        assert await add(writer, usage_row(1)) is None
        assert await add(writer, usage_row(2)) is None
        assert stored(database) == [usage_row(n) for n in range(3)]
        db = database.connect()
        assert walk(db, database.secret, ROW_COLUMNS).broken is None
        db.close()

    with_states(tmp_path, steps)


def test_slow_commits_on_the_loop_go_back_to_the_thread(tmp_path, monkeypatch):
    async def steps(writer, database):
        await _at_rest(writer, usage_row(0))
        writer._thread._pace.took(0.0, 1e9)  # so slow that it ends in the future
        with monkeypatch.context() as patch:
            handed = _handed(writer, patch)
            assert await add(writer, usage_row(1)) is None
            assert len(handed) == 1

    with_states(tmp_path, steps)
