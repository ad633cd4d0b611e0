"""The hash chain: it fits whatever was stored and however, and any change of a stored row breaks it there."""

import sqlite3
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.ai import AiRecord
from aimon_local.storage.batch import ROW_COLUMNS, Batch, Parties, commit
from aimon_local.storage.chain import CHUNK, Broken, Chain, walk
from aimon_local.storage.migrate import migrate, migrations
from tests.support.ledger import usage_row

SECRET = b"s" * 32
RECORD = AiRecord("openai.chat", "free", "m", "m-1", True, 9, 9, 99, 10**12, 1, 2, 3, 4, 5, 6, 7, "reported", True)


def new_db():
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    return db


@pytest.fixture
def db():
    made = new_db()
    yield made
    made.close()


def chain_of(db, secret=SECRET):
    chain = Chain(secret)
    chain.find(db)
    return chain


def store(db, *rows, last=0, ai=(), chain=None):
    batch = Batch()
    batch.rows.extend(rows)
    batch.ai.extend(ai)
    return commit(db, batch, last, Parties(), chain or chain_of(db))


def walked(db, secret=SECRET):
    return walk(db, secret, ROW_COLUMNS)


ROWS = st.builds(
    lambda n, who, tier, status, complete, size: usage_row(
        n, consumer=who, tier=tier, status=status, complete=complete, bytes_out=size, upstream_us=None
    ),
    st.integers(0, 12),  # few, so that ids come twice
    st.sampled_from(["ann", "bob", "\ud800", "é", "", None]),
    st.sampled_from(["free", None]),
    st.sampled_from([200, 0, HTTPStatus.OK, None]),
    st.booleans(),
    st.sampled_from([0, 2**31, 2**62, 2**70]),
)
RECORDS = st.builds(
    lambda model, stream, flags, cost, reason: RECORD._replace(
        model=model, stream=stream, flags=flags, cost=cost, finish_reason=reason
    ),
    st.sampled_from(["m", "\ud800", "\x00"]),
    st.booleans(),
    st.sampled_from([(), ("a", "b")]),
    st.sampled_from([0, 2**62, 2**80]),
    st.sampled_from(["stop", None]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(ROWS, st.none() | RECORDS), max_size=6), max_size=6), st.booleans())
def test_the_chain_fits_whatever_was_stored(batches, restarts):
    db, last, parties = new_db(), 0, Parties()
    chain = chain_of(db)
    for calls in batches:
        batch = Batch()
        batch.rows.extend(row for row, _ in calls)
        batch.ai.extend((row.request_id, record) for row, record in calls if record is not None)
        last = commit(db, batch, last, parties, chain)
        if restarts:
            chain, parties = chain_of(db), Parties()
    found = walked(db)
    assert (found.start, found.rows, found.broken) == (0, last, None)
    assert found.head == chain.head.hex()
    db.close()


@pytest.fixture
def three(db):
    rows = [usage_row(n, consumer=name) for n, name in ((1, "ann"), (2, "bob"), (3, "ann"))]
    store(db, *rows, ai=[(rows[1].request_id, RECORD)])
    assert walked(db).broken is None
    return db


def test_each_column_of_a_row_and_of_its_call_is_covered(three):
    second = Broken(2, usage_row(2).request_id)
    for table, columns, where in (
        ("usage_rows", ROW_COLUMNS[1:], "seq = 2"),
        ("ai_usage", AiRecord._fields, "1"),
        (
            "usage_parties",
            ("consumer_id", "consumer", "credential_id", "tier", "route_id", "decision"),
            "consumer = 'bob'",
        ),
    ):
        for column in columns:
            kept = three.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()[0]
            other = f"{kept}x" if isinstance(kept, str) else 4711
            three.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (other,))
            assert walked(three)[1:2] + walked(three)[3:] == (1, second), (table, column)
            if column != "consumer":
                three.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (kept,))
                assert walked(three).broken is None
            else:
                three.execute("UPDATE usage_parties SET consumer = 'bob' WHERE consumer = 'bobx'")


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ("DELETE FROM ai_usage", 2),
        ("DELETE FROM usage_rows WHERE seq = 1", 2),
        ("DELETE FROM usage_rows WHERE seq = 2", 3),
        ("DELETE FROM usage_parties WHERE consumer = 'bob'", 2),
        ("UPDATE usage_rows SET chain = NULL", 1),
        ("UPDATE usage_rows SET chain = x'00' WHERE seq = 3", 3),
        ("UPDATE usage_rows SET party = (SELECT party FROM usage_rows WHERE seq = 1) WHERE seq = 2", 2),
        ("UPDATE chain_start SET seq = 1", 2),
        ("INSERT INTO ai_usage SELECT '" + usage_row(3).request_id + "', " + ", ".join(AiRecord._fields) + " FROM ai_usage", 3),
    ],
)  # fmt: skip
def test_the_first_row_that_does_not_fit_is_named(three, sql, broken):
    three.execute(sql)
    assert walked(three).broken == Broken(broken, usage_row(broken).request_id)


def test_the_hashes_need_the_secret(three):
    assert walked(three, b"t" * 32).broken.seq == 1


def test_what_was_stored_before_the_chain_is_its_start():
    db = sqlite3.connect(":memory:", isolation_level=None)
    known = migrations()
    for number, text in known:
        if number == 5:
            db.execute("INSERT INTO usage_rows VALUES (1, 'old', 1, 1, 'GET', 200, 1, NULL, 0, NULL, 0, 0, 0)")
        db.executescript(f"{text}\nPRAGMA user_version = {number};")
    store(db, usage_row(2), usage_row(3), last=1)
    assert walked(db)[:2] == (1, 2)
    db.execute("UPDATE usage_rows SET chain = NULL WHERE seq = 2")
    db.execute("UPDATE chain_start SET seq = 2")
    assert walked(db).broken == Broken(3, usage_row(3).request_id)
    db.close()


def test_a_failed_commit_leaves_the_chain_where_it_was(db):
    chain = chain_of(db)
    store(db, usage_row(1), chain=chain)
    before = chain.head
    db.execute("CREATE TRIGGER full BEFORE INSERT ON usage_rows BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        store(db, usage_row(2), last=1, chain=chain)
    assert chain.head == before
    db.execute("DROP TRIGGER full")
    store(db, usage_row(2), last=1, chain=chain)
    assert walked(db)[1:] == (2, chain.head.hex(), None)


def test_the_hashes_are_the_same_on_every_python(three):
    assert walked(three).head == "693379f005591bb5351cf57b0d8cb9cf"


def test_a_walk_goes_on_over_chunks(db):
    chain, count = chain_of(db), 2 * CHUNK + 1
    store(db, *(usage_row(n) for n in range(count)), chain=chain)
    assert walked(db)[1:] == (count, chain.head.hex(), None)
    db.execute("UPDATE usage_rows SET status = 500 WHERE seq = ?", (count,))
    assert walked(db)[1::2] == (count - 1, Broken(count, usage_row(count - 1).request_id))


def test_a_column_that_comes_later_leaves_older_hashes_as_they_are(three):
    three.execute("ALTER TABLE usage_rows ADD COLUMN later INTEGER NOT NULL DEFAULT 0")
    columns = (*ROW_COLUMNS, "later")
    assert walk(three, SECRET, columns)[1::2] == (3, None)
    three.execute("UPDATE usage_rows SET later = 1 WHERE seq = 2")
    assert walk(three, SECRET, columns).broken == Broken(2, usage_row(2).request_id)
