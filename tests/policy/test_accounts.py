"""The registry of accounts: billing months, what is stored, what comes back."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Burst, Period, Tier
from aimon_local.model.tokens import TokenUsage
from aimon_local.model.usage import CounterChange
from aimon_local.policy.account import Demand, admit, settle
from aimon_local.policy.accounts import Accounts, Month, changes
from aimon_local.policy.pricing import Component, PricePlan, Step, Totals
from aimon_local.policy.spans import UTC
from tests.support.tiers import limit

NS = 10**9
NOW = 1_790_000_000 * NS
STEPS = (Component("tokens", (Step(100, 30), Step(500, 20), Step(None, 10)), included=50, per=7),)
PLAN = PricePlan("p", components=STEPS, markup=12_000)


def usage(tokens):
    return TokenUsage(input=tokens)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.booleans()), max_size=20))
def test_a_months_calls_bring_what_their_sum_brings_whatever_is_in_flight(calls):
    month, total, brought, open_calls = Month(), 0, 0, []
    month.bring_to(NOW, UTC)
    for most, actual, waits in calls:
        held = Totals(1, most, 0, most)
        bound = month.most(PLAN, held)
        month.hold(held)
        open_calls.append((held, min(most, actual), bound))
        if waits:
            continue
        for held_, used, bound_ in open_calls:
            charge = month.settle(PLAN, month.start, held_, usage(used), used, 1)
            brought, total = brought + charge, total + used
            assert charge >= 0
            assert bound_ >= 0
        open_calls.clear()
    for held_, used, _ in open_calls:
        brought, total = brought + month.settle(PLAN, month.start, held_, usage(used), used, 1), total + used
    assert brought == PLAN.usage_charge(Totals(len(calls), total, 0, total))
    assert month.held == Totals()


def test_a_call_over_the_months_end_leaves_the_new_month_alone():
    month = Month()
    month.bring_to(NOW, UTC)
    start = month.start
    month.hold(Totals(1, 9, 0, 9))
    month.bring_to(month.end * NS, UTC)
    assert month.settle(PLAN, start, Totals(1, 9, 0, 9), usage(60), 60, 1) == PLAN.usage_charge(Totals(1, 60, 0, 60))
    assert (month.used, month.held) == (Totals(), Totals())


TIER = Tier(
    "t",
    limits=(
        limit("requests", 100),
        limit("tokens", 1000, Period.HOUR, sliding=True),
        limit("cost", 10**6, Period.MONTH),
    ),
    burst=Burst(1, Period.MINUTE, 30),
    concurrency=9,
)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4000)), max_size=25), st.randoms())
def test_stored_rows_bring_everything_back(calls, chance):
    first, rows, now = Accounts(), {}, NOW
    for tokens, later in calls:
        now += later * NS
        account = first.open("a:b", TIER, UTC)
        got = admit([account], Demand(1, tokens, 0, tokens), now)
        if hasattr(got, "held"):
            settle(got, Demand(1, tokens, 0, tokens))
            rows |= {(row.key, row.unit): row for each in changes(got) for row in each.changes()}
    second, shuffled = Accounts(), [row for row in rows.values() if row.expires * NS > now]
    chance.shuffle(shuffled)
    second.load(shuffled)
    before = first.open("a:b", TIER, UTC).statuses(now)
    after = second.open("a:b", TIER, UTC).statuses(now)
    assert [(one.name, one.used) for one in after] == [(one.name, one.used) for one in before]
    # A sliding window's cells are stored by whole seconds.
    assert all(abs(one.resets - two.resets) <= NS for one, two in zip(before, after, strict=True))


def test_rows_of_others_are_left_alone():
    accounts = Accounts()
    accounts.load([CounterChange("rate:r:s:x", "day", 0, 5, 10), CounterChange("other", "requests/day", 0, 5, 10)])
    assert {status.used for status in accounts.open("r:s:x", TIER, UTC).statuses(NOW)} == {0}


def test_months_come_back():
    month = Month("c")
    month.bring_to(NOW, UTC)
    month.settle(PLAN, month.start, Totals(), usage(60), 7, 1)
    rows = month.changes()
    accounts = Accounts()
    accounts.load(rows)
    back = accounts.month("c", NOW, UTC)
    assert (back.used, back.start, back.end) == (Totals(1, 60, 0, 7), month.start, month.end)
    assert accounts.month("c", month.end * NS, UTC).used == Totals()
    assert accounts.find("c") is None
