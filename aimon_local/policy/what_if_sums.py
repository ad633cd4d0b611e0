"""What a what-if says: sums by tier and by consumer, recorded and under the other offer, and the calls that flip. Pure.

Money in nano-dollars. Fees are those of whole months: each consumer that called in a month owes its plan's fee.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aimon_local.policy.what_if import Decided, Fact

MOST_FLIPS = 100  # named; all are counted

Fee = Callable[[Fact], tuple[int, int]]
"""A call → (the month that it falls into, the monthly fee of its consumer's plan)."""


@dataclass(slots=True)
class Sums:
    """Of a part of the calls."""

    calls: int = 0
    allowed: int = 0
    denied: int = 0
    tokens: int = 0
    cost: int = 0
    charge: int = 0  # by use
    fees: int = 0
    assumed: int = 0  # calls whose use is a guess
    denied_by: dict[str, int] = field(default_factory=dict)

    @property
    def revenue(self) -> int:
        """Charges by use, and fees."""
        return self.charge + self.fees

    @property
    def margin(self) -> int:
        """What is left of the revenue."""
        return self.revenue - self.cost

    def add(self, decided: Decided) -> None:
        """One more call."""
        self.calls += 1
        self.allowed += decided.allowed
        self.denied += not decided.allowed
        self.tokens += decided.usage.total
        self.cost += decided.cost
        self.charge += decided.charge
        self.assumed += decided.assumed
        if not decided.allowed:
            self.denied_by[decided.reason] = self.denied_by.get(decided.reason, 0) + 1


@dataclass(slots=True)
class Offer:
    """One offer's sums, as a whole and apart."""

    total: Sums = field(default_factory=Sums)
    tiers: dict[str, Sums] = field(default_factory=dict)
    consumers: dict[str, Sums] = field(default_factory=dict)
    _billed: set[tuple[str, int]] = field(default_factory=set)

    def add(self, decided: Decided, fee: Fee) -> None:
        """One more call, and the fee of its consumer's month, once."""
        fact = decided.fact
        parts = self.parts(fact)
        for part in parts:
            part.add(decided)
        month, amount = fee(fact)
        if (fact.consumer_id, month) not in self._billed:
            self._billed.add((fact.consumer_id, month))
            for part in parts:
                part.fees += amount

    def parts(self, fact: Fact) -> tuple[Sums, Sums, Sums]:
        """The sums that a call counts in."""
        tier = self.tiers.setdefault(fact.tier, Sums())
        return self.total, tier, self.consumers.setdefault(fact.consumer or fact.consumer_id, Sums())


@dataclass(slots=True)
class Comparison:
    """The recorded decisions beside those of another offer."""

    recorded: Offer = field(default_factory=Offer)
    other: Offer = field(default_factory=Offer)
    newly_denied: int = 0
    newly_allowed: int = 0
    flips: list[Decided] = field(default_factory=list)  # the first ones

    def take(self, decided: Iterable[Decided], since_ns: int, was: Fee, now: Fee) -> None:
        """Count calls from a time on; earlier ones only filled the windows."""
        for each in decided:
            fact = each.fact
            if fact.at_ns < since_ns:
                continue
            self.recorded.add(_as_it_was(fact), was)
            self.other.add(each, now)
            if each.allowed != fact.allowed:
                self.newly_allowed += each.allowed
                self.newly_denied += not each.allowed
                if len(self.flips) < MOST_FLIPS:
                    self.flips.append(each)


def _as_it_was(fact: Fact) -> Decided:
    reason = "" if fact.allowed else fact.limit or fact.reason
    return Decided(fact, fact.allowed, reason, fact.requests, fact.usage, fact.cost, fact.charge, False)
