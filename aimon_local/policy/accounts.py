"""All accounts of a gateway, by subject, with each subject's billing month; stored and restored through counters.

An account is made at the first call under a tier, and anew when the tier's definition changes: counts of limits that
keep their name go on. What settled calls changed goes to ``call.touched``; ``load`` brings it back at a start. Calls
in flight when the process dies are neither in the ledger nor here.

Rows: key ``tier:SUBJECT``; unit is the counter's name (``requests/day``), with ``@cell`` for the cells of a sliding
window, or ``month/…`` for the totals of the billing month.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import tzinfo

from aimon_local.model.tier import Period, Tier, Unit
from aimon_local.model.tokens import TokenUsage
from aimon_local.model.usage import Counted, CounterChange
from aimon_local.policy.account import PREFIX, Account, Demand, Grant
from aimon_local.policy.limits import redefined
from aimon_local.policy.pricing import PricePlan, Totals
from aimon_local.policy.spans import span

_NS = 1_000_000_000
_PARTS = Totals._fields
_UNITS = tuple(f"month/{part}" for part in _PARTS)


Stored = list[tuple[str, int, int]]  # (unit, start, value)


class Month:
    """What a subject used in its billing month: settled, and held by calls in flight."""

    __slots__ = ("_subject", "end", "held", "start", "used")

    def __init__(self, subject: str = "") -> None:
        self._subject = subject
        self.start = self.end = 0
        self.used = self.held = Totals()

    def bring_to(self, now: int, zone: tzinfo) -> None:
        """Begin the month of ``now`` (nanoseconds), if it is a later one."""
        if now >= self.end * _NS:
            self.start, self.end = span(Period.MONTH, now // _NS, zone)
            self.used = self.held = Totals()

    def most(self, plan: PricePlan, more: Totals) -> int:
        """The most that a call can bring: whatever becomes of the calls in flight."""
        if not plan.components and not plan.markup:
            return 0
        alone = plan.charge(self.used, _sum(self.used, more))
        base = _sum(self.used, self.held)
        return max(alone, plan.charge(base, _sum(base, more)))

    def hold(self, more: Totals) -> None:
        """A call is in flight."""
        self.held = _sum(self.held, more)

    def settle(self, plan: PricePlan, start: int, held: Totals, usage: TokenUsage, cost: int, requests: int) -> int:
        """A call is over: what it brings. A call of an earlier month is charged by what it would begin that month."""
        if start != self.start:
            return plan.charge(Totals(), Totals().plus(requests, usage, cost))
        self.held = _less(self.held, held)
        before, self.used = self.used, self.used.plus(requests, usage, cost)
        return plan.charge(before, self.used)

    def changes(self) -> list[CounterChange]:
        """Its totals as the ledger stores them."""
        key = f"{PREFIX}:{self._subject}"
        return [
            CounterChange(key, unit, self.start, value, self.end) for unit, value in zip(_UNITS, self.used, strict=True)
        ]


class Accounts:
    """The registry."""

    __slots__ = ("_accounts", "_late", "_months", "_stored")

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._months: dict[str, Month] = {}
        self._stored: defaultdict[str, Stored] = defaultdict(list)
        self._late: deque[tuple[int, Grant, Demand]] = deque()

    def open(self, subject: str, tier: Tier, zone: tzinfo) -> Account:
        """The account of a subject under a tier."""
        account = self._accounts.get(subject)
        if account is not None and account.tier is tier:
            return account
        if account is not None and account.tier == tier:
            account.tier = tier
            return account
        made = Account(subject, tier, zone)
        if account is not None:
            _carry(account, made)
        for unit, start, value in sorted(self._stored.pop(subject, ()), key=lambda row: row[1]):
            _restore(made, unit, start, value)
        self._accounts[subject] = made
        return made

    def month(self, subject: str, now: int, zone: tzinfo) -> Month:
        """The billing month of a subject, brought to ``now``."""
        month = self._months.get(subject)
        if month is None:
            month = self._months[subject] = Month(subject)
        month.bring_to(now, zone)
        return month

    def find(self, subject: str) -> Account | None:
        """The account that was opened for a subject."""
        return self._accounts.get(subject)

    def opened(self) -> Iterable[tuple[str, Account]]:
        """All accounts, by subject."""
        return self._accounts.items()

    def in_flight(self, subject: str) -> int:
        """Calls of a subject that are admitted and not settled."""
        month = self._months.get(subject)
        return 0 if month is None else month.held.requests

    def later(self, grant: Grant, used: Demand, due: int) -> None:
        """Count tokens and money of a call only when a call comes at ``due`` or later (the mode async-count)."""
        self._late.append((due, grant, used))

    def count_late(self, now: int) -> list[Counted]:
        """What is due by now, counted; whose counters that changed."""
        changed: list[Counted] = []
        while self._late and self._late[0][0] <= now:
            _, grant, used = self._late.popleft()
            units = used.units()
            for _, counter, unit, _, mark in grant.held:
                if unit is not None and unit is not Unit.REQUESTS:
                    counter.settle(mark, 0, units[unit.name])
            changed += changes(grant)
        return changed

    def load(self, rows: Iterable[CounterChange]) -> None:
        """Take over stored rows; those of others are left alone."""
        totals: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            prefix, _, subject = row.key.partition(":")
            if prefix != PREFIX:
                continue
            if not row.unit.startswith("month/"):
                self._stored[subject].append((row.unit, row.start, row.value))
                continue
            totals[subject][row.unit.removeprefix("month/")] = row.value
            month = self._months.setdefault(subject, Month(subject))
            month.start, month.end = row.start, row.expires
        for subject, parts in totals.items():
            self._months[subject].used = Totals(*(parts.get(part, 0) for part in _PARTS))


def changes(grant: Grant) -> list[Counted]:
    """Whose counters settling a grant changed, to be stored with the request's row."""
    return list(dict.fromkeys(account for account, *_ in grant.held))


def _carry(old: Account, new: Account) -> None:
    """Counters of the same name and kind go on, with all that calls in flight hold on them."""
    known = {counter.name: counter for _, counter in old.counters}
    new.counters = [
        (unit, redefined(known[counter.name], counter) if counter.name in known else counter)
        for unit, counter in new.counters
    ]


def _restore(account: Account, unit: str, start: int, value: int) -> None:
    name = unit.partition("@")[0]
    for _, counter in account.counters:
        if counter.name == name:
            counter.restore(start, value)


def _sum(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.requests + other.requests,
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cost + other.cost,
    )


def _less(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.requests - other.requests,
        one.input_tokens - other.input_tokens,
        one.output_tokens - other.output_tokens,
        one.cost - other.cost,
    )
