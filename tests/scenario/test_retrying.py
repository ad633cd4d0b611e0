import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.scenario.retrying import told, wait_of


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (200, {}, None),
        (400, {}, None),
        (429, {"retry-after": "2"}, 2),
        (429, {"retry-after": "2", "retry-after-ms": "1500"}, 1.5),
        (429, {"retry-after": "2", "x-should-retry": "false"}, None),
        (400, {"retry-after": "2", "x-should-retry": "true"}, 2),
        (503, {}, 0.5),
        (0, {}, 0.5),
        (429, {"retry-after": "3600"}, 0.5),
        (429, {"retry-after": "soon"}, 0.5),
    ],
)
def test_an_sdk(status, headers, waits):
    assert wait_of("sdk", status, headers, 0, 0.0) == waits


@given(st.integers(0, 40), st.floats(0, 1))
def test_an_sdk_backs_off_to_a_bound(attempt, chance):
    wait = wait_of("sdk", 503, {}, attempt, chance)
    assert min(0.5 * 2**attempt, 8) * 0.75 <= wait <= 8


def test_the_others():
    assert wait_of("storm", 429, {"retry-after": "9"}, 5, 0.5) == 0
    assert wait_of("storm", 200, {}, 0, 0.5) is None
    assert wait_of("naive", 429, {}, 0, 0.5) is None
    assert told({"retry-after": "-3"}) == 0
