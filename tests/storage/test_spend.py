"""Sums of what AI calls used, against naive sums, whatever is folded and wherever a span begins."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.ai import AiRecord
from aimon_local.storage.batch import Batch, Parties, commit, fold
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries
from aimon_local.storage.spend import GROUPS, SUMS, Spend, spend_sql
from tests.support.ledger import HOUR, NOON, usage_row

CALLS = st.lists(
    st.tuples(
        st.integers(0, 3 * HOUR),  # when
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["m-1", "m-2"]),
        st.sampled_from(["reported", "estimated"]),
        st.booleans(),  # refused
        st.integers(0, 10**12),
    ),
    max_size=12,
)


def record(model, source, number):
    counts = {name: number + at for at, name in enumerate(SUMS[2:-1])}
    return AiRecord("openai.chat", "free", model, None, False, 1, 2, 3, 4, source=source, flags=("a", "b"), **counts)


def spend(number, source):
    return Spend(1, int(source == "estimated"), *(number + at for at in range(len(SUMS) - 3)), 1)


def added(spends):
    return Spend(*map(sum, zip(*spends, strict=True))) if spends else None


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return iter(tmp_path_factory.mktemp("spend") / str(number) for number in range(10_000))


@settings(max_examples=40, deadline=None)
@given(CALLS, st.integers(0, 12), st.tuples(st.integers(0, 3 * HOUR), st.integers(0, 3 * HOUR)))
def test_sums_are_those_of_the_rows(places, calls, folded, ends):
    since, until = sorted(ends)
    database = Database.open(next(places))
    db = database.connect()
    parties, last = Parties(), 0
    for number, (at, who, model, source, refused, amount) in enumerate(calls):
        batch, row = Batch(), usage_row(number, at_ns=NOON + at, consumer=who, consumer_id=f"id-{who}")
        if refused:
            row = row._replace(decision="deny", deny_reason="quota_exhausted")
        batch.rows.append(row)
        batch.ai.append((row.request_id, record(model, source, amount)))
        last = commit(db, batch, last, parties)
        if number == folded:
            fold(db, last)
    db.close()

    async def ask():
        queries = await Queries.open(database)
        try:
            whole = await queries.spend()
            ann = await queries.spend(None, "ann", NOON + since, NOON + until)
            by_model = await queries.spend("model", "id-ann", NOON + since, NOON + until)
            by_hour = await queries.spend("hour")
            return whole, ann, by_model, by_hour
        finally:
            await queries.close()

    whole, ann, by_model, by_hour = asyncio.run(ask())
    database.close()
    kept = [call for call in calls if not call[4]]
    mine = [call for call in kept if call[1] == "ann" and since <= call[0] < until]

    def of(some):
        return added([spend(call[5], call[3]) for call in some])

    assert whole.get("") == of(kept)
    assert ann.get("") == of(mine)
    assert by_model == {model: of([call for call in mine if call[2] == model]) for model in {call[2] for call in mine}}
    assert added(list(by_hour.values())) == of(kept)


def test_a_record_that_sqlite_can_not_take_is_mended_and_one_request_is_one_record(tmp_path):
    database = Database.open(tmp_path)
    db = database.connect()
    batch, row = Batch(), usage_row(1)
    batch.rows += [row, row]
    batch.ai += [(row.request_id, record("\ud800", "reported", 1 << 80)), (row.request_id, record("m", "reported", 1))]
    assert commit(db, batch, 0, Parties()) == 1
    found = db.execute("SELECT model, cost, flags FROM ai_usage").fetchall()
    assert [(model, flags) for model, _, flags in found] == [("\\ud800", "a b")]
    assert found[0][1] < 1 << 62
    db.close()
    database.close()


@pytest.mark.parametrize("by", GROUPS)
def test_no_question_reads_the_whole_ledger(tmp_path, by):
    database = Database.open(tmp_path)
    db = database.connect()
    sql, arguments = spend_sql("ann", NOON, NOON + 720 * HOUR + 5, by)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
    assert not [step for step in plan if step.startswith("SCAN") and ("usage_rows" in step or "ai_usage" in step)], plan
    db.close()
    database.close()


def test_agents_apart_by_the_name_that_they_have_now(tmp_path):
    database = Database.open(tmp_path)
    db = database.connect()
    batch = Batch()
    for number, who in enumerate(("bot", "bot", "ann")):
        row = usage_row(number, at_ns=NOON, consumer=who, consumer_id=f"id-{who}")
        batch.rows.append(row)
        batch.ai.append((row.request_id, record("m-1", "reported", 0)))
    commit(db, batch, 0, Parties())
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("INSERT INTO agents (id, name, consumer_id, owner_id, body) VALUES ('a', 'digger', 'id-bot', 'o', '{}')")
    sql, arguments = spend_sql(None, None, None, "agent")
    assert {group: calls for group, calls, *_ in db.execute(sql, arguments)} == {"digger": 2, "": 1}
    db.close()
    database.close()
