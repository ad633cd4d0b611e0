"""Corrections: read as charged, appended whole, chained; sums have them, at the time of the call."""

import asyncio
from contextlib import closing

import pytest

from aimon_local.errors import StoreError
from aimon_local.model.ai import AiRecord
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.repricing import Charged, Correction
from aimon_local.storage.batch import Batch, Parties, commit, fold
from aimon_local.storage.chain import Chain
from aimon_local.storage.corrections import Corrections, walk_corrections
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries
from aimon_local.storage.verify import verify
from tests.support.ledger import HOUR, NOON, usage_row

RECORD = AiRecord("openai.chat", "free", "m", "m", False, 1, 1, 1, 1, 1, 2, 3, 4, 5, 100, 200, "reported")


@pytest.fixture
def database(tmp_path):
    """Six calls in three hours, half of them in the hourly sums; one was given back, one refused."""
    made = Database.open(tmp_path)
    with closing(made.connect()) as db:
        chain, batch = Chain(made.secret), Batch()
        chain.find(db)
        for number in range(6):
            row = usage_row(number, at_ns=NOON + number // 2 * HOUR)
            if number == 5:
                row = row._replace(decision="deny", deny_reason="quota_exhausted")
            batch.rows.append(row)
            record = RECORD._replace(flags=("released",) if number == 4 else ())
            batch.ai.append((row.request_id, record._replace(denied_limit="cost/day" if number == 5 else None)))
        commit(db, batch, 0, Parties(), chain)
        fold(db, 3)
    yield made
    made.close()


def spent(database, *arguments):
    async def ask():
        queries = await Queries.open(database)
        try:
            return await queries.spend(*arguments)
        finally:
            await queries.close()

    return {key: (spend.calls, spend.cost, spend.charge) for key, spend in asyncio.run(ask()).items()}


def wrong(database):
    return [check.name for check in verify(database.directory, NOON).checks if not check.good]


def test_calls_come_as_they_were_charged_from_a_time_on(database):
    store = Corrections(database)
    calls = list(store.calls(0))
    assert [int(call.request_id, 16) for call in calls] == [0, 1, 2, 3]
    facts = ("c-1", "free-user", "free", "m", TokenUsage(1, 2, 3, 4, 5), 100, 200)
    assert calls[0] == Charged(usage_row(0).request_id, NOON, calls[0].party, *facts)
    assert [int(call.request_id, 16) for call in store.calls(NOON + HOUR)] == [2, 3]
    assert list(store.calls(NOON + 9 * HOUR)) == []


def test_corrections_are_added_to_calls_and_sums_and_verified(database):
    store = Corrections(database)
    before = spent(database, "hour")
    first, _, third, _ = store.calls(0)
    store.append([Correction(first, 11, -22), Correction(third, -1, 0)], NOON)
    store.append([Correction(first, 4, 2)], NOON + 1)
    assert [(call.cost, call.charge) for call in store.calls(0)] == [(115, 180), (100, 200), (99, 200), (100, 200)]
    hour = NOON // HOUR * 3600
    changed = spent(database, "hour")
    assert changed[hour] == (2, before[hour][1] + 15, before[hour][2] - 20)
    assert changed[hour + 3600] == (2, before[hour + 3600][1] - 1, before[hour + 3600][2])
    assert changed[hour + 7200] == before[hour + 7200]
    assert spent(database, "model", "free-user", NOON, NOON + 1)["m"] == (2, 215, 380)
    assert wrong(database) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ai_corrections SET cost = 0 WHERE id = 2",
        "UPDATE ai_corrections SET model = 'n' WHERE id = 2",
        "DELETE FROM ai_corrections WHERE id = 1",
        "UPDATE ai_corrections SET request_id = 'x' WHERE id = 3",
    ],
)
def test_a_changed_correction_is_found(database, sql):
    store = Corrections(database)
    store.append([Correction(call, 1, 1) for call in store.calls(0)], NOON)
    assert wrong(database) == []
    with closing(database.connect()) as db:
        db.execute(sql)
        found = walk_corrections(db, database.secret)
        assert found.broken.seq == (3 if "id = 3" in sql else 2)
    assert wrong(database) == ["corrections"]


def test_many_go_in_small_transactions_and_the_chain_goes_on(database):
    store = Corrections(database)
    call = next(iter(store.calls(0)))
    store.append([Correction(call, 1, 0)] * 1201, NOON)
    store.append([Correction(call, -1, 0)], NOON)
    with closing(database.connect()) as db:
        assert walk_corrections(db, database.secret)[1::2] == (1202, None)
    assert next(iter(store.calls(0))).cost == 100 + 1200


def test_what_can_not_be_written_is_told(database):
    store = Corrections(database)
    call = next(iter(store.calls(0)))
    with closing(database.connect()) as db:
        db.execute("DROP TABLE ai_corrections")
    with pytest.raises(StoreError):
        store.append([Correction(call, 1, 0)], NOON)
    with pytest.raises(StoreError):
        list(store.calls(0))
