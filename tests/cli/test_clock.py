"""``aimon-local clock``: how the clock runs, in words."""

import pytest

from aimon_local.cli.clock import state

DAY = 86_400 * 10**9


@pytest.mark.parametrize(
    ("moved", "frozen", "speed", "shift", "said"),
    [
        (False, False, 1, 0, "real time"),
        (True, False, 1, DAY + 3_723 * 10**9, "1d 01:02:03 ahead of real time"),
        (True, True, 0, -90 * 10**9, "frozen, 00:01:30 behind real time"),
        (True, False, 60, 0, "speed 60, 00:00:00 ahead of real time"),
    ],
)
def test_how_it_runs(moved, frozen, speed, shift, said):
    assert state({"moved": moved, "frozen": frozen, "speed": speed, "shift_ns": shift}) == said
