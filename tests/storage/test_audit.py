"""The audit log on disk: in the write's own transaction, chained over several writers, and every tampering seen."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from aimon_local.errors import StoreError
from aimon_local.model.audit import Actor, Stamp
from aimon_local.model.rows import Change
from aimon_local.storage.audit import Asked, AuditLog, walk_audit
from aimon_local.storage.database import Database
from aimon_local.storage.entities import EntityStore
from aimon_local.storage.verify import verify


def line(number, **more):
    entry = Stamp(Actor("admin", "127.0.0.1"), number * 10, number).entry("config", "create", "routes", f"id{number}")
    return entry._replace(**more)


@pytest.fixture
def database(tmp_path):
    made = Database.open(tmp_path)
    yield made
    made.close()


@pytest.fixture
def log(database):
    made = AuditLog(database)
    made.add([line(1), line(2)])
    made.add([line(3, kind="key", action="revoke", entity="keyauth_credentials", name="ann")])
    made.add([line(4, actor="gateway")])
    return made


def apply(database, *arguments):
    async def go():
        store = await EntityStore.open(database)
        try:
            await store.apply(*arguments)
        finally:
            await store.close()

    asyncio.run(go())


def walked(database):
    with closing(database.connect()) as db:
        return walk_audit(db, database.secret)


def numbers(found):
    return [number for number, _ in found]


def test_lines_come_newest_first_by_pages(log):
    assert numbers(log.page(Asked())) == [4, 3, 2, 1]
    assert numbers(log.page(Asked(size=2))) == [4, 3]
    assert numbers(log.page(Asked(size=2, before=3))) == [2, 1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Asked(kind="key"), [3]),
        (Asked(actor="gateway"), [4]),
        (Asked(entity="ann"), [3]),
        (Asked(entity="id2"), [2]),
        (Asked(entity="routes"), [4, 2, 1]),
        (Asked(since=20), [4, 3, 2]),
        (Asked(until=20), [1]),
        (Asked(entity="' OR 1=1 --"), []),
    ],
)
def test_filters(log, asked, found):
    assert numbers(log.page(asked)) == found


def test_a_line_is_told_once(log):
    assert log.told("id3", "revoke")
    assert not log.told("id3", "expire")


def test_lines_are_in_the_transaction_of_their_write(database, log):
    apply(database, [Change("put", "consumers", {"id": "c", "username": "ann"})], [line(5)])
    assert numbers(log.page(Asked())) == [5, 4, 3, 2, 1]
    taken = [Change("put", "consumers", {"id": "d", "username": "ann"})]  # the name is taken: SQLite refuses
    with pytest.raises(StoreError):
        apply(database, taken, [line(6)])
    assert numbers(log.page(Asked())) == [5, 4, 3, 2, 1]
    assert walked(database)[0].broken is None


def test_two_writers_make_one_chain(database, log):
    other = AuditLog(database)
    for number in range(5, 11):
        (other if number % 2 else log).add([line(number)])
    found, whole = walked(database)
    assert (found.rows, found.broken, whole) == (10, None, True)


def test_a_text_that_sqlite_cannot_take_is_told_all_the_same(database, log):
    log.add([line(5, name="half \ud800 pair")])
    assert walked(database)[0].broken is None
    assert log.page(Asked(size=1))[0][1].name == "half \\ud800 pair"


TAMPERINGS = {
    "changed": "UPDATE audit SET actor = 'nobody' WHERE id = 2",
    "time": "UPDATE audit SET at_ns = at_ns + 1 WHERE id = 1",
    "after": "UPDATE audit SET after = '{}' WHERE id = 4",
    "taken out": "DELETE FROM audit WHERE id = 2",
    "first taken out": "DELETE FROM audit WHERE id = 1",
    "renumbered": "DELETE FROM audit WHERE id = 2; UPDATE audit SET id = id - 1 WHERE id > 2",
    "swapped": "UPDATE audit SET id = 9 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 9",
    "copied": "INSERT INTO audit SELECT 5, at_ns, real_ns, actor, address, kind, action, entity, entity_id, name, before, after, chain FROM audit WHERE id = 4",
    "cut off": "DELETE FROM audit WHERE id = 4",
    "cut off with its seal": "DELETE FROM audit WHERE id = 4; DELETE FROM audit_head",
    "cut off, the seal moved": "DELETE FROM audit WHERE id = 4; UPDATE audit_head SET number = 3",
    "all gone": "DELETE FROM audit",
}


@pytest.mark.parametrize("sql", TAMPERINGS.values(), ids=TAMPERINGS)
def test_every_tampering_is_seen(database, log, tmp_path, sql):
    def said():
        return next(check for check in verify(tmp_path, 0).checks if check.name == "audit log")

    assert said().good
    with closing(sqlite3.connect(database.path)) as db:
        db.executescript(sql)
    assert not said().good


def test_an_empty_log_is_whole(database):
    found, whole = walked(database)
    assert (found.rows, found.broken, whole) == (0, None, True)
