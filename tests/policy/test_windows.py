"""Calendar windows against the standard library's calendar, and the clock rule."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.windows import LENGTHS, MAX_AHEAD, Moment, Windows, reset_after, window_end

SECONDS = st.integers(0, 32_503_680_000)  # to the year 3000


def calendar(now):
    at = datetime.fromtimestamp(now, UTC)
    day = at.replace(hour=0, minute=0, second=0)
    month, year = day.replace(day=1), day.replace(month=1, day=1)
    next_month = (month + timedelta(days=32)).replace(day=1)
    starts = [at, at.replace(second=0), at.replace(minute=0, second=0), day, month, year]
    ends = [at + timedelta(seconds=1), starts[1] + timedelta(minutes=1), starts[2] + timedelta(hours=1)]
    ends += [day + timedelta(days=1), next_month, year.replace(year=year.year + 1)]
    return [int(x.timestamp()) for x in starts], [int(x.timestamp()) for x in ends]


@given(SECONDS)
def test_windows_are_those_of_the_utc_calendar(now):
    moment = Moment(now)
    starts, ends = calendar(now)
    assert list(moment.starts) == starts
    assert list(moment.ends) == ends
    assert all(start <= now < end for start, end in zip(moment.starts, moment.ends, strict=True))
    assert [window_end(unit, start) for unit, start in enumerate(starts)] == ends


def test_leap_days_and_turns_of_the_year():
    for text in ("2024-02-29T23:59:59", "2100-02-28T23:59:59", "2000-12-31T23:59:59", "1970-01-01T00:00:00"):
        now = int(datetime.fromisoformat(text + "+00:00").timestamp())
        for each in (now, now + 1):
            assert [list(Moment(each).starts), list(Moment(each).ends)] == list(calendar(each))


@given(st.integers(0, 5), SECONDS)
def test_a_reset_is_never_less_than_a_second(unit, now):
    assert 1 <= reset_after(unit, Moment(now).starts[unit], now) <= LENGTHS[unit]


def test_a_clock_set_back_stays_in_the_newest_window_and_tells_the_wait():
    now = 1_700_049_610
    windows = Windows("k", Moment(now))
    windows.counts[1] = 3
    back = Moment(now - 3600)
    windows.bring_to(back)
    assert windows.counts[1] == 3
    assert windows.starts[1] == 1_700_049_600
    assert windows.resets(back)[1] == 60 + 3590
    assert windows.ahead
    windows.bring_to(Moment(now + 60))
    assert windows.counts[1] == 0
    assert not windows.ahead


def test_a_clock_that_was_far_off_keeps_the_count_and_goes_on():
    wrong = 2_000_000_000
    windows = Windows("k", Moment(wrong))
    windows.counts[0] = windows.counts[1] = 3
    right = Moment(wrong - MAX_AHEAD - 61)
    windows.bring_to(right)
    assert windows.counts[:2] == [3, 3]
    assert windows.starts[1] == right.starts[1]
    windows.bring_to(Moment(right.now + 60))
    assert windows.counts[:2] == [0, 0]


def test_one_window_can_lie_ahead_while_others_go_on():
    windows = Windows("k", Moment(1_700_049_659))
    windows.counts[:2] = [1, 1]
    back = Moment(1_700_049_600)
    windows.bring_to(back)
    assert (windows.starts[0], windows.starts[1], windows.counts[:2]) == (1_700_049_659, 1_700_049_600, [1, 1])
    assert windows.resets(back)[:2] == [60, 60]


def test_a_restored_count_is_put_in_its_place():
    windows = Windows("k", Moment(0))
    windows.restore(1, 1_700_049_600, 4)
    windows.bring_to(Moment(1_700_049_601))
    assert windows.counts == [0, 4, 0, 0, 0, 0]
    windows.restore(1, 1_700_049_600, 4)
    windows.bring_to(Moment(1_700_049_660))
    assert windows.counts == [0] * 6


@given(st.lists(SECONDS, min_size=1, max_size=20))
def test_whatever_the_clock_does_resets_stay_positive_and_windows_hold_together(times):
    windows = Windows("k", Moment(times[0]))
    for now in times:
        moment = Moment(now)
        windows.bring_to(moment)
        for unit in range(6):
            windows.counts[unit] += 1
            assert windows.ends[unit] == window_end(unit, windows.starts[unit])
            assert windows.ends[unit] > now
            assert windows.starts[unit] <= now + MAX_AHEAD
        assert min(windows.resets(moment)) >= 1
    assert not windows.over(times[-1])
    assert windows.over(max(*windows.ends, times[-1]))
