"""Pricing: exact sums, nothing used is free, charges do not depend on how a month is cut into calls."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.money import usd
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.pricing import MILLION, Component, ModelPrice, PriceBook, PricePlan, Rates, Step, Totals

RATES = Rates(usd("0.15"), usd("0.60"), usd("0.075"), usd("0.15"), usd("0.60"))
counts = st.integers(0, 10**7)


def line(model, since=0, rate="1"):
    return ModelPrice(model, "p", since, Rates(*[usd(rate)] * 5))


def test_cost_of_a_call_by_hand():
    # 1000 fresh at 0.15, 400 cached at 0.075, 200 out at 0.60 per million
    assert RATES.cost(TokenUsage(1000, 400, 0, 150, 50)) == 150_000 + 30_000 + 120_000


@given(counts, counts, counts, counts)
def test_a_used_token_is_never_free_and_the_reservation_covers_it(fresh, cached, output, reasoning):
    usage = TokenUsage(fresh, cached, 0, output, reasoning)
    cost = RATES.cost(usage)
    assert (cost > 0) == (usage.total > 0)
    assert cost <= RATES.most(usage.total_input, usage.total_output)


def test_exact_name_before_pattern_before_shorter_pattern():
    book = PriceBook([line("gpt-*", rate="1"), line("gpt-4o*", rate="2"), line("gpt-4o", rate="3")])
    assert book.find("gpt-4o", 0).rates.input == usd(3)
    assert book.find("gpt-4o-mini", 0).rates.input == usd(2)
    assert book.find("gpt-5", 0).rates.input == usd(1)
    assert book.find("claude", 0) is None


def test_a_price_holds_from_its_day_on():
    book = PriceBook([line("m", 100, "2"), line("m", 50, "1")])
    assert book.find("m", 49) is None
    assert book.find("m", 99).rates.input == usd(1)
    assert book.find("m", 100).rates.input == usd(2)


def test_graduated_steps():
    steps = (Step(1000, usd("0.3")), Step(5000, usd("0.2")), Step(None, usd("0.1")))
    plan = PricePlan("graduated", components=(Component("requests", steps),))
    assert plan.usage_charge(Totals(requests=6000)) == usd(1200)


def test_included_units_then_overage():
    plan = PricePlan("pro", usd(20), (Component("tokens", (Step(None, usd(2)),), included=MILLION, per=MILLION),))
    assert plan.usage_charge(Totals(1, 600_000, 400_000)) == 0
    assert plan.usage_charge(Totals(1, 600_000, 900_000)) == usd(1)


def test_markup_on_cost():
    assert PricePlan("plus", markup=12_000).usage_charge(Totals(cost=1000)) == 1200


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=12), st.integers(0, 10**6), counts)
def test_charges_telescope(calls, included, bound):
    steps = (Step(bound, usd("0.000001")), Step(None, usd("0.0000007")))
    plan = PricePlan(
        "p", components=(Component("tokens", steps, included, MILLION), Component("requests", steps)), markup=10_700
    )
    totals, charged = Totals(), 0
    for tokens_in, tokens_out, cost in calls:
        after = totals.plus(1, TokenUsage(tokens_in, output=tokens_out), cost)
        charge = plan.charge(totals, after)
        assert charge >= 0
        totals, charged = after, charged + charge
    assert charged == plan.usage_charge(totals)
