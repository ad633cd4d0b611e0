"""What holds for the consumers of a tier on a route, ready to use: the tier, its zone, plan and prices; and the lists
of who is armed by what. Made by the snapshot, read by ``policy.ai_rule``.
"""

from dataclasses import dataclass, field
from datetime import tzinfo
from fnmatch import fnmatchcase

from aimon_local.model.tier import Tier
from aimon_local.policy.pricing import PriceBook, PricePlan

_MOST = 1000  # names that are remembered: callers make models up


@dataclass(frozen=True, slots=True)
class Beside:
    """Limits that a route adds: they count on an account of their own."""

    key: str  # the account's subject is the consumer's with this behind it
    tier: Tier
    zone: tzinfo
    models: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Terms:
    """The whole of it."""

    tier: Tier  # its gates, narrowed by the route's amendments
    counted: Tier  # the same before that: one account per consumer, whatever the route
    zone: tzinfo
    plan: PricePlan
    book: PriceBook
    beside: tuple[Beside, ...] = ()
    _known: dict[str, bool] = field(default_factory=dict, compare=False)
    _models: dict[str, bool] = field(default_factory=dict, compare=False)

    def allows_model(self, model: str) -> bool:
        """Whether a pattern of the tier, and of each amendment of the route, matches a model; remembered."""
        known = self._models.get(model)
        if known is None:
            known = matches(self.tier.models, model) and all(matches(each.models, model) for each in self.beside)
            _remember(self._models, model, known)
        return known

    def allows_route(self, name: str) -> bool:
        """Whether a pattern of the tier matches a route's name; remembered, for routes are few."""
        known = self._known.get(name)
        if known is None:
            known = matches(self.tier.routes, name)
            _remember(self._known, name, known)
        return known


def _remember(table: dict[str, bool], name: str, known: bool) -> None:
    if len(table) >= _MOST:
        table.clear()
    table[name] = known


def matches(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name matches one of the patterns (``*`` and ``?``; letter case counts)."""
    return any(pattern == "*" or fnmatchcase(name, pattern) for pattern in patterns)
