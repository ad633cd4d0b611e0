import asyncio
import os
import sqlite3
import stat

import pytest

from aimon_local.errors import StartError, StoreBusy, StoreCorrupt
from aimon_local.storage import database as module
from aimon_local.storage.database import NAME, Database


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_makes_all_and_a_second_finds_it_again(tmp_path):
    home = tmp_path / "share" / "aimon-local"
    first = Database.open(home)
    assert first.created
    assert not first.unclean
    if os.name == "posix":
        assert mode(home) == 0o700
        assert {mode(path) for path in home.iterdir()} == {0o600}
    first.close()
    second = Database.open(home)
    assert not second.created
    assert (second.secret, second.node_id) == (first.secret, first.node_id)
    assert len(second.node_id) == 36
    second.close()


def test_a_second_gateway_is_refused_while_the_first_runs(tmp_path):
    first = Database.open(tmp_path)
    with pytest.raises(StartError, match="another gateway"):
        Database.open(tmp_path)
    first.close()
    Database.open(tmp_path).close()


@pytest.mark.parametrize(("level", "number"), [("normal", 1), ("full", 2)])
def test_connections_are_set_up_for_the_job(tmp_path, level, number):
    database = Database.open(tmp_path, synchronous=level)
    db = database.connect()
    found = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": number, "foreign_keys": 1}
    db.close()

    async def reads_only():
        reader = await database.connect_async(read_only=True)
        try:
            with pytest.raises(sqlite3.OperationalError):
                await reader.execute("INSERT INTO meta VALUES ('a', 'b')")
        finally:
            await reader.close()

    asyncio.run(reads_only())
    database.close()


def test_an_unknown_level_is_refused(tmp_path):
    with pytest.raises(StartError, match="normal, full"):
        Database.open(tmp_path, synchronous="off")


def test_a_file_in_the_way_is_one_clear_line(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StartError, match="can't be used"):
        Database.open(tmp_path / "data")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(b"these are my holiday pictures" * 100)
    with pytest.raises(StoreCorrupt, match="not a database") as refused:
        Database.open(tmp_path)
    assert "move" in refused.value.hint
    assert path.read_bytes() == b"these are my holiday pictures" * 100
    path.unlink()
    Database.open(tmp_path).close()  # the refused start holds no lock


def damage(path):
    """Overwrite a page in the middle of a table."""
    db = sqlite3.connect(path)
    page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'services'").fetchone()[0]
    size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("whole", [1 << 30, 0])
def test_damage_is_found_after_an_unclean_stop(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(module, "WHOLE_CHECK", whole)
    Database.open(tmp_path).close()
    damage(tmp_path / NAME)
    (tmp_path / "aimon-local.lock").write_text("4711")
    before = (tmp_path / NAME).read_bytes()
    for _ in range(2):  # a refused start does not pass for an orderly stop
        with pytest.raises(StoreCorrupt, match="damaged"):
            Database.open(tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


def test_a_sound_database_passes_the_check(tmp_path):
    Database.open(tmp_path).close()
    (tmp_path / "aimon-local.lock").write_text("4711")
    database = Database.open(tmp_path)
    assert database.unclean
    database.close()


def test_a_database_that_another_program_holds(tmp_path, monkeypatch):
    Database.open(tmp_path).close()
    monkeypatch.setattr(module, "BUSY_MS", 1)
    monkeypatch.setattr(module._connect, "__defaults__", (1,))
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusy, match="locked"):
        Database.open(tmp_path)
    other.close()
    Database.open(tmp_path).close()


def test_it_knows_when_its_file_was_taken_away(tmp_path):
    database = Database.open(tmp_path)
    assert database.is_in_place()
    database.path.rename(tmp_path / "elsewhere")
    assert not database.is_in_place()
    with pytest.raises(sqlite3.OperationalError):
        database.connect()
    assert not database.path.exists()
    database.path.write_bytes(b"")
    assert not database.is_in_place()
    database.close()
