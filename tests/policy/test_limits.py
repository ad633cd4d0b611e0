"""The laws of the counters, over random histories with a clock that jumps."""

from datetime import UTC as UTC_ZONE
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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


DAY = 86_400 * NS
MAKERS = [calendar, sliding, lambda: Gcra(Burst(60, Period.MINUTE, 10))]


@pytest.mark.parametrize("make", MAKERS)
@given(ahead=st.integers(2 * DAY, 4000 * DAY), taken=st.integers(1, 10))
def test_a_clock_that_went_far_and_came_back_frees_nobody_and_locks_nobody_out(make, ahead, taken):
    counter = make()
    mark = counter.hold(taken, T0 + ahead)
    if make is not MAKERS[2]:
        counter.settle(mark, taken, taken)
        assert counter.used(T0) == taken
    full = counter.wait(10, T0)
    assert 0 < full <= 62 * NS  # as long as its own window, not the years until it was
    assert counter.wait(10, T0 + full) == 0


@pytest.mark.parametrize("make", [calendar, sliding])
def test_a_call_that_was_in_flight_when_the_clock_came_back_is_settled(make):
    counter = make()
    mark = counter.hold(10, T0 + 9 * DAY)
    assert counter.wait(1, T0) > 0
    counter.settle(mark, 10, 3)
    assert counter.used(T0) == 3
    assert counter.wait(7, T0) == 0


@pytest.mark.parametrize("make", MAKERS)
def test_forty_resets_in_a_row(make):
    counter, now = make(), T0
    for _ in range(40):
        now += 61 * NS  # by a jump, a speed or a night: nothing has to run in between
        assert counter.wait(10, now) == 0
        counter.settle(counter.hold(10, now), 10, 10)
        assert counter.wait(1, now) > 0


@pytest.mark.parametrize("make", MAKERS)
def test_a_frozen_clock_gives_nothing_back_at_the_edge_of_a_window(make):
    counter = make()
    edge = span(Period.MINUTE, T0 // NS, UTC)[1] * NS
    counter.settle(counter.hold(10, edge - 1), 10, 10)
    waits = {counter.wait(1, edge - 1) for _ in range(100)}
    assert len(waits) == 1
    assert waits.pop() > 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),  # clocks go forward
        ("Europe/Berlin", "2026-10-25", 25),  # and back
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("UTC", "2028-02-29", 24),
        ("Asia/Kathmandu", "2027-12-31", 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone, day, hours):
    place = ZoneInfo(zone)
    begin = round(datetime.fromisoformat(day).replace(tzinfo=place).timestamp()) * NS
    counter = Calendar(Limit(Unit.REQUESTS, 10, Period.DAY), place)
    end = begin + round(hours * 3600) * NS
    assert counter.wait(10, begin) == 0
    counter.settle(counter.hold(10, begin), 10, 10)
    assert counter.wait(1, begin) == end - begin
    assert counter.wait(1, end - 1) == 1
    assert counter.wait(10, end) == 0


@pytest.mark.parametrize("first", ["2028-01-31", "2027-01-31", "2026-12-31"])
def test_months_end_where_the_calendar_says(first):
    counter = Calendar(Limit(Unit.REQUESTS, 10, Period.MONTH), UTC)
    at = datetime.fromisoformat(first).replace(tzinfo=UTC_ZONE)
    for _ in range(14):
        now = round(at.timestamp()) * NS
        assert counter.wait(10, now) == 0
        counter.settle(counter.hold(10, now), 10, 10)
        following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
        assert counter.wait(1, now) == round(following.timestamp()) * NS - now
        at = following


def test_a_sliding_limits_cells_are_told_once_when_they_have_changed():
    counter = sliding(100)
    first = counter.hold(3, T0)
    assert counter.fresh() == []  # nothing is used yet
    counter.settle(first, 3, 2)
    later = counter.hold(5, T0 + 7 * NS)
    counter.settle(later, 5, 4)
    told = counter.fresh()
    assert [value for _, value, _ in told] == [2, 4]
    assert told == list(counter.rows())
    assert counter.fresh() == []
    counter.settle(first, 0, 1)
    assert [value for _, value, _ in counter.fresh()] == [3]
