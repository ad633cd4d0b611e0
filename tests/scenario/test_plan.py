"""The plan is a function of script and seed: the same seed gives the same plan, and rates are kept."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.scenario.amounts import Draw, fixed
from aimon_local.scenario.plan import Turn, arrivals, expected, filled, iteration, recorded, spawned, think
from aimon_local.scenario.script import Actor, Recorded, Stage, Step

STEP = Step("s", path="/v1/chat/completions", dialect="openai.chat", model="m", prompt_tokens=Draw("uniform", (5, 50)))


def constant(rate, duration, arrivals="even"):
    return Actor("a", "constant-arrival-rate", (STEP,), rate=rate, duration=duration, arrivals=arrivals)


_STAGES = st.lists(st.builds(Stage, st.floats(0, 50), st.floats(0.1, 20)), min_size=1, max_size=4)


@given(st.floats(0.1, 100), st.floats(0.1, 10), st.integers(0, 99))
def test_a_constant_rate_is_even_and_complete(rate, duration, seed):
    times = list(arrivals(constant(rate, duration), seed))
    assert len(times) == pytest.approx(rate * duration, abs=1)
    assert all(0 <= at < duration + 1e-6 for at in times)
    assert [at * rate for at in times] == pytest.approx(range(len(times)), abs=1e-6)


@given(st.floats(0, 50), _STAGES, st.sampled_from(["even", "poisson"]), st.integers(0, 99))
def test_a_ramp_is_in_order_and_as_much_as_its_integral(start, stages, how, seed):
    actor = Actor("a", "ramping-arrival-rate", (STEP,), start_rate=start, stages=tuple(stages), arrivals=how)
    times = list(arrivals(actor, seed))
    assert times == sorted(times)
    assert times == list(arrivals(actor, seed))
    assert all(0 <= at <= sum(stage.duration for stage in stages) + 1e-6 for at in times)
    if how == "even":
        assert abs(len(times) - expected(actor)) <= 1


def test_a_ramp_from_nothing_reaches_half_its_area_late():
    actor = Actor("a", "ramping-arrival-rate", (STEP,), stages=(Stage(10, 10),))
    times = list(arrivals(actor, 1))
    assert len(times) == 50
    assert times[25] == pytest.approx(10 * 0.5**0.5, abs=0.01)


def test_poisson_gaps_differ_and_keep_the_mean():
    times = list(arrivals(constant(100, 50, "poisson"), 3))
    assert len(times) == pytest.approx(5000, rel=0.1)
    assert len({round(b - a, 6) for a, b in pairwise(times)}) > 1000


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(0, 1000))
def test_the_same_seed_is_the_same_iteration(seed, number):
    actor = Actor("a", "per-vu-iterations", (STEP, STEP), think=Draw("exponential", (1,)))
    turn = Turn(number)
    assert list(iteration(actor, seed, turn)) == list(iteration(actor, seed, turn))
    assert think(actor, seed, turn) == think(actor, seed, turn)


def test_another_seed_actor_or_number_is_another_prompt():
    def bodies(name, seed, number):
        return next(iteration(Actor(name, "per-vu-iterations", (STEP,)), seed, Turn(number))).body

    assert len({bodies("a", 1, 0), bodies("b", 1, 0), bodies("a", 2, 0), bodies("a", 1, 1)}) == 4


def test_parameters_data_and_repeats():
    step = Step(
        "s", path="/get?c=${city}&n=${iteration}&x=${unknown}", method="GET", repeat=2, headers=(("X-A", "${vu}"),)
    )
    actor = Actor("a", "per-vu-iterations", (step,), data=({"city": "Pune"}, {"city": "Ulm"}))
    calls = list(iteration(actor, 1, Turn(3, vu=2)))
    assert [call.path for call in calls] == ["/get?c=Ulm&n=3&x=${unknown}"] * 2
    assert calls[0].headers == (("X-A", "2"),)
    assert filled("plain", {}) == "plain"


def test_prompts_grow_by_turn_within_a_virtual_user():
    grow = Step("s", path="/v1/messages", dialect="anthropic.messages", model="m", prompt_tokens=Draw("grow", (4, 2)))
    actor = Actor("a", "per-vu-iterations", (grow,))
    sizes = [len(next(iteration(actor, 1, Turn(n, 0, n))).body.split(b" ")) for n in range(4)]
    assert sizes == [4, 8, 16, 32]


def test_spawned_steps_and_replays():
    child = Step("c", path="/get", method="GET", only_spawned=True, think=fixed(2))
    actor = Actor("a", "per-vu-iterations", (STEP, child))
    assert [call.step.name for call in iteration(actor, 1, Turn(0))] == ["s"]
    assert spawned(actor, 1, Turn(0), child, (0, 1)).pause == 2
    replay = Actor("r", "replay", calls=(Recorded(0.5, child), Recorded(2, STEP)))
    assert list(arrivals(replay, 1)) == [0.5, 2]
    assert recorded(replay, 1, Turn(1)).step is STEP
    assert (expected(replay), expected(actor), expected(constant(2, 3))) == (2, 1, 6)
