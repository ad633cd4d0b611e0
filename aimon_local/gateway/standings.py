"""Where consumers stand on their tiers' limits, for ``/metrics``: a look at the accounts, only when somebody asks.

Series are bounded: the ``MOST`` fullest limits are shown, of consumers that there are; ``omitted`` says how many were
left out. An account begins with a consumer's first call under its tier, so who never called has no series.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from types import MappingProxyType
from typing import NamedTuple

from aimon_local.model.money import NANO
from aimon_local.model.tier import Unit
from aimon_local.policy.account import Status
from aimon_local.policy.accounts import Accounts
from aimon_local.policy.snapshot import Consumer

MOST = 1000
"""Limits, over all consumers, that ``/metrics`` shows at once."""

_MONEY = tuple(unit.value for unit in (Unit.COST, Unit.CHARGE))


_NONE: Mapping[str, int] = MappingProxyType({})


class Stand(NamedTuple):
    """One limit of one consumer; money in dollars."""

    consumer: str
    tier: str
    limit: str  # its word: requests/day; with @ROW where it is a route's own
    amount: float
    remaining: float


class Standings(NamedTuple):
    """What ``/metrics`` shows of tiers."""

    stands: Sequence[Stand] = ()
    omitted: int = 0
    in_flight: Mapping[str, int] = _NONE  # calls that are admitted and not settled, by tier


EMPTY = Standings()
"""Nobody called."""


def standings(accounts: Accounts, consumers: Mapping[str, Consumer], now: int, most: int = MOST) -> Standings:
    """How it is at ``now`` (nanoseconds). Looking changes nothing that counts."""
    found: list[tuple[float, Stand]] = []
    in_flight: dict[str, int] = {}
    for subject, account in accounts.opened():
        ident, _, row = subject.partition("@")
        consumer = consumers.get(ident)
        if consumer is None:
            continue
        name, tier = consumer.username or consumer.custom_id or ident, account.tier.name
        if not row:
            in_flight[tier] = in_flight.get(tier, 0) + accounts.in_flight(ident)
        found += [_stand(name, tier, row, status) for status in account.statuses(now)]
    shown = nlargest(most, found, key=lambda pair: pair[0])
    return Standings(sorted(stand for _, stand in shown), len(found) - len(shown), in_flight)


def _stand(consumer: str, tier: str, row: str, status: Status) -> tuple[float, Stand]:
    share = status.used / status.amount if status.amount else 1.0
    scale = NANO if status.name.startswith(_MONEY) else 1
    limit = f"{status.name}@{row}" if row else status.name
    return share, Stand(consumer, tier, limit, _shown(status.amount, scale), _shown(status.remaining, scale))


def _shown(value: int, scale: int) -> float:
    return value if scale == 1 else value / scale


def series(found: Iterable[Stand]) -> tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]:
    """Amounts and what remains, by labels: consumer, tier, limit."""
    rows = list(found)
    return {each[:3]: each.amount for each in rows}, {each[:3]: each.remaining for each in rows}
