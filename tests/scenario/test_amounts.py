from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.scenario.amounts import KINDS, Draw, distribution, draw, fixed, rate, seconds


@pytest.mark.parametrize(
    ("text", "value"), [(90, 90), ("250ms", 0.25), ("10s", 10), ("1h30m", 5400), ("1d", 86400), (0, 0), ("1.5s", 1.5)]
)
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "1x", -1, True, None, "1s!", float("nan"), [1]])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(("text", "value"), [(10, 10), ("600/m", 10), ("10/s", 10), ("100/100s", 1), ("86400/d", 1)])
def test_rates(text, value):
    assert rate(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["10", "/s", "10/x", -1, "1/0s", False])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError, match="rate"):
        rate(text)


_NUMBERS = st.floats(0.001, 1000)


@given(st.sampled_from(sorted(KINDS)), _NUMBERS, _NUMBERS, st.integers(0, 50), st.integers())
def test_a_draw_is_never_negative_and_the_same_by_the_same_chance(kind, one, other, turn, seed):
    size = KINDS[kind].size or 2
    of = Draw(kind, (min(one, other), max(one, other))[:size])
    found = draw(of, Random(seed), turn)
    assert found >= 0
    assert found == draw(of, Random(seed), turn)
    if kind in ("fixed", "uniform", "choice"):
        assert min(of.values) - 1e-9 <= found <= max(of.values) + 1e-9


def test_distributions_from_toml():
    assert distribution("2s", seconds) == fixed(2)
    assert distribution({"uniform": ["1s", 3]}, seconds) == Draw("uniform", (1, 3))
    assert [draw(distribution({"grow": [10, 2]}, float), Random(1), turn) for turn in range(3)] == [10, 20, 40]


@pytest.mark.parametrize(
    "value", [{}, {"unifrom": [1, 2]}, {"uniform": [1]}, {"uniform": 1}, {"choice": []}, {"a": 1, "b": 2}]
)
def test_what_is_no_distribution(value):
    with pytest.raises(ValueError, match=r"takes|one of"):
        distribution(value, float)
