"""Where a calendar period begins and ends: pure arithmetic on Unix seconds and a time zone.

A period begins at a local wall-clock boundary, so a day may last 23 or 25 hours where the clocks change, and a month
its own number of days. In UTC, seconds, minutes, hours and days are plain division.
"""

from datetime import datetime, timedelta, timezone, tzinfo

from aimon_local.model.tier import SPAN_S, Period

UTC = timezone.utc  # noqa: UP017 (the class itself is compared)
_PLAIN = (Period.SECOND, Period.MINUTE)


def span(period: Period, now: int, zone: tzinfo = UTC) -> tuple[int, int]:
    """(start, end) in Unix seconds of the period that holds ``now``; the end belongs to the next one."""
    length = SPAN_S[period]
    if period in _PLAIN or (zone is UTC and period in (Period.HOUR, Period.DAY)):
        start = now - now % length
        return start, start + length
    local = datetime.fromtimestamp(now, zone)
    if period is Period.HOUR:
        # Some zones stand off by half hours, and the hour in which clocks go back comes twice: count from its minute.
        start = now - local.minute * 60 - local.second
        return start, start + length
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period is Period.WEEK:
        begin -= timedelta(days=begin.weekday())
    elif period is Period.MONTH:
        begin = begin.replace(day=1)
    return int(begin.timestamp()), int(_after(begin, period).timestamp())


def _after(begin: datetime, period: Period) -> datetime:
    if period is Period.MONTH:
        year, month = divmod(begin.year * 12 + begin.month, 12)
        return begin.replace(year=year, month=month + 1)
    return begin + timedelta(days=7 if period is Period.WEEK else 1)
