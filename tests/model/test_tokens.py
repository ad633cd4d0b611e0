"""Token parts: what can be a count, and sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tokens import MOST, TokenUsage, credible


@pytest.mark.parametrize("value", [-1, MOST + 1, float("nan"), float("inf"), 1.5, "1", True, None, [], {}])
def test_what_is_no_count(value):
    assert credible(value) is None


@given(st.integers(0, MOST))
def test_counts_are_counts_also_as_floats(value):
    assert credible(value) == value
    assert credible(float(value)) == value  # floats are exact up to here


def test_totals_and_flags():
    usage = TokenUsage(1, 2, 4, 8, 16)
    assert (usage.total_input, usage.total_output, usage.total) == (7, 24, 31)
    assert usage.flagged("a").flagged("b").flags == ("a", "b")
