"""Denied demand: what was refused, and what it would have brought at the present price plans. Pure.

A refused call's tokens are its estimated prompt and the output that it would have held. What it would bring is the
present plan's charge for what its consumer used in the span with the refused calls on top, less that without them.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from aimon_local.model.money import dollars
from aimon_local.model.tokens import Source, TokenUsage
from aimon_local.policy.ai_rule import RELEASED
from aimon_local.policy.insights.facts import Ended, Facts, Insight, Rows
from aimon_local.policy.pricing import Totals


@dataclass(slots=True)
class _Refused:
    consumers: set[str] = field(default_factory=set)
    demand: dict[str, Totals] = field(default_factory=dict)  # by consumer's id
    unpriced: int = 0


def fold(facts: Facts) -> Rows:
    """A row per reason and tier, the most refused first."""
    used: defaultdict[str, Totals] = defaultdict(Totals)
    found: defaultdict[tuple[str, str, str], _Refused] = defaultdict(_Refused)
    for each in facts.rows:
        id_, ai = each.row.consumer_id or "", each.ai
        if each.allowed:
            counted = ai is None or RELEASED not in ai.flags
            used[id_] = used[id_].plus(int(counted), _usage(each), each.cost)
            continue
        tier = (ai.tier if ai is not None else None) or each.row.tier or ""
        refused = found[each.row.deny_reason or "", (ai.denied_limit if ai is not None else None) or "", tier]
        refused.consumers.add(each.consumer)
        price = facts.price(ai.model, each.row.at_ns // 1_000_000_000) if ai is not None and ai.model else None
        refused.unpriced += price is None and ai is not None and bool(ai.model)
        usage = _usage(each)
        cost = 0 if price is None else price.rates.cost(usage)
        refused.demand[id_] = refused.demand.get(id_, Totals()).plus(1, usage, cost)
    rows = [_row(*place, refused, used, facts) for place, refused in found.items()]
    return sorted(rows, key=lambda row: (-row["requests"], row["reason"], row["limit"], row["tier"]))


def _usage(each: Ended) -> TokenUsage:
    ai = each.ai
    if ai is None:
        return TokenUsage(0, 0, 0, 0, 0, Source.NONE, True)
    if each.allowed:
        return TokenUsage(ai.input, ai.cache_read, ai.cache_write, ai.output, ai.reasoning, Source.NONE, True)
    return TokenUsage(ai.estimate, 0, 0, ai.reserved_output, 0, Source.ESTIMATED, True)


def _row(
    reason: str, limit: str, tier: str, refused: _Refused, used: defaultdict[str, Totals], facts: Facts
) -> dict[str, int | str]:
    revenue = 0
    for id_, more in refused.demand.items():
        plan, before = facts.plan(id_), used[id_]
        after = Totals(*(a + b for a, b in zip(before, more, strict=True)))
        revenue += 0 if plan is None else plan.charge(before, after)
    total = Totals(*map(sum, zip(*refused.demand.values(), strict=True)))
    return {
        **{"reason": reason, "limit": limit, "tier": tier, "requests": total.requests},
        **{"consumers": len(refused.consumers), "tokens": total.input_tokens + total.output_tokens},
        **{"revenue": dollars(revenue), "cost": dollars(total.cost), "unpriced": refused.unpriced},
    }


INSIGHT = Insight(
    "What was refused, and what it would have brought.",
    "Tokens are the estimated prompt and the output that would have been held; revenue is what the present plan "
    "charges for the consumer's use in the span with the refused calls, less that without them; cost by the "
    "price book.",
    ("reason", "limit", "tier", "requests", "consumers", "tokens", "revenue", "cost", "unpriced"),
    fold,
)
