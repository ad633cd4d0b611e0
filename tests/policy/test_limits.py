"""The laws of the counters, over random histories with a clock that jumps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Burst, Limit, Period, Unit
from aimon_local.policy.limits import NEVER, Calendar, Gcra, Sliding, Slots
from aimon_local.policy.spans import UTC, span

NS = 1_000_000_000
T0 = 1_790_000_000 * NS
steps = st.lists(st.tuples(st.integers(0, 40 * NS), st.integers(1, 5)), max_size=60)


def calendar(amount=10, period=Period.MINUTE):
    return Calendar(Limit(Unit.REQUESTS, amount, period), UTC)


def sliding(amount=10, period=Period.MINUTE):
    return Sliding(Limit(Unit.REQUESTS, amount, period, sliding=True))


def history(counter, moves):
    """(time, units) of what was admitted."""
    now, admitted = T0, []
    for gap, units in moves:
        now += gap
        if not counter.wait(units, now):
            counter.settle(counter.hold(units, now), units, units)
            admitted.append((now, units))
    return admitted


@given(steps)
def test_no_calendar_window_holds_more_than_its_amount(moves):
    sums = {}
    for now, units in history(calendar(), moves):
        start = span(Period.MINUTE, now // NS, UTC)[0]
        sums[start] = sums.get(start, 0) + units
    assert all(total <= 10 for total in sums.values())


@given(steps)
def test_no_stretch_holds_more_than_a_sliding_amount(moves):
    admitted = history(sliding(), moves)
    for end, _ in admitted:
        assert sum(units for now, units in admitted if end - 60 * NS < now <= end) <= 10


@given(steps, st.integers(1, 8))
def test_gcra_admits_its_rate_and_burst_in_any_interval(moves, burst):
    gcra = Gcra(Burst(60, Period.MINUTE, burst))
    admitted = history(gcra, moves)
    for first, _ in admitted:
        for last, _ in admitted:
            if last >= first:
                inside = sum(units for now, units in admitted if first <= now <= last)
                assert inside <= burst + (last - first) // NS


@pytest.mark.parametrize("make", [calendar, sliding, lambda: Gcra(Burst(60, Period.MINUTE, 10)), lambda: Slots(10)])
@given(moves=steps, units=st.integers(1, 10))
def test_held_and_given_back_is_as_if_nothing_was(make, moves, units):
    counter, now = make(), T0
    history(counter, moves)
    now += sum(gap for gap, _ in moves)
    before = (counter.used(now), counter.wait(1, now))
    mark = counter.hold(units, now)
    counter.settle(mark, units, 0)
    assert (counter.used(now), counter.wait(1, now)) == before


@pytest.mark.parametrize("make", [calendar, sliding, lambda: Gcra(Burst(60, Period.MINUTE, 10))])
@given(moves=steps)
def test_the_stated_wait_is_enough(make, moves):
    counter = make()
    now = T0 + sum(gap for gap, _ in moves)
    history(counter, moves)
    wait = counter.wait(3, now)
    assert wait >= 0
    assert counter.wait(3, now + wait) == 0


@pytest.mark.parametrize("make", [calendar, sliding])
@given(moves=steps, more=steps)
def test_a_restart_goes_on_where_it_was(make, moves, more):
    counter, other = make(), make()
    history(counter, moves)
    for start, value, _ in counter.rows():
        other.restore(start, value)
    now = T0 + sum(gap for gap, _ in moves) + 1
    assert other.used(now) >= counter.used(now) if make is sliding else other.used(now) == counter.used(now)


@pytest.mark.parametrize("make", [calendar, sliding])
def test_a_clock_set_back_frees_nothing(make):
    counter = make()
    counter.hold(10, T0)
    assert counter.wait(1, T0 - 3600 * NS) > 0
    assert counter.used(T0 - 3600 * NS) == 10


def test_what_is_held_counts_until_it_is_settled():
    counter = calendar(100)
    mark = counter.hold(90, T0)
    assert counter.wait(20, T0) > 0
    counter.settle(mark, 90, 30)
    assert counter.wait(20, T0) == 0
    assert counter.used(T0) == 30


def test_a_settlement_in_a_later_window_does_not_count_there():
    counter = calendar(100)
    mark = counter.hold(90, T0)
    assert counter.used(T0 + 60 * NS) == 0
    counter.settle(mark, 90, 80)
    assert counter.used(T0 + 60 * NS) == 0


@pytest.mark.parametrize("counter", [calendar(), sliding(), Gcra(Burst(60, Period.MINUTE, 10))])
def test_larger_than_the_whole_limit_never_passes(counter):
    assert counter.wait(11, T0) == NEVER


def test_slots_are_free_when_calls_end():
    slots = Slots(2)
    marks = [slots.hold(1, T0), slots.hold(1, T0)]
    assert slots.wait(1, T0) > 0
    slots.settle(marks[0], 1, 0)
    assert slots.wait(1, T0) == 0
