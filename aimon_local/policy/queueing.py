"""Who goes next at a busy service: weighted fair queueing over tiers, first come first served within one. Pure.

What is shared is the time that slots are held, not the number of calls: a tier whose calls run long gets fewer of
them, so long streams of one can't crowd out short calls of another. Each tier has a tag in virtual time (start-time
fair queueing): its held nanoseconds over its weight since the queue was last empty. The waiting tier with the smallest
tag goes next; its tag then grows by what its calls usually take, and is put right when the slot comes back.

While nobody waits nothing is owed: a tier that had an idle service for itself does not pay for that later. One that
comes anew begins at the tag of the one served last, so absence saves up nothing.

Times are nanoseconds. A queue knows nothing of timers and sockets: ``gateway.waiting`` drives it.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

_GUESS = 1_000_000_000  # what a call takes, before any has ended
_LEAST = 1_000  # what a call is charged at least: a tag always grows
_SCALE = 1_000  # the greatest weight: no weight is lost in whole numbers
_MEMORY = 8  # a call's time counts for one in so many in what the next are thought to take
_FLOWS = 1_000  # tiers that are remembered while none of them waits


class Lane(NamedTuple):
    """The queue that a call stands in: its tier's, or of a weight of its own where its consumer has one."""

    name: str
    weight: int = 1  # the tier's priority
    seconds: float | None = None  # the longest wait; None: the gateway's own

    @property
    def key(self) -> tuple[str, int]:
        """Calls of the same name and weight stand in one queue."""
        return self[:2]


NO_TIER = Lane("")
"""Callers without a tier share one queue, of the least weight."""


class Stand(Enum):
    """Where a call is."""

    WAITS = auto()
    HOLDS = auto()  # a slot
    GONE = auto()


@dataclass(slots=True, eq=False)
class _Flow:
    """One tier at one service."""

    lane: Lane
    queue: "OrderedDict[Place, None]" = field(default_factory=OrderedDict)
    tag: int = 0
    epoch: int = -1  # the tag is of this one; of an earlier one it says nothing
    since: int = 0  # when it began to wait, in arrivals
    usual: int = _GUESS  # nanoseconds that its calls take
    known: bool = False

    def learn(self, held: int) -> None:
        self.usual = self.usual + (held - self.usual) // _MEMORY if self.known else held
        self.known = True

    def charge(self, held: int) -> None:
        self.tag += held * _SCALE // self.lane.weight


@dataclass(slots=True, eq=False)
class Place:
    """One call's place, from its arrival until its slot is free again."""

    flow: _Flow
    stand: Stand
    began: int = 0  # of the slot
    charged: int = 0  # nanoseconds
    epoch: int = -1  # in which it was charged; -1: it did not wait


class FairQueue:
    """The slots of one service, and who waits for them."""

    __slots__ = ("_arrivals", "_busy", "_epoch", "_flows", "_reached", "bound", "in_flight", "most", "waiting")

    def __init__(self, bound: int | None, most: int) -> None:
        """``bound``: slots, None: no end of them; ``most``: calls that may wait per tier. Both may be set anew."""
        self.bound, self.most = bound, most
        self.in_flight = self.waiting = 0
        self._flows: dict[tuple[str, int], _Flow] = {}
        self._busy: dict[tuple[str, int], _Flow] = {}  # those with a queue
        self._reached = 0  # the tag of the one served last
        self._epoch = self._arrivals = 0

    def ask(self, lane: Lane, now: int) -> Place | None:
        """A slot, or a place in the queue (``stand`` says which); None: the tier's queue is full."""
        flow = self._flow(lane)
        if not self.waiting and self._free:
            self.in_flight += 1
            return Place(flow, Stand.HOLDS, now)
        if len(flow.queue) >= self.most:
            return None
        place = Place(flow, Stand.WAITS)
        if not flow.queue:
            self._join(flow)
        flow.queue[place] = None
        self.waiting += 1
        return place

    def next(self, now: int) -> Place | None:
        """Give a free slot to the one whose turn it is; None: no slot is free, or nobody waits."""
        if not self.waiting or not self._free:
            return None
        flow = min(self._busy.values(), key=lambda each: (each.tag, -each.lane.weight, each.since))
        place, _ = flow.queue.popitem(last=False)
        self._reached = max(self._reached, flow.tag)
        place.stand, place.began, place.epoch = Stand.HOLDS, now, self._epoch
        place.charged = max(flow.usual, _LEAST)
        flow.charge(place.charged)
        self.in_flight += 1
        self._left(flow)
        return place

    def leave(self, place: Place, now: int) -> None:
        """Give the slot back, or leave the queue; what has left already stays so."""
        stand, place.stand = place.stand, Stand.GONE
        flow = place.flow
        if stand is Stand.WAITS:
            del flow.queue[place]
            self._left(flow)
        elif stand is Stand.HOLDS:
            self.in_flight -= 1
            held = now - place.began
            flow.learn(held)
            if place.epoch == self._epoch:
                flow.charge(max(held, _LEAST) - place.charged)

    def wait_of(self, lane: Lane) -> int:
        """About how long a call of this tier would wait if it came now."""
        flow = self._flow(lane)
        others = sum(each.lane.weight for each in self._busy.values() if each is not flow)
        slots = (self.bound or 1) * lane.weight
        return (len(flow.queue) + 1) * flow.usual * (others + lane.weight) // slots

    def tiers(self) -> dict[str, int]:
        """How many wait, by tier."""
        found: dict[str, int] = {}
        for flow in self._busy.values():
            name = flow.lane.name
            found[name] = found.get(name, 0) + len(flow.queue)
        return found

    @property
    def _free(self) -> bool:
        return self.bound is None or self.in_flight < self.bound

    def _flow(self, lane: Lane) -> _Flow:
        key = lane.key
        flow = self._flows.get(key)
        if flow is None:
            if len(self._flows) >= _FLOWS:
                self._flows = dict(self._busy)
            flow = self._flows[key] = _Flow(lane)
        return flow

    def _join(self, flow: _Flow) -> None:
        """A tier begins to wait."""
        self._arrivals += 1
        owed = flow.tag if flow.epoch == self._epoch else 0
        flow.tag, flow.epoch, flow.since = max(owed, self._reached), self._epoch, self._arrivals
        self._busy[flow.lane.key] = flow

    def _left(self, flow: _Flow) -> None:
        """One less waits; with the last one all that is owed is forgotten."""
        self.waiting -= 1
        if not flow.queue:
            del self._busy[flow.lane.key]
        if not self.waiting:
            self._epoch += 1
            self._reached = 0
