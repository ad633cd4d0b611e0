"""Corrections: what prices of now would have made of the calls, exactly, once, and never for nothing."""

from datetime import UTC
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.pricing import Component, ModelPrice, PriceBook, PricePlan, Rates, Step, Totals
from aimon_local.policy.repricing import Charged, Repricing

DAY = 86_400
PLAN = PricePlan("p", 0, (Component("requests", (Step(2, 500), Step(None, 100)), 1),), 15_001)
TOKYO = ZoneInfo("Asia/Tokyo")


def book(rate, since=0):
    return PriceBook([ModelPrice("m", "x", since, Rates(*[rate] * 5))])


def terms(consumer_id, tier):
    return (PLAN, TOKYO) if tier == "t" else None


def charged(calls, rate):
    """The calls (day, consumer, tokens, model) as the gateway would charge them at a rate."""
    totals, out = {}, []
    for number, (day, who, tokens, model) in enumerate(sorted(calls)):
        usage = TokenUsage(tokens)
        cost = Rates(*[rate] * 5).cost(usage) if model == "m" else 7
        month = (who, (day * DAY + 9 * 3600) // DAY >= 31)  # January or February 1970 in Tokyo
        before = totals.get(month, Totals())
        totals[month] = before.plus(1, usage, cost)
        charge = PLAN.charge(before, totals[month])
        out.append(Charged(str(number), day * DAY * 10**9, 1, who, who, "t", model, usage, cost, charge))
    return out


def corrected(calls, corrections):
    more = {each.call.request_id: each for each in corrections}
    return [
        call._replace(cost=call.cost + more[call.request_id].cost, charge=call.charge + more[call.request_id].charge)
        if call.request_id in more
        else call
        for call in calls
    ]


CALLS = st.lists(
    st.tuples(st.integers(0, 55), st.sampled_from("ab"), st.integers(0, 10**6), st.sampled_from(["m", "m", "gone"])),
    max_size=12,
)


@given(CALLS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_all_corrected_is_what_the_new_prices_would_have_charged(calls, old, new):
    was, wanted = charged(calls, old), charged(calls, new)
    found = list(Repricing(book(new), terms, 0).corrections(was))
    assert corrected(was, found) == wanted
    assert all(each.cost or each.charge for each in found)
    assert list(Repricing(book(new), terms, 0).corrections(wanted)) == []


@given(CALLS, st.integers(0, 10**9), st.integers(0, 55))
def test_calls_before_are_left_and_count_in_their_month(calls, new, day):
    was, since = charged(calls, 1000), day * DAY * 10**9
    run = Repricing(book(new), terms, since)
    now = corrected(was, list(run.corrections(was)))
    assert [call for call in now if call.at_ns < since] == [call for call in was if call.at_ns < since]
    assert run.calls == sum(call.at_ns >= since for call in was)
    assert run.unpriced == sum(call.at_ns >= since and call.model == "gone" and call.usage.total > 0 for call in was)
    assert list(Repricing(book(new), terms, since).corrections(now)) == []


def test_what_has_no_plan_any_more_is_left():
    calls = [call._replace(tier="gone") for call in charged([(1, "a", 100, "m")], 10**6)]
    run = Repricing(book(10**9), terms, 0)
    assert (list(run.corrections(calls)), run.without_plan) == ([], 1)


def test_a_price_holds_from_its_day_on():
    calls = charged([(1, "a", 10**6, "m"), (9, "a", 10**6, "m")], 0)
    prices = PriceBook([*book(0).lines, *book(5, since=5 * DAY).lines])
    (found,) = Repricing(prices, lambda *_: (PricePlan("none"), UTC), 0).corrections(calls)
    assert (found.call.at_ns, found.cost) == (9 * DAY * 10**9, 5)


def test_a_call_that_ended_in_a_later_month_is_charged_alone():
    late, early = charged([(1, "a", 10, "m"), (40, "a", 10, "m")], 10**6)
    alone = PLAN.charge(Totals(), Totals(1, 10, 0, late.cost))
    assert list(Repricing(book(10**6), terms, 0).corrections([early, late._replace(charge=alone)])) == []
