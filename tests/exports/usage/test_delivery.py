"""What a sink's answer means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.exports.usage.delivery import FIRST_S, LONGEST_S, Again, Delivered, Stop, judge


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_taken(status):
    assert judge(status, None, 3, 0.5) == Delivered()


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 422])
def test_what_would_be_the_same_again_stops(status):
    assert judge(status, None, 0, 0.5) == Stop(f"it answered {status}")


@given(st.sampled_from([None, 408, 425, 429, 500, 503, 599]), st.integers(0, 10_000), st.floats(0, 1))
def test_what_may_pass_is_tried_again_within_bounds(status, failures, chance):
    found = judge(status, None, failures, chance, "refused")
    assert isinstance(found, Again)
    assert FIRST_S / 2 <= found.seconds <= LONGEST_S


def test_pauses_double():
    pauses = [judge(503, None, failures, 1.0).seconds for failures in range(5)]
    assert pauses == [0.5, 1, 2, 4, 8]


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("0", FIRST_S), ("-1", 0.5), ("soon", 0.5), ("9" * 9, 0.5)])
def test_the_sinks_own_word_holds_where_it_is_one(said, seconds):
    assert judge(429, said, 0, 1.0).seconds == seconds
