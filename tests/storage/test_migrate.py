import sqlite3

import pytest

from aimon_local.errors import StartError
from aimon_local.storage import migrate as module
from aimon_local.storage.migrate import migrate, migrations


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(db):
    return db.execute("PRAGMA user_version").fetchone()[0]


def tables(db):
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_new_database_gets_them_all_once(db):
    assert migrate(db) is True
    assert version(db) == migrations()[-1][0]
    assert {"services", "plugins", "usage_rows", "counters", "meta"} <= tables(db)
    assert migrate(db) is False


def test_they_are_numbered_without_gaps():
    numbers = [number for number, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_older_database_gets_what_it_lacks_and_keeps_what_it_has(db, monkeypatch):
    migrate(db)
    db.execute("INSERT INTO meta (name, value) VALUES ('kept', 'yes')")
    more = [*migrations(), (99, "CREATE TABLE later (x); INSERT INTO later VALUES (1);")]
    monkeypatch.setattr(module, "migrations", lambda: more)
    assert migrate(db) is False
    assert version(db) == 99
    assert db.execute("SELECT value FROM meta WHERE name = 'kept'").fetchone() == ("yes",)
    assert db.execute("SELECT x FROM later").fetchall() == [(1,)]


def test_a_migration_that_fails_leaves_nothing_behind(db, monkeypatch):
    monkeypatch.setattr(module, "migrations", lambda: [(1, "CREATE TABLE a (x); CREATE TABLE a (x);")])
    with pytest.raises(sqlite3.OperationalError):
        migrate(db)
    assert (version(db), tables(db), db.in_transaction) == (0, set(), False)


def test_a_newer_database_is_refused(db):
    db.execute("PRAGMA user_version = 4711")
    with pytest.raises(StartError, match=r"newer aimon-local \(schema 4711") as refused:
        migrate(db)
    assert "update" in refused.value.hint
    assert tables(db) == set()
