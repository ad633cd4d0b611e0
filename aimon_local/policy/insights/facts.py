"""What insights are folded from: rows of the ledger as they are now, and what the gateway sells. Nouns, no I/O.

Money is nano-dollars, corrections are in it. To give folds another fact: a field of ``Facts`` with a default.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import UsageRow
from aimon_local.policy.pricing import ModelPrice, PricePlan

DAY_NS = 86_400_000_000_000
Rows = list[dict[str, Any]]


class Ended(NamedTuple):
    """One call of the ledger; money with its corrections."""

    row: UsageRow
    ai: AiRecord | None
    cost: int = 0
    charge: int = 0
    service: str | None = None  # by name, where it has one still
    route: str | None = None

    @property
    def consumer(self) -> str:
        """By name; "": nobody was known."""
        return self.row.consumer or self.row.consumer_id or ""

    @property
    def allowed(self) -> bool:
        """It was let through."""
        return self.row.decision == "allow"

    @property
    def tokens(self) -> int:
        """Input and output."""
        ai = self.ai
        return 0 if ai is None else ai.input + ai.cache_read + ai.cache_write + ai.output + ai.reasoning


class Move(NamedTuple):
    """A consumer joined a group, or left it, as the audit log tells."""

    at_ns: int
    consumer_id: str
    consumer: str
    group: str
    joined: bool


class Known(NamedTuple):
    """A consumer that is there now."""

    id: str
    name: str
    created_ns: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one question. ``rows``: of the span (or all up to its end, where the insight asks for it); read once."""

    now_ns: int
    since_ns: int
    until_ns: int
    rows: Iterable[Ended]
    moves: Iterable[Move] = ()
    consumers: Iterable[Known] = ()
    paid: frozenset[str] = frozenset()  # groups whose price plan has a fee or a price
    plan: Callable[[str], PricePlan | None] = lambda _: None  # of a consumer's id, as it is now
    price: Callable[[str, int], ModelPrice | None] = lambda *_: None  # of a model at a time (Unix seconds)


@dataclass(frozen=True, slots=True)
class Insight:
    """One question that the ledger answers. ``whole``: it reads all rows up to the end of the span."""

    about: str
    method: str  # how the numbers come about, told with each answer
    columns: tuple[str, ...]
    fold: Callable[[Facts], Rows]
    whole: bool = False


def percent(part: int, whole: int) -> float | None:
    """To two decimals, rounded down, so that 100 is all of it; None: of nothing."""
    return None if whole <= 0 else part * 10_000 // whole / 100


def rank(ordered: list[int], share: int) -> int | None:
    """The value below or at which ``share`` percent of sorted values lie (nearest rank); None: there are none."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else None


def signed(nano: int, dollars: Callable[[int], str]) -> str:
    """Money that may be less than nothing, as text."""
    return f"-{dollars(-nano)}" if nano < 0 else dollars(nano)
