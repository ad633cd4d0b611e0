"""Slots of services that bear only so many requests at once, and the exchanges that wait for one.

A service is bounded by its tag ``upstream_concurrency=N`` (0: no bound), else by the gateway's setting of that name;
without either nothing here is on a request's way. The law is ``policy.queueing``; this holds one queue per bounded
service, its timers, and tells each exchange when its turn comes or can't come any more. A ``Turn`` ends once, whatever
ends it: a slot that is given back twice would be a slot too many.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from aimon_local.clock import Clock
from aimon_local.gateway.refusals import FAULT, queue_full, queue_timeout
from aimon_local.policy.call import Refuse
from aimon_local.policy.nouns import Service
from aimon_local.policy.queueing import NO_TIER, FairQueue, Lane, Place, Stand

_log = logging.getLogger(__name__)

TAG = "upstream_concurrency="
_MOST = 1_000_000  # slots


class Waiter(Protocol):
    """Who waits: an exchange."""

    def on_turn(self) -> None:
        """The service has room, now."""
        ...

    def on_no_turn(self, stop: Refuse) -> None:
        """The longest wait is over."""
        ...


class Timer(Protocol):
    """What ``later`` gives."""

    def cancel(self) -> None:
        """It is not to be called any more."""
        ...


Later = Callable[[float, Callable[[], None]], Timer]


class Turn:
    """One exchange's place: in the queue of a busy service, then at the service itself."""

    __slots__ = ("_line", "_place", "_timer", "_waiter")

    def __init__(self, line: "_Line", place: Place, waiter: Waiter) -> None:
        self._line, self._place, self._waiter = line, place, waiter
        self._timer: Timer | None = None

    @property
    def waits(self) -> bool:
        """It is not its turn yet."""
        return self._place.stand is Stand.WAITS

    def wait_for(self, seconds: float, later: Later) -> None:
        """Give up after so long."""
        self._timer = later(seconds, self._over)

    def end(self) -> None:
        """Leave the queue, or give the slot back; a second time does nothing."""
        self._hush()
        self._line.leave(self._place)

    def begin(self) -> None:
        """It holds a slot: let the exchange go on. One that fails on it is told, and holds no slot any more."""
        self._hush()
        try:
            self._waiter.on_turn()
        except Exception:
            _log.exception("an exchange failed when its turn came")
            self._line.leave(self._place)
            self._waiter.on_no_turn(FAULT)

    def _over(self) -> None:
        self._timer = None
        if self.waits:
            self._line.leave(self._place)
            self._waiter.on_no_turn(queue_timeout(self._line.wait_of(self._place.flow.lane)))

    def _hush(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


class _Line:
    """The queue of one service, with the exchanges behind its places."""

    __slots__ = ("_clock", "_serving", "queue", "turns")

    def __init__(self, bound: int, most: int, clock: Clock) -> None:
        self.queue = FairQueue(bound, most)
        self.turns: dict[Place, Turn] = {}  # of those that wait
        self._clock = clock
        self._serving = False

    def ask(self, lane: Lane, waiter: Waiter) -> Turn | None:
        place = self.queue.ask(lane, self._clock.monotonic_ns())
        if place is None:
            return None
        turn = Turn(self, place, waiter)
        if turn.waits:
            self.turns[place] = turn
        return turn

    def leave(self, place: Place) -> None:
        self.turns.pop(place, None)
        self.queue.leave(place, self._clock.monotonic_ns())
        self.serve()

    def wait_of(self, lane: Lane) -> int:
        return self.queue.wait_of(lane)

    def serve(self) -> None:
        """Let go whoever has a slot now. An exchange that ends at once comes back here: the outer loop goes on."""
        if self._serving:
            return
        self._serving = True
        try:
            while (place := self.queue.next(self._clock.monotonic_ns())) is not None:
                self.turns.pop(place).begin()
        finally:
            self._serving = False


class Waiting:
    """The lines of one gateway."""

    __slots__ = ("_bound", "_clock", "_faults", "_later", "_lines", "_most", "_seconds", "bounds")

    def __init__(
        self,
        clock: Clock,
        bound: int | None = None,
        most: int = 100,
        seconds: float = 10.0,
        later: Later | None = None,
    ) -> None:
        """``bound``: slots of a service without a tag; ``most``: calls that wait per tier; ``seconds``: how long."""
        self.bounds: dict[str, int] = {}  # by service id; empty: nothing to look at
        self._clock, self._bound, self._most, self._seconds = clock, bound, most, seconds
        self._later = later or _on_loop
        self._lines: dict[str, _Line] = {}
        self._faults: list[str] = []  # that were said

    def sync(self, services: Iterable[Service]) -> list[str]:
        """Take a new snapshot's bounds; a raised one lets exchanges go. What is newly wrong with tags, for people."""
        faults: list[str] = []
        self.bounds = {}
        for each in services:
            bound = self._bound_of(each, faults)
            if bound:
                self.bounds[each.id] = bound
        for service_id, line in list(self._lines.items()):
            line.queue.bound = self.bounds.get(service_id)
            line.serve()
            if service_id not in self.bounds and not line.queue.in_flight:
                del self._lines[service_id]
        fresh = [fault for fault in faults if fault not in self._faults]
        self._faults = faults
        return fresh

    def ask(self, service: Service, lane: Lane | None, waiter: Waiter) -> Turn | Refuse | None:
        """A turn, held or waited for; None: the service has no bound."""
        bound = self.bounds.get(service.id)
        if bound is None:
            return None
        line = self._lines.get(service.id)
        if line is None:
            line = self._lines[service.id] = _Line(bound, self._most, self._clock)
        lane = lane or NO_TIER
        turn = line.ask(lane, waiter)
        if turn is None:
            return queue_full(line.wait_of(lane))
        if turn.waits:
            turn.wait_for(self._seconds if lane.seconds is None else lane.seconds, self._later)
        return turn

    def standing(self, services: Iterable[Service]) -> list[tuple[str, int, int, dict[str, int]]]:
        """Of each service with a bound: its name or id, slots, requests in flight, and waiting by tier."""
        found: list[tuple[str, int, int, dict[str, int]]] = []
        for each in services:
            bound, line = self.bounds.get(each.id), self._lines.get(each.id)
            if bound is not None:
                running, tiers = (line.queue.in_flight, line.queue.tiers()) if line is not None else (0, {})
                found.append((each.name or each.id, bound, running, tiers))
        return found

    def _bound_of(self, service: Service, faults: list[str]) -> int | None:
        words = [tag[len(TAG) :] for tag in service.tags if tag.startswith(TAG)]
        if not words:
            return self._bound
        if len(words) == 1 and words[0].isascii() and words[0].isdigit() and int(words[0]) <= _MOST:
            return int(words[0])
        said = ", ".join(words)
        faults.append(
            f"service {service.name or service.id}: tag {TAG}{said} is not one number from 0 to {_MOST}; "
            f"the gateway's own bound holds ({self._bound or 'none'})"
        )
        return self._bound


def _on_loop(seconds: float, act: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, act)
