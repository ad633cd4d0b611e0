"""What calls should have cost and brought by the prices and plans of now, and so what corrects them. Pure.

A consumer's calls go through in the order of their ends, as they were charged: a month's totals telescope again, with
the corrected costs. Calls before ``since`` are not corrected, but count in their month. What has no price or no plan
any more is left as it is, and counted. Correcting what was corrected gives nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import NamedTuple

from aimon_local.model.tier import Period
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.pricing import PriceBook, PricePlan, Totals
from aimon_local.policy.spans import span

_NS = 1_000_000_000

Terms = Callable[[str, str], tuple[PricePlan, tzinfo] | None]
"""(consumer id, tier) → plan and zone; None: there is no such tier any more."""


class Charged(NamedTuple):
    """A call as the ledger has it, earlier corrections added."""

    request_id: str
    at_ns: int
    party: int
    consumer_id: str
    consumer: str
    tier: str
    model: str
    usage: TokenUsage
    cost: int
    charge: int


class Correction(NamedTuple):
    """What to add to a call's cost and charge; nano-dollars, negative ones too."""

    call: Charged
    cost: int
    charge: int


@dataclass(slots=True)
class Repricing:
    """One run; the counts grow while ``corrections`` is read."""

    book: PriceBook
    terms: Terms
    since_ns: int
    calls: int = 0
    unpriced: int = 0
    without_plan: int = 0
    _months: dict[str, tuple[int, Totals]] = field(default_factory=dict)

    def corrections(self, calls: Iterable[Charged]) -> Iterator[Correction]:
        """Of calls in the order of their ends, from the beginning of the month of ``since`` on."""
        for call in calls:
            found = self._corrected(call)
            if found is not None and (found.cost or found.charge):
                yield found

    def _corrected(self, call: Charged) -> Correction | None:
        due = call.at_ns >= self.since_ns
        self.calls += due
        terms = self.terms(call.consumer_id, call.tier)
        if terms is None:
            self.without_plan += due
            return None
        cost = self._cost(call) if due else call.cost
        charge = self._charge(call, cost, *terms)
        return Correction(call, cost - call.cost, charge - call.charge) if due else None

    def _cost(self, call: Charged) -> int:
        if not call.usage.total:
            return call.cost
        price = self.book.find(call.model, call.at_ns // _NS)
        if price is None:
            self.unpriced += 1
            return call.cost
        return price.rates.cost(call.usage)

    def _charge(self, call: Charged, cost: int, plan: PricePlan, zone: tzinfo) -> int:
        start, _ = span(Period.MONTH, call.at_ns // _NS, zone)
        known, before = self._months.get(call.consumer_id, (start, Totals()))
        if start < known:  # it ended in a later month than it came: charged by what it would begin that month
            return plan.charge(Totals(), Totals().plus(1, call.usage, cost))
        if start > known:
            before = Totals()
        after = before.plus(1, call.usage, cost)
        self._months[call.consumer_id] = start, after
        return plan.charge(before, after)
