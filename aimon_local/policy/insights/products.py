"""Revenue by product: what the calls of each service and route brought and cost. Pure."""

from dataclasses import dataclass, field

from aimon_local.model.money import dollars
from aimon_local.policy.insights.facts import Facts, Insight, Rows, signed


@dataclass(slots=True)
class _Sold:
    requests: int = 0
    tokens: int = 0
    cost: int = 0
    charge: int = 0
    consumers: set[str] = field(default_factory=set)


def fold(facts: Facts) -> Rows:
    """A row per service and route, what brings most first."""
    found: dict[tuple[str, str], _Sold] = {}
    for each in facts.rows:
        row = each.row
        if not each.allowed:
            continue
        place = each.service or row.service_id or "", each.route or row.route_id or ""
        sold = found.setdefault(place, _Sold())
        sold.requests += 1
        sold.tokens += each.tokens
        sold.cost += each.cost
        sold.charge += each.charge
        sold.consumers.add(each.consumer)
    return [_row(*place, found[place]) for place in sorted(found, key=lambda place: (-found[place].charge, place))]


def _row(service: str, route: str, sold: _Sold) -> dict[str, object]:
    return {
        **{"service": service, "route": route, "requests": sold.requests, "consumers": len(sold.consumers)},
        **{"tokens": sold.tokens, "revenue": dollars(sold.charge), "cost": dollars(sold.cost)},
        "margin": signed(sold.charge - sold.cost, dollars),
    }


INSIGHT = Insight(
    "What each service and route brings.",
    "Of admitted calls: charges by use, with corrections; monthly fees belong to no product and are not in here.",
    ("service", "route", "requests", "consumers", "tokens", "revenue", "cost", "margin"),
    fold,
)
