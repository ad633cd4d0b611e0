"""Clocks: the manual one stands still until it is moved, the gateway's is the machine's until it is moved."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.clock import LAST_NS, ManualClock, MovableClock, Setting, SystemClock

AT = 1_772_323_200 * 10**9


def test_the_system_clock_is_the_system_time():
    before = time.time_ns()
    assert before <= SystemClock().now_ns() <= time.time_ns()
    assert SystemClock().monotonic_ns() <= SystemClock().monotonic_ns()
    assert SystemClock().shift_ns(before) == 0


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


def test_an_unmoved_clock_is_the_machines_function_itself():
    clock = MovableClock()
    assert clock.now_ns is time.time_ns
    assert clock.monotonic_ns is time.monotonic_ns
    clock.set(clock.frozen())
    assert clock.now_ns is not time.time_ns
    clock.set(None)
    assert clock.now_ns is time.time_ns
    assert not clock.moved


def test_freeze_advance_speed_resume_and_reset():
    real = ManualClock(AT)
    clock = MovableClock(real=real)
    clock.set(clock.frozen())
    real.advance_ns(10)
    assert clock.now_ns() == AT
    clock.set(clock.advanced(7))
    assert clock.now_ns() == AT + 7  # frozen still
    real.advance_ns(10)
    assert clock.now_ns() == AT + 7
    clock.set(clock.sped(60))
    real.advance_ns(10)
    assert clock.now_ns() == AT + 607
    clock.set(clock.resumed())
    real.advance_ns(10)
    assert clock.now_ns() == AT + 617
    assert clock.shift_ns(AT + 617 - 4, 4) == 617 - 40
    assert clock.monotonic_ns() == 40  # latencies are real
    clock.set(None)
    assert clock.now_ns() == AT + 40


def test_a_jump_keeps_the_pace():
    real = ManualClock(AT)
    clock = MovableClock(real=real)
    clock.set(clock.sped(60))
    clock.set(clock.jumped(1000))
    real.advance_ns(2)
    assert clock.now_ns() == 1120


@pytest.mark.parametrize("to", [-1, LAST_NS + 1])
def test_there_are_times_that_no_clock_shows(to):
    clock = MovableClock(real=ManualClock(AT))
    with pytest.raises(ValueError, match="1970 to 2100"):
        clock.jumped(to)
    with pytest.raises(ValueError, match="1970 to 2100"):
        clock.advanced(to - AT)


@pytest.mark.parametrize("speed", [0, -1, 1_000_001])
def test_there_are_speeds_that_no_clock_has(speed):
    with pytest.raises(ValueError, match="from 1 to"):
        MovableClock().sped(speed)


def test_it_stands_at_its_end():
    real = ManualClock(AT)
    for speed in (1, 1_000_000):
        clock = MovableClock(Setting(AT, LAST_NS - 5, speed), real)
        real.advance_ns(10**12)
        assert clock.now_ns() == LAST_NS


@given(
    st.integers(0, LAST_NS),
    st.sampled_from([0, 1, 2, 60, 3600]),
    st.lists(st.integers(0, 10**15), max_size=5),
)
def test_a_clock_set_from_its_setting_shows_the_same(wall, speed, steps):
    real = ManualClock(AT)
    clock = MovableClock(Setting(AT, wall, speed), real)
    for step in steps:
        before = clock.now_ns()
        real.advance_ns(step)
        assert clock.now_ns() >= before  # it never goes back by itself
        assert MovableClock(clock.setting, real).now_ns() == clock.now_ns()
        assert MovableClock(clock.advanced(0), real).now_ns() == clock.now_ns()


def test_a_stored_setting_that_is_no_shift_is_real_time():
    assert MovableClock(Setting(AT, AT, 1)).now_ns is time.time_ns
