import shutil
import sqlite3

import pytest

from aimon_local.storage.database import NAME, Database
from aimon_local.storage.wal import committed_frames, lost


@pytest.fixture
def left(tmp_path):
    """A data directory as a killed process leaves it: 20 commits in the log, the lock's pid behind."""
    Database.open(tmp_path / "live").close()
    db = sqlite3.connect(tmp_path / "live" / NAME, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    for n in range(20):
        db.execute("INSERT INTO meta VALUES (?, ?)", (f"n{n}", "x" * 900))
    copy = tmp_path / "left"
    shutil.copytree(tmp_path / "live", copy)
    db.close()
    (copy / "aimon-local.lock").write_text("4711")
    return copy


def names(database):
    db = database.connect()
    found = db.execute("SELECT count(*) FROM meta WHERE name GLOB 'n[0-9]*'").fetchone()[0]
    db.close()
    return found


def test_a_whole_log_is_taken_over_in_silence(left):
    assert committed_frames(left / f"{NAME}-wal") >= 20
    database = Database.open(left)
    assert (database.unclean, database.notes, names(database)) == (True, (), 20)
    database.close()


def test_a_damaged_log_is_told_and_what_is_before_the_damage_is_kept(left):
    log = left / f"{NAME}-wal"
    with log.open("r+b") as file:
        file.seek(log.stat().st_size // 2)
        file.write(b"\x5a" * 64)
    database = Database.open(left)
    assert "write-ahead log was damaged" in database.notes[0]
    assert 0 < names(database) < 20
    database.close()
    again = Database.open(left)
    assert again.notes == ()
    again.close()


def test_a_torn_last_transaction_was_never_acknowledged_and_is_no_news(left):
    log = left / f"{NAME}-wal"
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 100)
    database = Database.open(left)
    assert database.notes == ()
    assert names(database) == 19
    database.close()


@pytest.mark.parametrize("content", [b"", b"short", bytes(4096), b"\x37\x7f\x06\x82" + bytes(400)])
def test_what_is_no_log_has_no_frames(tmp_path, content):
    path = tmp_path / "log"
    assert committed_frames(path) == 0
    path.write_bytes(content)
    assert committed_frames(path) == 0


def test_the_note_names_the_numbers():
    assert lost(5, 5) is None
    assert lost(0, 7) is None
    assert "of its 9 pages 4 " in lost(9, 4)
