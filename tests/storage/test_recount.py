"""Counters against rows: what agrees, what differs, and what rows can't tell."""

import json
import sqlite3

import pytest

from aimon_local.model.ai import AiRecord, word
from aimon_local.model.usage import CounterChange
from aimon_local.storage import recount
from aimon_local.storage.batch import Batch, Parties, commit
from aimon_local.storage.migrate import migrate
from tests.support.ledger import HOUR, NOON, usage_row

START = NOON // 10**9  # of the window; it lasts an hour
END = START + 3600
NOW = START + 60


def call(**changes):
    """An admitted call: 10 tokens in, 20 out, cost 30, charge 40, counted on a limit of each unit."""
    limits = tuple(word(f"{unit}/hour", "", 100, 0, 1, 1, END) for unit in recount._UNITS)
    facts = {"input": 4, "cache_read": 5, "cache_write": 1, "output": 13, "reasoning": 7, "cost": 30, "charge": 40}
    record = AiRecord("openai.chat", "free", "m", "m", False, 1, 1, 1, 1, **facts, source="reported", limits=limits)
    return record._replace(**changes)


USED = {"requests": 1, "input_tokens": 10, "output_tokens": 20, "tokens": 30, "cost": 30, "charge": 40}


def counted(calls, counters, plugins=(), tiers=(), rows=None):
    """(months, limits, rates) over a ledger."""
    db, batch = sqlite3.connect(":memory:", isolation_level=None), Batch()
    migrate(db)
    for number, record in enumerate(calls):
        row = usage_row(number) if rows is None else rows[number]
        batch.rows.append(row)
        if record is not None:
            batch.ai.append((row.request_id, record))
    batch.touched.extend(CounterChange(*each) for each in counters)
    commit(db, batch, 0, Parties())
    for number, (route, config, changed) in enumerate(plugins):
        if route:
            db.execute("INSERT OR IGNORE INTO routes (id, body) VALUES (?, '{}')", (route,))
        body = json.dumps({"config": config, "created_at": 1, "updated_at": changed})
        db.execute(
            "INSERT INTO plugins (id, name, route_id, body) VALUES (?, 'rate-limiting', ?, ?)", (number, route, body)
        )
    for name, mode in tiers:
        db.execute(
            "INSERT INTO tiers (id, name, body) VALUES (?1, ?1, ?2)", (name, json.dumps({"name": name, "mode": mode}))
        )
    found = recount.months(db, NOW), recount.limits(db, NOW), recount.rates(db, NOW)
    db.close()
    return found


def limit(value, unit="requests/hour", key="tier:c-1", start=START, end=END):
    return key, unit, start, value, end


def agreed(found):
    return found.agree, found.untold, len(found.differ)


@pytest.mark.parametrize("unit", USED)
def test_each_unit_is_the_sum_of_its_calls(unit):
    refused = call(denied_limit="requests/day")
    back = call(flags=("released",))
    for more, good in ((0, (1, 0, 0)), (1, (0, 0, 1)), (-1, (0, 0, 1))):
        counters = [limit(2 * USED[unit] + more, f"{unit}/hour")]
        assert agreed(counted([call(), call(flags=("a",)), refused, back, None], counters)[1]) == good


@pytest.mark.parametrize("part", ["requests", "input_tokens", "output_tokens", "cost"])
def test_billing_months(part):
    for more, good in ((0, (1, 0, 0)), (1, (0, 0, 1))):
        counters = [limit(2 * USED[part] + more, f"month/{part}")]
        assert agreed(counted([call(), call()], counters)[0]) == good


def test_rows_of_other_windows_consumers_and_limits_are_left_alone():
    rows = [
        usage_row(1),
        usage_row(2, at_ns=NOON - 1),
        usage_row(3, at_ns=NOON + HOUR),
        usage_row(4, consumer_id="c-2"),
        usage_row(5),
    ]
    elsewhere = call(limits=(word("requests/hour", "extra/x", 9, 0, 1, 1, END),))
    calls = [call(), call(), call(), call(), elsewhere]
    counters = [limit(1), limit(1, key="tier:c-1@extra/x"), limit(9, "requests/day", end=NOW)]
    assert agreed(counted(calls, counters, rows=rows)[1]) == (2, 0, 0)


def test_what_rows_can_not_tell():
    silent = counted([call(), call(limits=())], [limit(1)])
    assert agreed(silent[1]) == (0, 1, 0)
    for unit in ("requests/hour:sliding@3", "burst"):
        assert agreed(counted([call()], [limit(7, unit)])[1]) == (0, 1, 0)
    assert agreed(counted([call()], [limit(0)], tiers=[("free", "async-count")])[1]) == (0, 1, 0)
    assert agreed(counted([call()], [limit(0)], tiers=[("free", "post-count")])[1]) == (0, 0, 1)


BY = {"limit_by": "consumer"}


@pytest.mark.parametrize(
    ("plugins", "value", "expected"),
    [
        ([(None, BY, 1)], 2, (1, 0, 0)),
        ([(None, BY, 1)], 3, (1, 0, 0)),  # one came and has not ended
        ([(None, BY, 1)], 1, (0, 0, 1)),
        ([(None, BY, START)], 1, (0, 1, 0)),  # changed within the window
        ([(None, {"limit_by": "ip"}, 1)], 1, (0, 1, 0)),
        ([(None, BY, 1), ("r-1", BY, 1)], 1, (0, 1, 0)),
        ([("r-1", BY, 1)], 1, (0, 1, 0)),  # it is not the counter's place
        ([], 1, (0, 1, 0)),
    ],
)
def test_windows_of_rate_limiting(plugins, value, expected):
    counters = [("rate:::c-1", "hour", START, value, END)]
    rows = [usage_row(1), usage_row(2), usage_row(3, decision="deny", deny_reason="rate_limited")]
    assert agreed(counted([None] * 3, counters, plugins, rows=rows)[2]) == expected


def test_a_window_of_one_route():
    rows = [usage_row(1), usage_row(2, route_id="r-2"), usage_row(3, service_id="s-2")]
    counters = [("rate:r-1::c-1", "hour", START, 2, END)]
    assert agreed(counted([None] * 3, counters, [("r-1", BY, 1)], rows=rows)[2]) == (1, 0, 0)
