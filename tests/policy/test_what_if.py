"""What-if: deciding again what was decided changes nothing; shares, gates, fees; sums that add up."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.tier import Limit, Mode, Period, Tier, Unit
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.pricing import Component, ModelPrice, PriceBook, PricePlan, Rates, Step
from aimon_local.policy.spans import UTC
from aimon_local.policy.terms import Terms
from aimon_local.policy.what_if import Fact, Shares, decide
from aimon_local.policy.what_if_sums import Comparison

NANO = 1_000_000_000
MIDNIGHT = 1_795_478_400 * NANO
PRICE = ModelPrice("m", "p", 0, Rates(*[1_000_000_000] * 5))
PLAN = PricePlan("plan", 5 * NANO, (Component("requests", (Step(None, 1000),), included=3),), 11_000)


def fact(number, at_s=0, took_s=1, used=10, estimate=20, output=30, who="a", model="m", **changes):
    usage = TokenUsage(estimate, output=used)
    cost = PRICE.rates.cost(usage)
    at = MIDNIGHT + at_s * NANO
    known = Fact(
        **{"request_id": f"r{number}", "at_ns": at, "end_ns": at + took_s * NANO, "consumer_id": who, "consumer": who},
        **{"tier": "t", "route_id": "", "route": "", "model": model, "allowed": True, "reason": "", "limit": ""},
        **{"estimate": estimate, "output": output, "requests": 1, "usage": usage, "cost": cost, "charge": 0},
    )
    return known._replace(**changes)


def terms(*limits, plan=PLAN, **tier):
    made = Tier("t", limits=limits, **tier)
    return Terms(made, made, UTC, plan, PriceBook([PRICE]))


def again(facts, found):
    """The calls as the ledger would hold them, had ``found`` been decided."""
    by_id = {each.fact.request_id: each for each in found}
    return [
        one._replace(
            allowed=d.allowed, limit=d.reason, requests=d.requests, usage=d.usage, cost=d.cost, charge=d.charge
        )
        for one in facts
        if (d := by_id[one.request_id])
    ]


calls = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 90), st.integers(0, 30), st.integers(1, 50), st.sampled_from("ab")),
    max_size=25,
).map(
    lambda rows: [
        fact(number, at_s, took, min(used, 30), estimate, 30, who)
        for number, (at_s, took, used, estimate, who) in enumerate(sorted(rows))
    ]
)
limits = st.lists(
    st.builds(
        Limit,
        st.sampled_from([Unit.REQUESTS, Unit.TOKENS, Unit.COST, Unit.INPUT, Unit.OUTPUT]),
        st.integers(1, 300),
        st.sampled_from([Period.MINUTE, Period.DAY]),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda limit: limit.name,
)


@settings(max_examples=150, deadline=None)
@given(calls, limits, st.sampled_from(list(Mode)), st.sampled_from([None, 1, 3]))
def test_deciding_again_what_was_decided_changes_nothing(facts, held, mode, concurrency):
    offer = terms(*held, mode=mode, concurrency=concurrency)
    first = list(decide(facts, lambda _: offer, Shares()))
    assert sorted(each.fact.request_id for each in first) == sorted(each.request_id for each in facts)
    recorded = again(facts, first)
    second = list(decide(recorded, lambda _: offer, Shares.of(recorded)))
    compared = Comparison()
    compared.take(second, 0, lambda _: (0, PLAN.monthly_fee), lambda _: (0, PLAN.monthly_fee))
    assert (compared.newly_allowed, compared.newly_denied) == (0, 0)
    assert compared.other == compared.recorded


@given(calls)
def test_without_limits_everything_passes_and_costs_what_it_used(facts):
    found = list(decide(facts, lambda _: terms(), Shares()))
    assert all(each.allowed and not each.assumed for each in found)
    assert sum(each.cost for each in found) == sum(one.cost for one in facts)


def test_an_exact_limit_admits_exactly_its_number():
    facts = [fact(number, at_s=number) for number in range(10)]
    found = list(decide(facts, lambda _: terms(Limit(Unit.REQUESTS, 4, Period.DAY)), Shares()))
    assert sum(each.allowed for each in found) == 4
    assert {each.reason for each in found if not each.allowed} == {"requests/day"}


def test_what_is_held_comes_back_when_a_call_ends():
    budget = Limit(Unit.TOKENS, 50, Period.DAY)  # one call of 20 + 30 at a time; 30 are used
    beside = [fact(1, 0, took_s=9), fact(2, 5)]
    behind = [fact(1, 0, took_s=1), fact(2, 5, estimate=5, output=10, used=1)]
    outcomes = [[e.allowed for e in sorted(decide(f, lambda _: terms(budget), Shares()))] for f in (beside, behind)]
    assert outcomes == [[True, False], [True, True]]


def test_a_refused_call_that_passes_is_taken_to_use_what_its_kind_uses():
    facts = [fact(1, used=15), fact(2, allowed=False, limit="requests/day", requests=0, usage=TokenUsage())]
    shares = Shares.of(facts)
    found = sorted(decide(facts, lambda _: terms(), shares))
    assert [(each.usage.total_input, each.usage.total_output, each.assumed) for each in found] == [
        (20, 15, False),
        (20, 15, True),
    ]
    assert Shares().output("m", 30) == 30  # nothing is known: all of it


def test_gates_and_prices_of_the_other_offer():
    cases = [
        (terms(models=("x",)), "models"),
        (terms(max_prompt_tokens=19), "max_prompt_tokens"),
        (terms(max_output_tokens=29, clamp=False), "max_output_tokens"),
        (terms(models=("x",), shadow=frozenset({"models"})), ""),
    ]
    assert [next(iter(decide([fact(1)], lambda _, t=t: t, Shares()))).reason for t, _ in cases] == [r for _, r in cases]
    unpriced = next(iter(decide([fact(1, model="new")], lambda _: terms(), Shares())))
    assert (unpriced.allowed, unpriced.reason) == (False, "model_not_priced")


def test_what_no_tier_decided_stays():
    facts = [fact(1, allowed=False, reason="rate_limited", requests=0), fact(2)]
    found = list(decide(facts, lambda _: None, Shares()))
    assert [(each.allowed, each.reason) for each in found] == [(False, "rate_limited"), (True, "")]


def test_fees_are_owed_once_a_month_and_early_calls_only_fill_windows():
    day = 86_400
    facts = [fact(1), fact(2, 1), fact(3, 40 * day), fact(4, 40 * day, who="b")]
    found = Comparison()
    since = MIDNIGHT + 1 * NANO
    decided = decide(facts, lambda _: terms(), Shares())
    found.take(decided, since, lambda f: (f.at_ns // (30 * day * NANO), 7), lambda f: (0, 5))
    assert (found.recorded.total.calls, found.recorded.total.fees, found.other.total.fees) == (3, 21, 10)
    assert found.recorded.consumers["b"].fees == 7
    assert found.other.total.margin == found.other.total.revenue - found.other.total.cost


def test_what_an_agents_scope_or_run_or_a_guard_refused_stays_refused():
    refused = [
        fact(number, allowed=False, reason=reason, limit=limit, requests=0)
        for number, (reason, limit) in enumerate(
            [("scope_model", "scope_model"), ("run_requests", "requests/run"), ("abnormal_usage", "guards")]
        )
    ]
    found = list(decide(refused, lambda _: terms(), Shares.of(refused)))
    assert [(each.allowed, each.reason) for each in found] == [(False, each.reason) for each in refused]
