"""``GET /usage/ai``: tokens and money of the ledger's AI calls. Our own, beside Kong's API.

Sums are those of ``storage.spend``; money leaves as dollars, a text with all its digits. A new grouping: a line there.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply
from aimon_local.gateway.admin.span import choice, span, whose
from aimon_local.model.moment import rfc3339
from aimon_local.model.money import dollars
from aimon_local.storage.spend import GROUPS, SUMS, Spend

_NS = 1_000_000_000
_BY = tuple(name for name in GROUPS if name is not None)
_TIMES = ("hour", "day")


def plain(spend: Spend) -> dict[str, Any]:
    """Sums as JSON has them."""
    counts = {name: getattr(spend, name) for name in SUMS if name not in ("cost", "charge")}
    margin = spend.charge - spend.cost
    sign = "-" if margin < 0 else ""
    money = {"cost": dollars(spend.cost), "charge": dollars(spend.charge), "margin": f"{sign}{dollars(abs(margin))}"}
    return {**counts, **money}


async def show(ask: Ask) -> Reply:
    """Sums of ``consumer``, or of all, in a span; with ``by`` apart by that."""
    who, when, by = whose(ask), span(ask), choice(ask, "by", _BY)
    for found in (who, when, by):
        if isinstance(found, Reply):
            return found
    assert not isinstance(who, Reply)
    assert not isinstance(when, Reply)
    assert not isinstance(by, Reply)
    ledger = ask.context.ledger
    totals = await ledger.spend(None, who.of, when.since, when.until)
    out: dict[str, Any] = {"consumer": who.shown(), **when.shown(), "totals": plain(totals.get("", Spend()))}
    if by is not None:
        groups = await ledger.spend(by, who.of, when.since, when.until)
        out |= {"by": by, "groups": [_group(ask, by, key, each) for key, each in ordered(by, groups)]}
    return json_reply(200, out)


def ordered(by: str, groups: Mapping[str | int, Spend]) -> list[tuple[str | int, Spend]]:
    """Groups: times in their order, all else by what it costs, the dearest first."""
    if by in _TIMES:
        return sorted(groups.items(), key=lambda pair: int(pair[0]))
    return sorted(groups.items(), key=lambda pair: (-pair[1].cost, -pair[1].calls, str(pair[0])))


def _group(ask: Ask, by: str, key: str | int, spend: Spend) -> dict[str, Any]:
    name: str | None = str(key)
    if by == "route":
        row = ask.context.catalog.select("routes", str(key))
        name = None if row is None else row["name"]
    elif by in _TIMES:
        name = rfc3339(int(key) * _NS)
    return {"id": key, "name": name, "totals": plain(spend)}
