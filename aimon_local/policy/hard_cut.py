"""Where the edge of a call's budget is, for a tier with ``hard_cut``: the output tokens that it may deliver.

Under ``mode = "reserve"`` that is what is held for it. Where nothing is held (the peers' modes), it is also what each
limit that denies had left of output, tokens or cost when the call was admitted; calls beside it have the same edge.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aimon_local.model.tier import Unit
from aimon_local.policy.pricing import MILLION, Rates

if TYPE_CHECKING:
    from aimon_local.policy.account import Held, Status


def edge(output: int, prompt: int, rates: Rates, standing: Iterable["Status"], held: Iterable["Held"]) -> int:
    """Tokens of output, at most ``output``, that fit what is held or left. ``standing`` and ``held`` go in step."""
    most = output
    for (_, _, amount, used, _), (_, counter, unit, units, _) in zip(standing, held, strict=True):
        if not units and unit is not None and not counter.shadow:
            most = min(most, _fitting(unit, amount - used, prompt, rates, most))
    return max(0, most)


def _fitting(unit: Unit, left: int, prompt: int, rates: Rates, most: int) -> int:
    """Output tokens that fit what one limit has left."""
    if unit is Unit.OUTPUT:
        return left
    if unit is Unit.TOKENS:
        return left - prompt
    dearest = max(rates.output, rates.reasoning)
    if unit is Unit.COST and dearest:
        return (left - rates.most(prompt, 0)) * MILLION // dearest
    return most
