"""What the dashboard knows: nouns, and nothing that paints, asks or waits. ``fold`` makes the next one of events.

Integers as the gateway sends them: nano-dollars, nanoseconds, units. Rings have bounds, so memory is flat however long
it is left open. Names are traffic text: views make them safe (``lines.clean``), nobody here does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aimon_local.tui import traces
from aimon_local.tui.traces import Traces

REQUESTS = 10_000  # kept for the live tail
DENIALS = 100  # kept beside them, so that a rare one is not pushed out by what was admitted
CONSUMERS = 5_000  # named apart; more than that are in the sums of their tier alone
NEAR = 0.8  # of a limit used: from here on it is marked


class Sums(NamedTuple):
    """Since the day began, in UTC."""

    allowed: int = 0
    denied: int = 0
    calls: int = 0  # AI calls among the allowed
    input: int = 0
    output: int = 0
    cost: int = 0  # nano-dollars
    charge: int = 0
    reasons: Mapping[str, int] = {}

    @property
    def margin(self) -> int:
        """What is left of the charge, nano-dollars; below zero where it costs more."""
        return self.charge - self.cost


NOTHING = Sums()


class Limit(NamedTuple):
    """One limit of one consumer, as it stood at the last event."""

    name: str
    account: str  # "" for the tier's own; else the row of a route that it counts on
    amount: int
    used: int  # settled
    held: int  # reserved by calls in flight, as it was at the snapshot
    resets_ns: int  # 0: it has no window
    shadow: bool = False

    def standing(self, now_ns: int) -> "Limit":
        """As it stands at a time: a window that is over begins anew."""
        over = 0 < self.resets_ns <= now_ns
        return self._replace(used=0, held=0, resets_ns=0) if over else self

    @property
    def share(self) -> float:
        """Used and held, of its amount."""
        return (self.used + self.held) / self.amount if self.amount else 1.0


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier; "" is who has none."""

    name: str
    consumers: int = 0
    plan: str | None = None
    limits: tuple[str, ...] = ()
    sums: Sums = NOTHING
    requests: Traces = traces.EMPTY
    tokens: Traces = traces.EMPTY


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer; "" is who gave no key."""

    name: str
    id: str | None = None
    tier: str = ""
    sums: Sums = NOTHING
    limits: Mapping[tuple[str, str], Limit] = field(default_factory=dict)

    def tightest(self, now_ns: int) -> Limit | None:
        """The limit that is used up the most, among those that deny."""
        standing = [each.standing(now_ns) for each in self.limits.values() if not each.shadow]
        return max(standing, key=lambda each: each.share, default=None)


class Request(NamedTuple):
    """One request that ended, for the live tail; the rest of its row is asked for when it is opened."""

    number: int
    id: str
    at_ns: int
    consumer: str
    tier: str
    route: str
    method: str
    status: int
    denied: str  # the reason; "" where it was allowed
    complete: bool
    total_us: int
    model: str
    input: int
    output: int
    cost: int
    charge: int
    shadow: str  # limits that would have denied it
    agent: str
    owner: str
    run: str
    guard: str

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input + self.output

    @property
    def decision(self) -> str:
        """allow, deny or shadow."""
        return "deny" if self.denied else "shadow" if self.shadow or self.guard else "allow"


@dataclass(frozen=True, slots=True)
class State:
    """All of it, true at the event of ``number``."""

    number: int = 0
    at_ns: int = 0  # of the snapshot, or the newest event
    since_ns: int = 0  # the day's begin
    version: str = ""
    pid: int = 0
    in_flight: int = 0
    ledger: str | None = None  # why it can't be written
    total: Sums = NOTHING
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    models: Mapping[str, Sums] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)  # names by id
    requests: tuple[Request, ...] = ()
    denials: tuple[Request, ...] = ()
    more: int = 0  # consumers that are not named
    missed: int = 0  # events that could not be had any more
    writes: int = 0  # changes of the configuration since the snapshot
    happened: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # the last other events: (kind, data)
