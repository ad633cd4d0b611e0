import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.usage import CounterChange
from aimon_local.storage.batch import Batch, Parties, commit, fold, forget, last_seq
from aimon_local.storage.migrate import migrate
from tests.support.ledger import HOUR, NOON, counter, usage_row


def new_db():
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    return db


@pytest.fixture
def db():
    db = new_db()
    yield db
    db.close()


def batch(rows, touched=()):
    made = Batch()
    made.rows.extend(rows)
    made.touched.extend(touched)
    return made


def ids(db):
    return [request_id for (request_id,) in db.execute("SELECT request_id FROM usage ORDER BY seq")]


def test_rows_get_numbers_without_gaps_and_come_back_as_they_were(db):
    rows = [
        usage_row(1),
        usage_row(
            2, consumer_id=None, consumer=None, credential_id=None, tier=None, decision="deny", deny_reason="no_key"
        ),
        usage_row(3, upstream_status=None, upstream_us=None, complete=False, status=0),
    ]
    parties = Parties()
    assert commit(db, batch(rows[:2]), 0, parties) == 2
    assert commit(db, batch(rows[2:]), 2, parties) == 3 == last_seq(db)
    columns = ", ".join(rows[0]._fields)
    assert db.execute(f"SELECT {columns} FROM usage ORDER BY seq").fetchall() == [tuple(row) for row in rows]
    assert db.execute("SELECT count(*) FROM usage_parties").fetchone() == (2,)


def test_the_last_value_of_a_counter_is_stored(db):
    commit(db, batch([usage_row(1)], [counter(1), counter(2), counter(5, unit="hour"), counter(3)]), 0, Parties())
    commit(db, batch([usage_row(2)], [counter(4)._replace(start=7, expires=8)]), 1, Parties())
    found = {CounterChange(*row) for row in db.execute("SELECT * FROM counters")}
    assert found == {counter(4)._replace(start=7, expires=8), counter(5, unit="hour")}


def test_counters_are_forgotten_when_their_time_is_over(db):
    commit(db, batch([], [counter(1)._replace(expires=60), counter(2, "late")._replace(expires=61)]), 0, Parties())
    forget(db, 60)
    assert db.execute("SELECT key FROM counters").fetchall() == [("late",)]


def test_a_request_id_is_stored_once(db):
    parties = Parties()
    commit(db, batch([usage_row(1), usage_row(2)]), 0, parties)
    last = commit(db, batch([usage_row(2, status=500), usage_row(3), usage_row(3)], [counter(9)]), 2, parties)
    assert last == 3 == last_seq(db)
    assert ids(db) == [usage_row(n).request_id for n in (1, 2, 3)]
    assert db.execute("SELECT value FROM counters").fetchone() == (9,)


def test_values_that_sqlite_refuses_are_mended_not_lost(db):
    odd = usage_row(2, consumer="\ud800", bytes_in=2**70, upstream_us=None, status=None, method=b"GET")
    last = commit(db, batch([usage_row(1), odd], [counter(2**64, key="\udfff")]), 0, Parties())
    assert last == 2
    found = db.execute("SELECT consumer, bytes_in, upstream_us, status, method FROM usage WHERE seq = 2").fetchone()
    assert found == ("\\ud800", 2**48, None, 0, "b'GET'")
    assert db.execute("SELECT key, value FROM counters").fetchone() == ("\\udfff", 2**63 - 1)


def test_a_failed_batch_leaves_nothing(db):
    parties = Parties()
    commit(db, batch([usage_row(1)]), 0, parties)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    many = batch([usage_row(n) for n in range(2, 3000)], [counter(3000)])
    with pytest.raises(sqlite3.OperationalError, match="full"):
        commit(db, many, 1, parties)
    assert (ids(db), last_seq(db), db.in_transaction) == ([usage_row(1).request_id], 1, False)
    assert db.execute("SELECT count(*) FROM counters").fetchone() == (0,)
    db.execute("PRAGMA max_page_count = 100000")
    assert commit(db, many, 1, parties) == 2999 == last_seq(db)


ROWS = st.builds(
    lambda n, hour, status, tier, complete, sent: usage_row(
        n, at_ns=NOON + hour * HOUR + n, status=status, tier=tier, complete=complete, bytes_out=sent
    ),
    st.integers(0, 10**9),
    st.integers(0, 2),
    st.sampled_from([200, 429]),
    st.sampled_from(["free", "pro", None]),
    st.booleans(),
    st.integers(0, 10**6),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(ROWS, max_size=8), st.booleans()), max_size=10))
def test_folded_sums_are_the_sums_of_the_rows_whenever_they_are_folded(steps):
    db, parties, last = new_db(), Parties(), 0
    for rows, folds in steps:
        last = commit(db, batch(rows), last, parties)
        if folds:
            fold(db, last)
    fold(db, last)
    fold(db, last)
    sums = """SELECT party, hour, status, SUM(requests), SUM(incomplete), SUM(bytes_out), MIN(first_seq), MAX(last_seq)
        FROM usage_hourly GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    plain = f"""SELECT party, at_ns / {HOUR}, status, COUNT(*), SUM(NOT complete), SUM(bytes_out), MIN(seq), MAX(seq)
        FROM usage_rows GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    assert db.execute(sums).fetchall() == db.execute(plain).fetchall()
    assert last == last_seq(db) == len(set(ids(db)))
    db.close()


def test_numbers_of_parties_are_found_again_after_they_were_forgotten(db, monkeypatch):
    monkeypatch.setattr("aimon_local.storage.batch._MOST_PARTIES", 2)
    parties, last = Parties(), 0
    for n in range(12):
        last = commit(db, batch([usage_row(n, tier=f"t{n % 4}")]), last, parties)
    assert db.execute("SELECT count(*), count(DISTINCT tier) FROM usage_parties").fetchone() == (4, 4)
    assert [row[0] for row in db.execute("SELECT tier FROM usage ORDER BY seq")] == [f"t{n % 4}" for n in range(12)]
