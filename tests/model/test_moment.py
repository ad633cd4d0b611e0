"""Times in arguments: three forms, both ways."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.moment import DAY, HOUR, SECOND, http_date, moment, rfc3339

NOW = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000),
        ("90s", 1_699_999_910),
        ("30m", 1_699_998_200),
        ("24h", 1_699_913_600),
        ("7d", 1_699_395_200),
        ("2w", 1_698_790_400),
        ("0h", 1_700_000_000),
        ("999999999w", 0),  # behind the epoch
        ("2023-11-14", 1_699_920_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14t22:13:20z", 1_700_000_000),
        ("2023-11-14 22:13:20Z", 1_700_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000),
        ("2023-11-14T23:13:20 01:00", 1_700_000_000),  # a plus that a query made a space
        ("2023-11-14T17:43:20-04:30", 1_700_000_000),
    ],
)
def test_forms(text, seconds):
    assert moment(text, NOW) == seconds * SECOND


def test_fractions_are_exact():
    assert moment("1700000000.123456789", NOW) == NOW + 123_456_789
    assert moment("2023-11-14T22:13:20.000000001Z", NOW) == NOW + 1
    assert moment("2023-11-14T22:13:20.5Z", NOW) == NOW + SECOND // 2


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "-1", "+1", "1.", ".5", "1e9", "1h ", "h", "1y", "1H", "-1h", "1.5h", "\u0661h", "\u0661",
        "99999999999", "1" * 13, "2023-11-14T22:13:20", "2023-11-14T22:13Z", "2023-11-14T22:13:60Z", "2023-13-01",
        "2023-02-30", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20+01:60",
        "2023-11-14T22:13:20+0100", "2023-W46-2", "2023-11-14T22:13:20Z\n", "9999-01-01", "0000-01-01",
    ],
)  # fmt: skip
def test_what_means_nothing(text):
    assert moment(text, NOW) is None


@given(st.integers(0, (1 << 62) - 1))
def test_a_time_reads_back(at):
    assert moment(rfc3339(at), NOW) == at


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2116, 1, 1)),  # noqa: DTZ001
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_it_reads_as_the_standard_library_does(at, minutes):
    at = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    assert moment(at.isoformat(), NOW) == (since // timedelta(microseconds=1)) * 1000


@given(st.text(max_size=30))
def test_no_text_is_a_fault(text):
    found = moment(text, NOW)
    assert found is None or 0 <= found < 1 << 62


def test_units():
    assert (HOUR, DAY) == (3600 * SECOND, 86400 * SECOND)
    assert rfc3339(NOW) == "2023-11-14T22:13:20Z"
    assert rfc3339(NOW + 120_000_000) == "2023-11-14T22:13:20.120Z"


@given(st.integers(0, 253_402_300_799))
def test_a_date_of_http_is_the_library_s(second):
    assert http_date(second) == formatdate(second, usegmt=True)
