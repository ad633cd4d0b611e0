"""The clock that everything reads. Wall time is integer nanoseconds since the epoch (UTC).

Windows, expiries and ledger times use ``now_ns``; durations (latencies, timeouts) use ``monotonic_ns``,
which a jump of the wall clock does not move. Rules never hold a clock: the shell reads it once per request
and passes ``now`` on.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """What the gateway knows of time."""

    def now_ns(self) -> int:
        """Wall time, nanoseconds since the epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed point; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()
    now_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)


class ManualClock:
    """A clock that stands still until it is moved: for tests and virtual runs."""

    __slots__ = ("_monotonic", "_now")

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now = now_ns
        self._monotonic = 0

    def now_ns(self) -> int:
        """Wall time as last set."""
        return self._now

    def monotonic_ns(self) -> int:
        """The sum of all advances."""
        return self._monotonic

    def advance_ns(self, delta: int) -> None:
        """Move both clocks on; ``delta`` must not be negative."""
        if delta < 0:
            raise ValueError("a clock advances; use jump_to_ns to set the wall time back")
        self._now += delta
        self._monotonic += delta

    def jump_to_ns(self, now_ns: int) -> None:
        """Set the wall time alone, as a change of the system's time would."""
        self._now = now_ns
