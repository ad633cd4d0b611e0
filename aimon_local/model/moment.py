"""Times as people and programs write them in arguments, and back. Pure: ``now`` is given. Nanoseconds, UTC.

Three forms: RFC 3339 (``2026-11-24T10:00:00Z``; a date alone is its midnight in UTC), Unix seconds (``1764000000``),
and how long ago (``90s``, ``30m``, ``24h``, ``7d``, ``2w``). Another unit is a line in ``_UNITS``.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_END = 1 << 62  # nanoseconds; what the ledger's queries take as behind every time (the year 2116)
_AGO = re.compile(r"(\d{1,9})([smhdw])\Z", re.ASCII)
_SECONDS = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?\Z", re.ASCII)
# In a query a "+" that was not escaped arrives as a space; RFC 3339 §5.6 lets a space stand for the T.
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([-+ ])(\d\d):(\d\d)))?\Z", re.ASCII
)
_LENGTH = re.compile(r"(?:\d{1,9}[smhdw])+\Z", re.ASCII)
_PART = re.compile(r"(\d+)([smhdw])", re.ASCII)
FORMS = "a time (2026-11-24T10:00:00Z), Unix seconds (1764000000) or how long ago (90s, 30m, 24h, 7d, 2w)"


def moment(text: str, now_ns: int) -> int | None:
    """The nanoseconds that a text means, from the epoch to the year 2116; None: it is none of the three forms."""
    ago = _AGO.match(text)
    if ago is not None:
        return _within(now_ns - int(ago[1]) * _UNITS[ago[2]])
    seconds = _SECONDS.match(text)
    if seconds is not None:
        return _within(int(seconds[1]) * SECOND + _fraction(seconds[2]))
    written = _RFC3339.match(text)
    return None if written is None else _written(written)


def duration(text: str) -> int | None:
    """The nanoseconds of a length: ``90s``, ``30m``, ``1d12h``, or plain seconds; None: it is none."""
    if _LENGTH.match(text):
        return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    return int(text) * SECOND if text.isascii() and text.isdigit() and len(text) <= 12 else None


def rfc3339(at_ns: int) -> str:
    """A time in UTC; its fraction only where there is one, in as few of 3, 6 or 9 digits as hold it."""
    seconds, rest = divmod(at_ns, SECOND)
    whole = _second(seconds)
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{whole}.{digits}Z" if digits else f"{whole}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def http_date(second: int) -> str:
    """A Unix second as HTTP's fields have it (RFC 9110 §5.6.7)."""
    at = datetime.fromtimestamp(second, UTC)
    return f"{_WEEKDAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} {at.isoformat()[11:19]} GMT"


def _written(found: re.Match[str]) -> int | None:
    day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    try:
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        if hour is None:
            return _within(_nanoseconds(midnight))
        if int(zone_minutes or 0) > 59:
            return None
        offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        at = midnight.replace(hour=int(hour), minute=int(minute), second=int(second), tzinfo=zone)
        return _within(_nanoseconds(at) + _fraction(fraction))
    except (ValueError, OverflowError):
        return None


def _nanoseconds(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * SECOND


def _fraction(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def _within(at_ns: int) -> int | None:
    """A long ago that reaches behind the epoch is the epoch; what is behind the end is none."""
    return None if at_ns >= _END else max(0, at_ns)
