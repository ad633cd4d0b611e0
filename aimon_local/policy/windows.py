"""Calendar windows: which second, minute, hour, day, month and year (UTC) a moment belongs to, and counts in them.

The clock rule. A window never goes back behind the newest one that was counted in: when the wall clock is set
back, requests go on counting in the newest window until the clock reaches its end, so no window, as its headers
name it, ever admits more than its limit, and ``Retry-After`` tells how long that is. A clock that was wrong by
more than a day (``MAX_AHEAD``) would block for as long; then the count moves into the window of the corrected
clock, which frees nobody, and time goes on from there.

To add a unit: one line in ``UNITS`` and its start in ``Moment``. Units are numbered by their place in the list.
"""

from collections.abc import Iterator, Sequence

from aimon_local.model.usage import CounterChange

UNITS = ("second", "minute", "hour", "day", "month", "year")
"""The units, shortest first; everything here is indexed in this order."""

LENGTHS = (1, 60, 3600, 86400, 2592000, 31536000)
"""Seconds that Kong reckons for each unit in ``RateLimit-Reset``: a month is 30 days, a year 365."""

MAX_AHEAD = 86400
"""Seconds that a window may lie ahead of the clock before it counts as a mistake of the clock."""


def _days(year: int, month: int) -> int:
    """Days from 1970-01-01 to the first of a month in the proleptic Gregorian calendar."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    past = year - (month <= 2)  # years begin in March, so that the leap day is the last
    return past * 365 + past // 4 - past // 100 + past // 400 + (153 * ((month + 9) % 12) + 2) // 5 - 719468


def _civil(day: int) -> tuple[int, int]:
    """The year and month in which a day since 1970-01-01 lies."""
    year = 1970 + day // 366
    while _days(year + 1, 1) <= day:
        year += 1
    month = 1 + (day - _days(year, 1)) // 32
    if _days(year, month + 1) <= day:
        month += 1
    return year, month


class Moment:
    """One second of the wall clock, taken apart once and used by all requests within it."""

    __slots__ = ("ends", "now", "resets", "starts")

    def __init__(self, now: int) -> None:
        day = now - now % 86400
        year, month = _civil(day // 86400)
        first, next_first = _days(year, month) * 86400, _days(year, month + 1) * 86400
        hour, minute = now - now % 3600, now - now % 60
        new_year, next_year = _days(year, 1) * 86400, _days(year + 1, 1) * 86400
        self.now = now
        self.starts = (now, minute, hour, day, first, new_year)
        self.ends = (now + 1, minute + 60, hour + 3600, day + 86400, next_first, next_year)
        self.resets = tuple(reset_after(unit, start, now) for unit, start in enumerate(self.starts))


def reset_after(unit: int, start: int, now: int) -> int:
    """Seconds until a window is over as Kong reckons them (a month of 30 days), at least 1."""
    return max(1, LENGTHS[unit] - (now - start))


class Windows:
    """The counts of one identifier within one scope, one per unit; a unit without a limit stays at 0."""

    __slots__ = ("ahead", "counts", "ends", "key", "moment", "starts")

    def __init__(self, key: str, moment: Moment) -> None:
        self.key = key  # under which its counters are stored
        self.moment: Moment | None = moment  # the one to which the windows were last brought; None: after a load
        self.starts: Sequence[int] = moment.starts  # shared with the moment as long as the clock goes on
        self.ends: Sequence[int] = moment.ends
        self.counts = [0, 0, 0, 0, 0, 0]
        self.ahead = False  # some window lies ahead of the clock

    def bring_to(self, moment: Moment) -> None:
        """Open the windows of a moment by the clock rule; those that hold it already keep their counts."""
        latest, now, ahead = moment.now + MAX_AHEAD, moment.starts, False
        for unit, held in enumerate(self.starts):
            if held < now[unit]:
                self.counts[unit] = 0
            elif now[unit] < held <= latest:
                ahead = True
        if ahead:
            kept = [now[unit] < held <= latest for unit, held in enumerate(self.starts)]
            self.starts = [self.starts[u] if keep else now[u] for u, keep in enumerate(kept)]
            self.ends = [self.ends[u] if keep else moment.ends[u] for u, keep in enumerate(kept)]
        else:
            self.starts, self.ends = now, moment.ends
        self.moment, self.ahead = moment, ahead

    def restore(self, unit: int, start: int, count: int) -> None:
        """Take over a stored count; the next ``bring_to`` puts it in its place."""
        starts, ends = list(self.starts), list(self.ends)
        starts[unit], ends[unit] = start, window_end(unit, start)
        self.starts, self.ends, self.moment = starts, ends, None
        self.counts[unit] = count

    def resets(self, moment: Moment) -> Sequence[int]:
        """Seconds until each window is over."""
        if not self.ahead:
            return moment.resets
        return [reset_after(unit, start, moment.now) for unit, start in enumerate(self.starts)]

    def changes(self) -> Iterator[CounterChange]:
        """Every counter that counts something, as the ledger stores it."""
        for unit, count in enumerate(self.counts):
            if count:
                yield CounterChange(self.key, UNITS[unit], self.starts[unit], count, self.ends[unit])

    def over(self, now: int) -> bool:
        """Whether nothing in it counts any more."""
        return not any(count and end > now for count, end in zip(self.counts, self.ends, strict=True))


def window_end(unit: int, start: int) -> int:
    """The end of the calendar window of a unit that begins at ``start``."""
    return Moment(start).ends[unit]
