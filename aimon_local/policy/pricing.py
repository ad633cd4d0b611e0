"""Pricing: what a call costs us (the price book) and what it brings (the plan). Integers, one rounding point each.

Rates are nano-dollars per million tokens, as providers publish them; a call's cost is the sum of parts times rates,
divided once by a million, rounded up, so that a used token is never free. A plan's charge is a telescope: what a
month's total costs after the call less what it cost before, so included units, graduated steps and rounding never
depend on how the month was cut into calls.

A model that the book does not know is never free: ``PriceBook.find`` gives None, and the caller denies it or charges
the stated default.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from aimon_local.model.tokens import TokenUsage

MILLION = 1_000_000
_MOST = 1000  # models whose lines are remembered: callers make names up


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per million tokens, per part."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int

    def cost(self, usage: TokenUsage) -> int:
        """Nano-dollars of one call."""
        parts = (
            usage.input * self.input
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
            + usage.output * self.output
            + usage.reasoning * self.reasoning
        )
        return -(-parts // MILLION)

    def most(self, prompt_tokens: int, output_tokens: int) -> int:
        """The most that a call of this size can cost: what is reserved before it."""
        dearest_in = max(self.input, self.cache_write, self.cache_read)
        dearest_out = max(self.output, self.reasoning)
        return -(-(prompt_tokens * dearest_in + output_tokens * dearest_out) // MILLION)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One line of the price book: a model, or a pattern of models, from a day on."""

    model: str  # may hold * and ?
    provider: str
    since: int  # Unix seconds from which it holds
    rates: Rates
    max_output: int | None = None  # tokens the model can write at most


class PriceBook:
    """What models cost, by name and time."""

    __slots__ = ("_exact", "_found", "_patterns", "lines")

    def __init__(self, lines: Iterable[ModelPrice]) -> None:
        self.lines = tuple(lines)
        self._exact: dict[str, list[ModelPrice]] = {}
        patterns: dict[str, list[ModelPrice]] = {}
        for line in self.lines:
            home = patterns if "*" in line.model or "?" in line.model else self._exact
            home.setdefault(line.model, []).append(line)
        for found in (*self._exact.values(), *patterns.values()):
            found.sort(key=lambda line: line.since, reverse=True)
        # The longest pattern is the most specific; equal ones in the order of their text, so the choice is stable.
        self._patterns = sorted(patterns.items(), key=lambda item: (-len(item[0]), item[0]))
        self._found: dict[str, tuple[ModelPrice, ...]] = {}  # lines by model, the one to take first in front

    def find(self, model: str, now: int) -> ModelPrice | None:
        """The line that holds for a model at a time (Unix seconds): exact name first, then the longest pattern."""
        lines = self._found.get(model)
        if lines is None:
            if len(self._found) >= _MOST:
                self._found.clear()
            lines = self._found[model] = tuple(self._lines(model))
        for line in lines:
            if line.since <= now:
                return line
        return None

    def _lines(self, model: str) -> Iterator[ModelPrice]:
        yield from self._exact.get(model, ())
        for pattern, lines in self._patterns:
            if fnmatchcase(model, pattern):
                yield from lines


class Totals(NamedTuple):
    """What a consumer used in a billing month."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0  # nano-dollars

    def plus(self, requests: int, usage: TokenUsage, cost: int) -> "Totals":
        """With one more call."""
        return Totals(
            self.requests + requests,
            self.input_tokens + usage.total_input,
            self.output_tokens + usage.total_output,
            self.cost + cost,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """Units up to a bound at one price."""

    up_to: int | None  # units in all, counted after the included ones; None: no bound
    price: int  # nano-dollars per ``Component.per`` units


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that a plan charges for, with included units and graduated steps."""

    unit: str  # requests, tokens, input_tokens, output_tokens
    steps: tuple[Step, ...]
    included: int = 0
    per: int = 1  # units that a price is for: 1 for requests, a million for tokens

    def units(self, totals: Totals) -> int:
        """How many of its units a total holds."""
        if self.unit == "tokens":
            return totals.input_tokens + totals.output_tokens
        return int(getattr(totals, self.unit))

    def numerator(self, totals: Totals) -> int:
        """The charge of a total, times ``per``: exact, not yet rounded."""
        left = max(0, self.units(totals) - self.included)
        charged = done = 0
        for step in self.steps:
            size = left if step.up_to is None else min(left, step.up_to - done)
            charged += size * step.price
            left, done = left - size, done + size
            if not left:
                break
        return charged


@dataclass(frozen=True, slots=True)
class PricePlan:
    """What a tier's consumers pay."""

    name: str
    monthly_fee: int = 0  # nano-dollars
    components: tuple[Component, ...] = ()
    markup: int = 0  # basis points of the cost that are charged: 12_000 = cost plus 20 %

    def usage_charge(self, totals: Totals) -> int:
        """Nano-dollars that a month's total costs beside the fee; rounded up once per component."""
        charged = sum(-(-component.numerator(totals) // component.per) for component in self.components)
        return charged - (-(totals.cost * self.markup) // 10_000)

    def charge(self, before: Totals, after: Totals) -> int:
        """What the calls between two totals of one month bring."""
        if not self.components and not self.markup:
            return 0
        return self.usage_charge(after) - self.usage_charge(before)
