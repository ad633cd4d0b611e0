"""Accounts: all counters of one subject, and the two doors to them, ``admit`` and ``settle``; ``peek`` is a window.

``admit`` looks at every counter of every account that a call counts on (the consumer's, its route's, its owner's),
and then holds on all of them or on none: one synchronous step. ``settle`` runs once per grant, whatever came of the
call. Of several counters without room, the one with the longest wait is named: a client that waits for it is not
refused again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

from aimon_local.model.tier import Limit, Mode, Tier, Unit
from aimon_local.model.usage import CounterChange
from aimon_local.policy.limits import NEVER, Calendar, Counter, Gcra, Sliding, Slots

PREFIX = "tier"
"""Of the keys of tiers' counters in the ledger."""

_CELLS = 64  # rows that the cells of one sliding window take turns in

# Looked up once: each is asked for with each counter of each call.
_RESERVE, _REQUESTS = Mode.RESERVE, Unit.REQUESTS
_NAMES = tuple(unit.name for unit in (Unit.REQUESTS, Unit.INPUT, Unit.OUTPUT, Unit.TOKENS, Unit.COST, Unit.CHARGE))
_new = tuple.__new__  # a named tuple without the call of its own __new__


class Demand(NamedTuple):
    """What a call needs, or what it used."""

    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0  # nano-dollars
    charge: int = 0  # nano-dollars

    def units(self) -> dict[str, int]:
        """Its amounts by the names of units, for they are asked for each counter of each call."""
        requests, came_in, went_out, cost, charge = self
        return {
            _NAMES[0]: requests,
            _NAMES[1]: came_in,
            _NAMES[2]: went_out,
            _NAMES[3]: came_in + went_out,
            _NAMES[4]: cost,
            _NAMES[5]: charge,
        }


class Status(NamedTuple):
    """One counter as a client may see it. Times in nanoseconds from now."""

    subject: str
    name: str
    amount: int
    used: int
    resets: int

    @property
    def remaining(self) -> int:
        """Never below zero, also where an honest call used more than was held."""
        left = self.amount - self.used
        return left if left > 0 else 0


@dataclass(frozen=True, slots=True)
class Full:
    """No room: which counter, how it stands, what was asked, and how long until it would pass."""

    status: Status
    requested: int
    wait: int  # nanoseconds; NEVER: larger than the whole limit

    @property
    def never(self) -> bool:
        """It would not pass in an empty window either."""
        return self.wait == NEVER


Held = tuple["Account", Counter, Unit | None, int, int]
"""Of a counter: its account, itself, its unit (None: a slot), the units that are held, and the mark they are under."""


@dataclass(slots=True)
class Grant:
    """An admission: what is held, and which shadow limits would have refused it."""

    held: list[Held]
    shadowed: tuple[Full, ...] = ()
    settled: bool = False


class Account:
    """The counters of one subject under one tier."""

    __slots__ = ("counters", "subject", "tier")

    def __init__(self, subject: str, tier: Tier, zone: tzinfo) -> None:
        self.subject, self.tier = subject, tier
        self.counters: list[tuple[Unit | None, Counter]] = [
            (limit.unit, _counter(limit, zone)) for limit in tier.limits
        ]
        if tier.burst is not None:
            self.counters.append((Unit.REQUESTS, Gcra(tier.burst)))
        if tier.concurrency is not None:
            self.counters.append((None, Slots(tier.concurrency, "concurrency" in tier.shadow)))

    def statuses(self, now: int) -> list[Status]:
        """Every counter as it stands; looking changes nothing that counts."""
        subject = self.subject
        return [
            _new(Status, (subject, counter.name, counter.amount, counter.used(now), counter.resets(now)))
            for _, counter in self.counters
        ]

    def changes(self) -> list[CounterChange]:
        """Every counter as the ledger stores it: what settled calls used. Of a sliding one the cells that changed."""
        key, changed = f"{PREFIX}:{self.subject}", []
        for _, counter in self.counters:
            name = counter.name
            if isinstance(counter, Sliding):
                changed += [
                    CounterChange(key, _row(name, start, end), start, value, end)
                    for start, value, end in counter.fresh()
                ]
            else:
                changed += [CounterChange(key, name, start, value, end) for start, value, end in counter.rows()]
        return changed


def _row(name: str, start: int, end: int) -> str:
    """The row whose turn it is for a cell of a sliding window."""
    return f"{name}@{start // max(1, (end - 1 - start) // 61) % _CELLS}"


def _counter(limit: Limit, zone: tzinfo) -> Counter:
    return Sliding(limit) if limit.sliding else Calendar(limit, zone)


def admit(accounts: Sequence[Account], demand: Demand, now: int) -> Grant | Full:
    """Hold ``demand`` on every counter of every account, or on none."""
    plan, worst, shadowed = _weigh(accounts, demand, now)
    if worst is not None:
        return worst
    held = [(account, counter, unit, units, counter.hold(units, now)) for account, counter, unit, units, _ in plan]
    return Grant(held, tuple(shadowed))


class Peeked(NamedTuple):
    """One counter as ``admit`` would find it."""

    status: Status
    requested: int
    wait: int  # nanoseconds until it would pass; 0: now, NEVER: it is larger than the limit
    shadow: bool


def peek(accounts: Sequence[Account], demand: Demand, now: int) -> tuple[list[Peeked], Full | None]:
    """What ``admit`` would say of ``demand``: every counter, and the one that would refuse it. Nothing is held."""
    plan, worst, _ = _weigh(accounts, demand, now)
    return [
        Peeked(_status(account, counter, now), units, wait, counter.shadow) for account, counter, _, units, wait in plan
    ], worst


_Plan = list[tuple[Account, Counter, Unit | None, int, int]]


def _weigh(accounts: Sequence[Account], demand: Demand, now: int) -> tuple[_Plan, Full | None, list[Full]]:
    """Every counter with the units to hold and the wait for them; the one that refuses; those that would, in shadow."""
    worst: Full | None = None
    shadowed: list[Full] = []
    plan: _Plan = []
    wanted = demand.units()
    for account in accounts:
        reserves = account.tier.mode is _RESERVE
        for unit, counter in account.counters:
            units = 1 if unit is None else wanted[unit._name_]
            looks = not reserves and unit is not None and unit is not _REQUESTS
            if looks:
                units = 0  # what others do: the budget is looked at, and counted after the call
            # What costs nothing passes a spent budget: a free model, a plain call beside a token limit.
            wait = counter.wait(units or 1, now) if units or looks else 0
            plan.append((account, counter, unit, units, wait))
            if not wait:
                continue
            full = Full(_status(account, counter, now), units, wait)
            if counter.shadow:
                shadowed.append(full)
            elif worst is None or _longer(wait, worst.wait):
                worst = full
    return plan, worst, shadowed


def _longer(wait: int, than: int) -> bool:
    return than != NEVER and (wait == NEVER or wait > than)


def _status(account: Account, counter: Counter, now: int) -> Status:
    return Status(account.subject, counter.name, counter.amount, counter.used(now), counter.resets(now))


def settle(grant: Grant, used: Demand) -> None:
    """True up a grant with what the call used; a second time is a fault of ours and raises RuntimeError."""
    if grant.settled:
        raise RuntimeError("a grant is settled once")
    grant.settled = True
    units = used.units()
    for _, counter, unit, held, mark in grant.held:
        counter.settle(mark, held, 0 if unit is None else units[unit._name_])


def release(grant: Grant) -> None:
    """Undo a grant: the call was refused later, or never reached the upstream."""
    settle(grant, Demand(requests=0))
