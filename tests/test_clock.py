"""Clocks: the manual one stands still until it is moved, and only the wall time can go back."""

import time

import pytest

from aimon_local.clock import ManualClock, SystemClock


def test_the_system_clock_is_the_system_time():
    before = time.time_ns()
    assert before <= SystemClock().now_ns() <= time.time_ns()
    assert SystemClock().monotonic_ns() <= SystemClock().monotonic_ns()


def test_a_manual_clock_moves_when_it_is_moved():
    clock = ManualClock(100)
    assert (clock.now_ns(), clock.monotonic_ns()) == (100, 0)
    clock.advance_ns(5)
    assert (clock.now_ns(), clock.monotonic_ns()) == (105, 5)
    clock.jump_to_ns(50)
    assert (clock.now_ns(), clock.monotonic_ns()) == (50, 5)


def test_an_advance_never_goes_back():
    with pytest.raises(ValueError, match="jump_to_ns"):
        ManualClock().advance_ns(-1)
