import os

from aimon_local.storage import checkpoint as module
from aimon_local.storage.database import WAL_LIMIT, Database
from tests.support.ledger import add, counter, on_ledger, stored, usage_row


def log_size(database):
    return os.path.getsize(f"{database.path}-wal")


def test_the_log_stays_bounded_under_steady_load(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HURRY", 256)
    monkeypatch.setattr(module, "LARGE", 512)
    monkeypatch.setattr(module, "SMALL", 1 << 16)
    sizes = []

    async def steps(writer, database):
        for turn in range(250):
            told = [add(writer, usage_row(turn * 100 + n), counter(n, key=f"k{n}")) for n in range(100)]
            for one in told:
                await one
            sizes.append(log_size(database))

    on_ledger(tmp_path, steps)
    assert max(sizes) < WAL_LIMIT / 2  # all in all some 40 MiB went through it
    database = Database.open(tmp_path)
    assert len(stored(database)) == 25_000
    database.close()


def test_without_writes_it_sleeps(tmp_path):
    database = Database.open(tmp_path)
    checkpoints = module.Checkpointer(database)
    assert not checkpoints._work.is_set()
    checkpoints.close()
    assert not checkpoints._thread.is_alive()
    database.close()


def test_it_asks_the_writer_when_the_log_has_grown(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(module, "LARGE", 1)
    database = Database.open(tmp_path)
    db = database.connect()
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("INSERT INTO meta VALUES ('a', 'b')")
    checkpoints = module.Checkpointer(database)
    checkpoints._checkpoint(db)
    assert checkpoints.finish
    assert db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1:] in ((0, 0), (1, 1))
    checkpoints.close()
    db.close()
    database.close()
