"""Calendar periods: they tile time without gap or overlap, in every zone, over clock changes and leap days."""

from datetime import UTC as DATETIME_UTC
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Period
from aimon_local.policy.spans import UTC, span

ZONES = [
    UTC,
    *map(ZoneInfo, ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]),
]
times = st.integers(0, 4_000_000_000)


def at(text, zone=UTC):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@given(times, st.sampled_from(Period), st.sampled_from(ZONES))
def test_a_period_holds_its_time_and_meets_the_next(now, period, zone):
    start, end = span(period, now, zone)
    assert start <= now < end
    assert span(period, start, zone) == (start, end)
    assert span(period, end, zone)[0] == end
    assert span(period, end - 1, zone) == (start, end)


@given(times, st.sampled_from([Period.HOUR, Period.DAY]))
def test_plain_division_is_the_calendar_in_utc(now, period):
    assert span(period, now, UTC) == span(period, now, ZoneInfo("UTC"))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_days_over_a_clock_change(day, hours):
    berlin = ZoneInfo("Europe/Berlin")
    start, end = span(Period.DAY, at(f"{day}T12:00:00", berlin), berlin)
    assert (end - start) == hours * 3600
    assert start == at(f"{day}T00:00:00", berlin)


def test_months_have_their_own_days():
    assert span(Period.MONTH, at("2028-02-29T23:59:59")) == (at("2028-02-01"), at("2028-03-01"))
    assert span(Period.MONTH, at("2026-12-31T23:59:58")) == (at("2026-12-01"), at("2027-01-01"))


def test_weeks_begin_on_monday():
    assert span(Period.WEEK, at("2026-11-24T10:00:00")) == (at("2026-11-23"), at("2026-11-30"))


def test_forty_resets_in_a_row():
    now, starts = at("2024-01-15"), []
    for _ in range(40):
        start, now = span(Period.MONTH, now, ZoneInfo("America/New_York"))
        starts.append(datetime.fromtimestamp(start, ZoneInfo("America/New_York")))
    assert [(s.day, s.hour) for s in starts] == [(1, 0)] * 40
    assert datetime.fromtimestamp(now, DATETIME_UTC).year == 2027
