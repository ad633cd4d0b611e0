"""The algorithms that limits count by: calendar window, sliding window, burst (GCRA), slots. State is plain integers.

Each counter answers three questions in one synchronous step, and nothing in here awaits: is there room (``wait``),
hold it (``hold``), true it up (``settle``). What is held counts as used until it is settled, so parallel calls can't
pass a budget together. A counter never goes back behind its newest window: where the wall clock is set back, it goes
on counting there; one that lies more than a day ahead (``MAX_AHEAD``) was led there by a clock that was wrong, or was
moved and set right again: what it counted moves into the window of now; that frees nobody and locks nobody out.

Laws (tests/policy/test_limits.py): no calendar window and no sliding stretch holds more than its amount; hold then
settle(0) changes nothing; a look changes nothing; a call of n units is n calls of one, all or nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Protocol

from aimon_local.model.tier import SPAN_S, Burst, Limit
from aimon_local.policy.spans import span
from aimon_local.policy.windows import MAX_AHEAD

NEVER = -1
"""As a wait: it would not pass at any time, the call is larger than the whole limit."""

_CELLS = 60  # a sliding window moves in sixtieths of its length, rounded against the caller
_NS = 1_000_000_000
_AHEAD = MAX_AHEAD * _NS


class Counter(Protocol):
    """One limit's state of one consumer. Times are Unix nanoseconds, waits are nanoseconds."""

    name: str
    amount: int
    shadow: bool

    def wait(self, units: int, now: int) -> int:
        """0 where ``units`` more fit now, else nanoseconds until they would if nothing else comes, or NEVER."""
        ...

    def hold(self, units: int, now: int) -> int:
        """Count ``units`` as held, room or not; the mark under which ``settle`` finds them again."""
        ...

    def settle(self, mark: int, held: int, used: int) -> None:
        """What was held under ``mark`` turned out to be ``used``; a window that is over keeps what it had."""
        ...

    def used(self, now: int) -> int:
        """Units used and held in the window of ``now``."""
        ...

    def resets(self, now: int) -> int:
        """Nanoseconds until the window starts anew, or until some room comes back."""
        ...

    def rows(self) -> Iterable[tuple[int, int, int]]:
        """(start, settled units, end), Unix seconds, to be stored: ``restore`` takes them back."""
        ...

    def restore(self, start: int, value: int) -> None:
        """Go on from a stored row."""
        ...


class Calendar:
    """A limit over a calendar period."""

    # The window is [_start, _end), in nanoseconds; before _early the clock was moved.
    __slots__ = ("_early", "_end", "_held", "_limit", "_start", "_used", "_zone", "amount", "name", "shadow")

    def __init__(self, limit: Limit, zone: tzinfo) -> None:
        self._limit, self._zone = limit, zone
        self.name, self.amount, self.shadow = limit.name, limit.amount, limit.shadow
        self._early = self._start = self._end = self._used = self._held = 0

    def _roll(self, now: int) -> None:
        """Into the window of ``now``. Where it is none yet that was counted in, nothing is used in it."""
        if now >= self._end:
            self._used = self._held = 0
        self._open(now // _NS)

    def _open(self, second: int) -> None:
        start, end = span(self._limit.period, second, self._zone)
        self._start, self._end = start * _NS, end * _NS
        self._early = self._start - _AHEAD

    def wait(self, units: int, now: int) -> int:
        """Until the next window, where this one is full."""
        if not self._early <= now < self._end:
            self._roll(now)
        if self._used + self._held + units <= self.amount:
            return 0
        return NEVER if units > self.amount else max(1, self._end - now)

    def hold(self, units: int, now: int) -> int:
        """The mark is the window's start."""
        if not self._early <= now < self._end:
            self._roll(now)
        self._held += units
        return self._start

    def settle(self, mark: int, held: int, used: int) -> None:
        """Ignored for a window that is over: its count is history, the ledger has it. Later marks: it moved back."""
        if mark >= self._start:
            self._held -= held
            self._used += used

    def used(self, now: int) -> int:
        """Used and held."""
        if not self._early <= now < self._end:
            self._roll(now)
        return self._used + self._held

    def resets(self, now: int) -> int:
        """Until the window ends."""
        if not self._early <= now < self._end:
            self._roll(now)
        return self._end - now

    def rows(self) -> Sequence[tuple[int, int, int]]:
        """One row: the window that runs."""
        return ((self._start // _NS, self._used, self._end // _NS),)

    def restore(self, start: int, value: int) -> None:
        """The newest row holds."""
        if start * _NS >= self._start:
            self._open(start)
            self._used = value


class Sliding:
    """A limit over any stretch of a length: cells of a sixtieth, each counted until all of it is out of the stretch."""

    __slots__ = ("_cell", "_cells", "_fresh", "_length", "_total", "amount", "name", "shadow")

    def __init__(self, limit: Limit) -> None:
        self.name, self.amount, self.shadow = limit.name, limit.amount, limit.shadow
        self._length = SPAN_S[limit.period] * _NS
        self._cell = self._length // _CELLS
        self._cells: deque[list[int]] = deque()  # [start, used, held]
        self._fresh: set[int] = set()  # starts of those whose use has changed and was not told yet
        self._total = 0

    def _drop(self, now: int) -> None:
        if self._cells and self._cells[-1][0] > now + _AHEAD:
            self._gather(now)
        while self._cells and self._cells[0][0] + self._cell + self._length <= now:
            start, used, held = self._cells.popleft()
            self._total -= used + held
            self._fresh.discard(start)

    def _gather(self, now: int) -> None:
        """All that lies in the future becomes one cell of now."""
        start = now - now % self._cell
        late = [cell for cell in self._cells if cell[0] > start]
        used, held = sum(cell[1] for cell in late), sum(cell[2] for cell in late)
        while self._cells and self._cells[-1][0] > start:
            self._cells.pop()
        self._cells.append([start, used, held])

    def wait(self, units: int, now: int) -> int:
        """Until enough of the oldest cells are out."""
        self._drop(now)
        if self._total + units <= self.amount:
            return 0
        if units > self.amount:
            return NEVER
        excess, when = self._total + units - self.amount, now
        for start, used, held in self._cells:
            excess -= used + held
            when = start + self._cell + self._length
            if excess <= 0:
                break
        return max(1, when - now)

    def hold(self, units: int, now: int) -> int:
        """The mark is the cell's start."""
        self._drop(now)
        start = now - now % self._cell
        if not self._cells or self._cells[-1][0] < start:
            self._cells.append([start, 0, 0])
        self._cells[-1][2] += units
        self._total += units
        return self._cells[-1][0]

    def settle(self, mark: int, held: int, used: int) -> None:
        """Ignored for a cell that is out."""
        for cell in reversed(self._cells):
            if cell[0] <= mark:
                break
        else:
            return
        if cell[0] == mark or cell is self._cells[-1]:  # the newest: its own was moved back
            cell[1] += used
            cell[2] -= held
            self._total += used - held
            self._fresh.add(cell[0])

    def used(self, now: int) -> int:
        """In the stretch that ends now."""
        self._drop(now)
        return self._total

    def resets(self, now: int) -> int:
        """Until the oldest cell is out."""
        self._drop(now)
        return self._cells[0][0] + self._cell + self._length - now if self._cells else 0

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """A row per cell."""
        for start, used, _ in self._cells:
            yield start // _NS, used, (start + self._cell + self._length) // _NS + 1

    def fresh(self) -> list[tuple[int, int, int]]:
        """The rows of cells that have changed since this was asked last: of sixty, calls change one or two."""
        changed, self._fresh = {start // _NS for start in self._fresh}, set()
        return [row for row in self.rows() if row[0] in changed]

    def restore(self, start: int, value: int) -> None:
        """Cells come back in their order; a start is stored in seconds, which rounds it against the caller."""
        self._cells.append([-(-start * _NS // self._cell) * self._cell, value, 0])
        self._total += value


class Gcra:
    """A steady rate with room for a burst: one theoretical arrival time (ITU-T I.371's algorithm)."""

    __slots__ = ("_gap", "_room", "_tat", "amount", "name", "shadow")

    def __init__(self, burst: Burst) -> None:
        self.name, self.amount, self.shadow = burst.name, burst.burst, burst.shadow
        self._gap = SPAN_S[burst.period] * _NS // burst.amount
        self._room = self._gap * (burst.burst - 1)
        self._tat = 0

    def wait(self, units: int, now: int) -> int:
        """Until the arrival time is near enough."""
        if units > self.amount:
            return NEVER
        self._right(now)
        return max(0, max(self._tat, now) + self._gap * (units - 1) - now - self._room)

    def hold(self, units: int, now: int) -> int:
        """What arrives is used at once: there is nothing to true up, but a refund."""
        self._right(now)
        self._tat = max(self._tat, now) + self._gap * units
        return 0

    def _right(self, now: int) -> None:
        """A time that no burst can reach is a moved clock's: the burst is used up, and comes back from now on."""
        latest = now + self._room + self._gap
        if self._tat > latest + _AHEAD:
            self._tat = latest

    def settle(self, mark: int, held: int, used: int) -> None:
        """Give back what was not used after all."""
        self._tat -= self._gap * (held - used)

    def used(self, now: int) -> int:
        """Places of the burst that are taken."""
        return -(-max(0, self._tat - now) // self._gap)

    def resets(self, now: int) -> int:
        """Until the whole burst is free again."""
        return max(0, self._tat - now)

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """The arrival time, as the value."""
        yield 0, self._tat, self._tat // _NS + 1

    def restore(self, start: int, value: int) -> None:
        """The later one holds."""
        self._tat = max(self._tat, value)


class Slots:
    """Requests in flight. A slot has no window: it is free when its call is over."""

    __slots__ = ("_taken", "amount", "name", "shadow")

    def __init__(self, amount: int, shadow: bool = False) -> None:
        self.name, self.amount, self.shadow = "concurrency", amount, shadow
        self._taken = 0

    def wait(self, units: int, now: int) -> int:
        """Nobody knows when a call ends: a tenth of a second is a fair time to ask again."""
        return 0 if self._taken + units <= self.amount else _NS // 10

    def hold(self, units: int, now: int) -> int:
        """Take slots."""
        self._taken += units
        return 0

    def settle(self, mark: int, held: int, used: int) -> None:
        """The call is over: its slots are free, whatever it used."""
        self._taken -= held

    def used(self, now: int) -> int:
        """In flight."""
        return self._taken

    def resets(self, now: int) -> int:
        """No window."""
        return 0

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """Nothing outlives the process: after a restart nothing is in flight."""
        return iter(())

    def restore(self, start: int, value: int) -> None:
        """Nothing to go on from."""


_DEFINITION = ("_cell", "_gap", "_length", "_limit", "_room", "_zone", "amount", "shadow")


def redefined(old: Counter, new: Counter) -> Counter:
    """``old`` under the definition of ``new``, its count and what calls in flight hold going on; of one name and kind.

    Where they are of different kinds, ``new`` begins at nothing.
    """
    if type(old) is not type(new) or old.name != new.name:
        return new
    for name in _DEFINITION:
        if hasattr(new, name):
            setattr(old, name, getattr(new, name))
    return old
