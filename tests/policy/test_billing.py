"""A bill's parts add up to what the plan charges, whatever the plan and the month."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.billing import breakdown
from aimon_local.policy.pricing import Component, PricePlan, Step, Totals

STEPS = st.lists(st.integers(1, 40), max_size=3, unique=True).map(sorted)
COMPONENTS = st.builds(
    lambda unit, bounds, prices, included, per, open_end: Component(
        unit,
        tuple(map(Step, [*bounds, *([None] if open_end else [])], prices)),
        included,
        per,
    ),
    st.sampled_from(["requests", "tokens", "input_tokens", "output_tokens"]),
    STEPS,
    st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
    st.integers(0, 30),
    st.sampled_from([1, 7, 1000]),
    st.booleans(),
)
PLANS = st.builds(
    lambda components, markup: PricePlan("p", 0, tuple(components), markup),
    st.lists(COMPONENTS, max_size=3),
    st.sampled_from([0, 1, 12_000]),
)
TOTALS = st.builds(Totals, *[st.integers(0, 100)] * 4)


@given(PLANS, TOTALS)
def test_the_parts_add_up_to_the_charge(plan, totals):
    found = breakdown(plan, totals)
    assert found.amount == plan.usage_charge(totals)
    for line in found.components:
        assert sum(step.amount for step in line.steps) == line.amount
        assert all(step.units >= 0 and step.amount >= 0 for step in line.steps)
        assert sum(step.units for step in line.steps) <= line.overage
        if line.component.steps and line.component.steps[-1].up_to is None:
            assert sum(step.units for step in line.steps) == line.overage
        assert line.overage == max(0, line.units - line.component.included)


def test_each_step_takes_its_share():
    steps = (Step(10, 500), Step(30, 300), Step(None, 100))
    plan = PricePlan("p", 0, (Component("requests", steps, included=5),), markup=15_000)
    found = breakdown(plan, Totals(requests=40, cost=7))
    (line,) = found.components
    assert [(step.begin, step.units, step.amount) for step in line.steps] == [
        (0, 10, 5000),
        (10, 20, 6000),
        (30, 5, 500),
    ]
    assert (line.units, line.overage, line.amount) == (40, 35, 11_500)
    assert found.markup == 11
    assert found.amount == 11_511
