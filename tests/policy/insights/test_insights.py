"""Insights on the fixed ledger of tests/support/business.py, reckoned by hand; and their laws."""

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.moment import DAY
from aimon_local.model.tier import Period
from aimon_local.policy.insights import INSIGHTS, forecast
from aimon_local.policy.insights.facts import percent, rank
from aimon_local.policy.spans import UTC, span
from tests.support.business import SINCE, UNTIL, facts

GOLDEN = {
    "sla": [
        {
            **{"consumer": "ann", "requests": 134, "denied": 4, "failed": 0, "success_percent": 100.0},
            # the gateway's 0.1 ms and the upstream's 0.9; ten days of 1 to 10 ms, one of 1 to 30 ms
            **{"first_byte_p50_ms": 1.0, "first_byte_p95_ms": 1.0, "first_byte_p99_ms": 1.0},
            **{"total_p50_ms": 6.0, "total_p95_ms": 24.0, "total_p99_ms": 29.0},
        },
        {
            **{"consumer": "bob", "requests": 202, "denied": 0, "failed": 20, "success_percent": 90.09},
            **{"first_byte_p50_ms": 1.0, "first_byte_p95_ms": 1.0, "first_byte_p99_ms": 1.0},
            **{"total_p50_ms": 1.1, "total_p95_ms": 1.1, "total_p99_ms": 1.1},
        },
    ],
    # 14.5 of 30 days are gone: 130 become 268; of bob's day 12 of 24 hours are gone, he called in the day before
    "forecast": [
        {
            **{"consumer": "ann", "tier": "free", "limit": "requests/month", "used": 130, "amount": 130},
            **{"expected": 268, "expected_percent": 206.15, "gone_percent": 48.33},
            **{"ends": "2026-12-01T00:00:00Z", "full_at": "2026-11-15T12:00:00Z"},
        }
    ],
    "unusual": [
        {
            **{"consumer": "ann", "direction": "up", "requests": 34, "usual_requests": 10, "charge": "0.00006"},
            **{"usual_charge": "0.00002", "days": 10, "may_be": "a surprise on the invoice"},
        },
        {
            **{"consumer": "bob", "direction": "down", "requests": 2, "usual_requests": 20, "charge": "0.00"},
            **{"usual_charge": "0.00", "days": 10, "may_be": "churn"},
        },
    ],
    "tiers": [
        {
            **{"tier": "free", "consumer": "ann", "limit": "requests/month", "peak_percent": 100.0, "refused": 4},
            "verdict": "maxed_out",
        },
        {
            **{"tier": "pro", "consumer": "bob", "limit": "requests/day", "peak_percent": 2.0, "refused": 0},
            "verdict": "under_used",
        },
    ],
    "conversion": [
        {
            **{"consumer": "cy", "free_group": "free", "free_since": "2026-11-02T00:00:00Z", "paid_group": "pro"},
            **{"paid_since": "2026-11-09T00:00:00Z", "days": 7, "calls_before": 0, "state": "paid"},
        },
        {
            **{"consumer": "ann", "free_group": "free", "free_since": "2026-11-01T00:00:00Z", "paid_group": None},
            **{"paid_since": None, "days": 14, "calls_before": 134, "state": "free"},
        },
    ],
    "adoption": [
        {
            **{"consumer": "dee", "since": "2026-11-10T00:00:00Z", "first_call": None, "hours_to_first_call": None},
            **{"active_days": 0, "requests": 0, "last_call": None, "state": "never_called"},
        },
        {
            **{"consumer": "ann", "since": "2026-11-01T00:00:00Z", "first_call": "2026-11-04T13:00:00Z"},
            **{"hours_to_first_call": 85, "active_days": 11, "requests": 134},
            **{"last_call": "2026-11-14T13:33:00Z", "state": "active"},
        },
    ],
    "products": [
        {
            **{"service": "ai", "route": "chat", "requests": 130, "consumers": 1, "tokens": 1950},
            **{"revenue": "0.00026", "cost": "0.00013", "margin": "0.00013"},
        },
        {
            **{"service": "plain", "route": "files", "requests": 202, "consumers": 1, "tokens": 0},
            **{"revenue": "0.00", "cost": "0.00", "margin": "0.00"},
        },
    ],
    # ten tokens at a millionth of a dollar and twenty at four millionths, four times; a cent for each call behind 100
    "denied": [
        {
            **{"reason": "quota_exhausted", "limit": "requests/month", "tier": "free", "requests": 4, "consumers": 1},
            **{"tokens": 120, "revenue": "0.04", "cost": "0.00036", "unpriced": 0},
        }
    ],
}


@pytest.mark.parametrize("name", INSIGHTS)
def test_the_answer_on_the_fixed_ledger_is_the_one_reckoned_by_hand(name):
    insight = INSIGHTS[name]
    rows = insight.fold(facts())
    assert rows == GOLDEN[name]
    assert json.loads(json.dumps(rows)) == rows
    assert all(set(row) == set(insight.columns) for row in rows)


@pytest.mark.parametrize("name", INSIGHTS)
def test_of_an_empty_ledger_nothing_is_said(name):
    assert INSIGHTS[name].fold(facts(rows=[], moves=[], consumers=[])) == []


def test_a_short_past_and_a_steady_consumer_are_not_unusual():
    unusual = INSIGHTS["unusual"].fold
    assert unusual(facts(since_ns=UNTIL - 3 * DAY)) == []
    steady = [each for each in facts().rows if each.row.at_ns < UNTIL - DAY]
    assert unusual(facts(rows=steady, until_ns=UNTIL - DAY)) == []


def test_who_left_a_paid_group_is_told_as_left():
    known = facts()
    left = [*known.moves, known.moves[1]._replace(at_ns=UNTIL - DAY, joined=False)]
    assert INSIGHTS["conversion"].fold(facts(moves=left))[0]["state"] == "left"


def test_a_consumer_without_a_call_for_a_week_is_idle_and_an_old_one_is_not_new():
    rows = INSIGHTS["adoption"].fold(facts(until_ns=UNTIL + 7 * DAY))
    assert {row["consumer"]: row["state"] for row in rows} == {"ann": "idle", "dee": "never_called"}
    assert INSIGHTS["adoption"].fold(facts(since_ns=SINCE + 12 * DAY)) == []


def test_money_limits_are_forecast_in_dollars():
    rows = []
    for each in facts().rows:
        record = each.ai and each.ai._replace(
            limits=tuple(word.replace("requests/", "cost/") for word in each.ai.limits)
        )
        rows.append(each._replace(ai=record))
    found = INSIGHTS["forecast"].fold(facts(rows=rows))[0]
    assert (found["used"], found["amount"], found["expected"]) == ("0.00000013", "0.00000013", "0.000000268")


def test_a_model_without_a_price_is_counted_and_costs_nothing():
    rows = INSIGHTS["denied"].fold(facts(price=lambda *_: None, plan=lambda _: None))
    assert (rows[0]["unpriced"], rows[0]["cost"], rows[0]["revenue"]) == (4, "0.00", "0.00")


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_rank_is_a_value_that_was_there_and_enough_lie_below(values, share):
    found = rank(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= share * len(values)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_all_of_it_is_only_said_of_all_of_it(part, whole):
    assert (percent(part, whole) >= 100) == (part >= whole)


@given(
    st.sampled_from(list(Period)),
    st.integers(0, 4_000_000_000),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
def test_a_window_began_where_its_span_begins(period, now, zone):
    """But for the hour by which clocks change within it."""
    begin, end = span(period, now, UTC if zone == "UTC" else ZoneInfo(zone))
    off = abs(forecast.began(f"requests/{period.value}", end) - begin)
    assert off <= (0 if zone == "UTC" else 3600)
