"""The clock that everything reads. Wall time is integer nanoseconds since the epoch (UTC).

Windows, expiries and ledger times use ``now_ns``; durations (latencies, timeouts) use ``monotonic_ns``,
which a jump of the wall clock does not move. Rules never hold a clock: the shell reads it once per request
and passes ``now`` on. Nothing is reset when a clock is moved: whatever has a time looks at it when it is asked.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LAST_NS = 4_102_444_800_000_000_000  # 2100-01-01: the latest that a clock shows, so that ends of windows fit 64 bits
FASTEST = 1_000_000  # times real time


class Clock(Protocol):
    """What the gateway knows of time."""

    @property
    def moved(self) -> bool:
        """Whether somebody has moved its wall time away from the machine's."""
        ...

    def now_ns(self) -> int:
        """Wall time, nanoseconds since the epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed point; never goes back."""
        ...

    def shift_ns(self, at_ns: int, age_ns: int = 0) -> int:
        """By how much a time that this clock showed ``age_ns`` ago (monotonic) differed from the machine's then."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()
    moved = False
    now_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)

    def shift_ns(self, at_ns: int, age_ns: int = 0) -> int:
        """Nothing moves it."""
        return 0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a moved clock runs: it stood at ``wall_ns`` when the machine's stood at ``real_ns``, and makes ``speed``
    times the machine's way from there. 0: it is frozen. That is all there is to keep over a restart.
    """

    real_ns: int
    wall_ns: int
    speed: int = 1

    def at(self, real_ns: int) -> int:
        """Its time when the machine's is ``real_ns``."""
        return min(LAST_NS, self.wall_ns + (real_ns - self.real_ns) * self.speed)

    def moved(self) -> bool:
        """Whether it differs from the machine's."""
        return self.speed != 1 or self.wall_ns != self.real_ns


class MovableClock:
    """The running gateway's clock: the machine's, until it is moved; and it can be moved back too.

    ``now_ns`` is a function that is swapped, so an unmoved clock costs what ``time.time_ns`` does. Read it each time
    as ``clock.now_ns()`` and keep no bound function. ``monotonic_ns`` is the machine's and never moved.
    """

    __slots__ = ("_real", "monotonic_ns", "moved", "now_ns", "setting")

    def __init__(self, setting: Setting | None = None, real: Clock | None = None) -> None:
        """``real``: the machine's clock, or what stands for it."""
        self._real = real or SystemClock()
        self.monotonic_ns: Callable[[], int] = self._real.monotonic_ns
        self.now_ns: Callable[[], int] = self._real.now_ns
        self.moved = False
        self.setting: Setting | None = None  # None: the machine's time
        self.set(setting)

    def real_ns(self) -> int:
        """The machine's time."""
        return self._real.now_ns()

    def shift_ns(self, at_ns: int, age_ns: int = 0) -> int:
        """By how much a time that this clock showed ``age_ns`` ago (monotonic) differed from the machine's then."""
        return at_ns - (self._real.now_ns() - age_ns)

    def set(self, setting: Setting | None) -> None:
        """Run as ``setting`` says from now on; None: by the machine's time."""
        real = self._real.now_ns
        self.setting = setting if setting is not None and setting.moved() else None
        self.moved = self.setting is not None
        self.now_ns = real if self.setting is None else _reader(self.setting, real)

    # ---- what it would be set to: ``set`` it when it is stored

    def frozen(self) -> Setting:
        """Standing still at what it shows now."""
        return self._from(0)

    def resumed(self) -> Setting:
        """Going on at the machine's pace from what it shows now: also the end of a ``speed``."""
        return self._from(1)

    def sped(self, speed: int) -> Setting:
        """Running ``speed`` times as fast from what it shows now. ValueError: not from 1 to FASTEST."""
        if not 1 <= speed <= FASTEST:
            raise ValueError(f"speed is a whole number from 1 to {FASTEST}, not {speed}")
        return self._from(speed)

    def jumped(self, to_ns: int) -> Setting:
        """Showing ``to_ns``, before or behind what it shows now; frozen or fast as it is. ValueError: out of range."""
        if not 0 <= to_ns <= LAST_NS:
            raise ValueError("a clock shows times from 1970 to 2100")
        return Setting(self.real_ns(), to_ns, 1 if self.setting is None else self.setting.speed)

    def advanced(self, by_ns: int) -> Setting:
        """As much later than it would be; a shift that is whole stays whole to the nanosecond."""
        real = self.real_ns()
        before = self.setting
        at = (real if before is None else before.at(real)) + by_ns
        if not 0 <= at <= LAST_NS:
            raise ValueError("a clock shows times from 1970 to 2100")
        return Setting(real, at, 1 if before is None else before.speed)

    def _from(self, speed: int) -> Setting:
        real = self.real_ns()
        return Setting(real, real if self.setting is None else self.setting.at(real), speed)


def _reader(setting: Setting, real: Callable[[], int]) -> Callable[[], int]:
    """The cheapest function that shows a setting's time."""
    if setting.speed == 0:
        wall = setting.wall_ns
        return lambda: wall
    if setting.speed == 1:
        shift = setting.wall_ns - setting.real_ns
        return lambda: min(LAST_NS, real() + shift)
    return lambda: setting.at(real())


class ManualClock:
    """A clock that stands still until it is moved: for tests and virtual runs; the machine's, as far as they know."""

    __slots__ = ("_monotonic", "_now")
    moved = False

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now = now_ns
        self._monotonic = 0

    def now_ns(self) -> int:
        """Wall time as last set."""
        return self._now

    def monotonic_ns(self) -> int:
        """The sum of all advances."""
        return self._monotonic

    def shift_ns(self, at_ns: int, age_ns: int = 0) -> int:
        """There is no other time that it could differ from."""
        return 0

    def advance_ns(self, delta: int) -> None:
        """Move both clocks on; ``delta`` must not be negative."""
        if delta < 0:
            raise ValueError("a clock advances; use jump_to_ns to set the wall time back")
        self._now += delta
        self._monotonic += delta

    def jump_to_ns(self, now_ns: int) -> None:
        """Set the wall time alone, as a change of the system's time would."""
        self._now = now_ns
