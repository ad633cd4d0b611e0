import asyncio
import contextlib
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import CounterChange
from aimon_local.storage import queries as module
from aimon_local.storage.batch import Batch, Parties, commit, fold
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries, UsageTotals, totals_sql
from tests.support.ledger import HOUR, NOON, counter, usage_row


@contextlib.asynccontextmanager
async def opened(directory, rows, *, folded=0, touched=(), ai=()):
    """Queries over a ledger of ``rows``, of which the first ``folded`` are in the hourly sums."""
    database = Database.open(Path(directory))
    db = database.connect()
    db.execute("PRAGMA synchronous = OFF")
    batch = Batch()
    batch.rows.extend(rows)
    batch.touched.extend(touched)
    batch.ai.extend(ai)
    commit(db, batch, 0, Parties())
    fold(db, folded)
    queries = await Queries.open(database)
    try:
        yield queries
    finally:
        await queries.close()
        db.close()
        database.close()


DENIED = {"decision": "deny", "deny_reason": "rate_limited", "status": 429, "upstream_status": None, "bytes_out": 50}
ROWS = [
    usage_row(1),
    usage_row(2, consumer_id="c-2", consumer="pro-user", tier="pro", status=500, complete=False),
    usage_row(3, **DENIED),
    usage_row(4, consumer_id=None, consumer=None, credential_id=None, tier=None, at_ns=NOON + HOUR, route_id="r-2"),
    usage_row(5, at_ns=NOON + 25 * HOUR, bytes_in=7),
]


@pytest.mark.parametrize("folded", [0, 2, 5])
def test_totals_count_admitted_and_refused_apart(tmp_path, folded):
    async def steps():
        async with opened(tmp_path, ROWS, folded=folded) as queries:
            assert await queries.usage_totals() == UsageTotals(
                requests=4,
                denied=1,
                denied_by_reason={"rate_limited": 1},
                statuses={200: 3, 429: 1, 500: 1},
                incomplete=1,
                bytes_in=47,
                bytes_out=4 * 615 + 50,
                gateway_us=400,
                total_us=4400,
            )
            by_name, by_id = await queries.usage_totals("free-user"), await queries.usage_totals("c-1")
            assert by_name == by_id
            assert (by_name.requests, by_name.denied) == (2, 1)
            assert await queries.usage_totals("nobody") == UsageTotals()
            assert (await queries.usage_totals(since=NOON, until=NOON)).statuses == {}

    asyncio.run(steps())


@pytest.mark.parametrize(
    ("by", "requests"),
    [
        ("consumer", {"free-user": 2, "pro-user": 1, "": 1}),
        ("tier", {"free": 2, "pro": 1, "": 1}),
        ("route", {"r-1": 3, "r-2": 1}),
        ("service", {"s-1": 4}),
        ("status", {200: 3, 500: 1, 429: 0}),
        ("hour", {NOON // 10**9: 2, NOON // 10**9 + 3600: 1, NOON // 10**9 + 25 * 3600: 1}),
        ("day", {NOON // 10**9 // 86400 * 86400: 3, (NOON // 10**9 // 86400 + 1) * 86400: 1}),
    ],
)
def test_totals_apart(tmp_path, by, requests):
    async def steps():
        async with opened(tmp_path, ROWS, folded=3) as queries:
            found = await queries.usage_totals_by(by)
            assert {name: totals.requests for name, totals in found.items()} == requests

    asyncio.run(steps())


def test_rows_come_page_by_page_the_last_ended_first(tmp_path):
    rows = [usage_row(n, consumer_id=f"c-{n % 2}", at_ns=NOON + n * HOUR // 7) for n in range(40)]

    async def steps():
        async with opened(tmp_path, rows, folded=33) as queries:
            for consumer in (None, "c-1"):
                seen, before = [], None
                while True:
                    page = await queries.usage_rows(consumer, before=before, size=7)
                    seen += page.rows
                    before = page.next
                    if before is None:
                        break
                    assert len(page.rows) == 7
                assert seen == [row for row in reversed(rows) if consumer in (None, row.consumer_id)]
            assert (await queries.usage_rows("nobody")).rows == ()
            assert len((await queries.usage_rows(size=10**9)).rows) == 40
            assert len((await queries.usage_rows(size=0)).rows) == 1

    asyncio.run(steps())


def test_one_row_by_its_request_id(tmp_path):
    async def steps():
        async with opened(tmp_path, ROWS) as queries:
            assert await queries.usage_row(ROWS[1].request_id) == ROWS[1]
            assert await queries.usage_row("unknown") is None

    asyncio.run(steps())


def test_counters_of_open_windows_come_back(tmp_path):
    over = counter(9, unit="second")._replace(expires=100)

    async def steps():
        async with opened(tmp_path, [], touched=[counter(4), over]) as queries:
            assert await queries.counters(100 * 10**9) == [counter(4)]
            assert sorted(await queries.counters(99 * 10**9)) == sorted([counter(4), over])
            assert isinstance((await queries.counters(100 * 10**9))[0], CounterChange)

    asyncio.run(steps())


# ---- against a naive reading of the rows

TIMES = st.integers(0, 4 * 6).map(lambda tenth: NOON + tenth * HOUR // 6)
SPANS = st.none() | TIMES | TIMES.map(lambda at: at + 1)
LEDGERS = st.lists(
    st.builds(lambda at, who, denied: (at, who, denied), TIMES, st.sampled_from(["a", "b", None]), st.booleans()),
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(LEDGERS, st.integers(0, 30), SPANS, SPANS, st.sampled_from([None, "a", "b"]), st.integers(1, 5))
def test_any_span_is_what_adding_up_its_rows_gives(ledger, folded, since, until, consumer, size):
    rows = []
    for n, (at, who, denied) in enumerate(ledger):
        changes = DENIED if denied else {}
        rows.append(usage_row(n, at_ns=at, consumer_id=who, consumer=who, credential_id=None, **changes))
    wanted = [
        row for row in rows if consumer in (None, row.consumer) and (since or 0) <= row.at_ns < (until or 1 << 62)
    ]

    async def steps(directory):
        async with opened(directory, rows, folded=min(folded, len(rows))) as queries:
            totals = await queries.usage_totals(consumer, since, until)
            assert totals.requests == sum(row.decision == "allow" for row in wanted)
            assert totals.denied == len(wanted) - totals.requests
            assert totals.statuses == Counter(row.status for row in wanted)
            assert totals.bytes_out == sum(row.bytes_out for row in wanted)
            seen, before = [], None
            while True:
                page = await queries.usage_rows(consumer, since, until, before=before, size=size)
                seen += page.rows
                before = page.next
                if before is None:
                    break
            assert seen == wanted[::-1]

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(steps(directory))


# ---- no statement reads the whole ledger


def asked(monkeypatch):
    """All statements that the questions below lead to."""
    seen = []
    plain = Queries._all

    async def noted(self, sql, arguments):
        seen.append((sql, arguments))
        return await plain(self, sql, arguments)

    monkeypatch.setattr(module.Queries, "_all", noted)
    return seen


def test_no_question_scans_the_ledger(tmp_path, monkeypatch):
    seen = asked(monkeypatch)

    async def steps():
        async with opened(tmp_path, ROWS, folded=4) as queries:
            for consumer in (None, "c-1"):
                for since in (None, NOON + 1):
                    for until in (None, NOON + 30 * HOUR + 1):
                        await queries.usage_totals(consumer, since, until)
                        await queries.usage_rows(consumer, since, until, before=4)
            await queries.usage_row("x")
            await queries.ai_records(["x"])
            for sql, arguments in seen[:]:
                if "usage" in sql:
                    plan = await queries._all(f"EXPLAIN QUERY PLAN {sql}", arguments)
                    steps_ = [row[3] for row in plan]
                    assert not [step for step in steps_ if step.startswith(("SCAN usage_rows", "SCAN ai_usage"))], (
                        sql,
                        steps_,
                    )
                    assert any(
                        name in step for step in steps_ for name in ("usage_rows", "usage_hourly", "SEARCH ai_usage")
                    )

    asyncio.run(steps())
    assert len(seen) > 30


def test_a_span_within_one_hour_reads_rows_alone():
    sql, _ = totals_sql(None, NOON + 5, NOON + 9, None)
    assert "UNION ALL" in sql
    assert "FROM usage_hourly WHERE hour >=" not in sql


def test_what_ai_calls_used_reads_back_as_it_was(tmp_path):
    plain = AiRecord("openai.chat", "free", "m", None, False, 1, 2, 3, 4)
    full = AiRecord(
        "anthropic.messages", "pro", "m", "m-1", True, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "reported", True, "length",
        ("odd", "late"), ("minute",), "day tokens", 12, 13,
    )  # fmt: skip
    ids = [usage_row(number).request_id for number in range(3)]

    async def steps():
        async with opened(tmp_path, ROWS, ai=[(ids[0], plain), (ids[1], full)]) as queries:
            assert await queries.ai_records(ids) == {ids[0]: plain, ids[1]: full}
            assert await queries.ai_records(ids[2:]) == {}
            assert await queries.ai_records(()) == {}
            assert list(await queries.ai_records(["' OR 1", ids[1]])) == [ids[1]]

    asyncio.run(steps())
