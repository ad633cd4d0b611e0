"""``GET /usage/ai`` and ``/bill``: tokens and money of the ledger's AI calls. Our own, beside Kong's API.

Sums are those of ``storage.spend``; money leaves as dollars, a text with all its digits. A new grouping: a line there.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import choice, consumer, span, whose
from aimon_local.model.moment import rfc3339
from aimon_local.model.money import dollars
from aimon_local.policy import tiering
from aimon_local.policy.snapshot import build
from aimon_local.storage.spend import GROUPS, SUMS, Spend

_NS = 1_000_000_000
_MONTH = re.compile(r"(\d{4})-(\d\d)")
_BY = tuple(name for name in GROUPS if name is not None)
_TIMES = ("hour", "day")
_KINDS = ("tiers", "consumer_groups", "consumer_group_consumers", "consumers", "price_plans", "model_prices")


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
        out |= {"by": by, "groups": [_group(ask, by, key, each) for key, each in _ordered(by, groups)]}
    return json_reply(200, out)


def _ordered(by: str, groups: Mapping[str | int, Spend]) -> list[tuple[str | int, Spend]]:
    """Times in their order, all else by what it costs, the dearest first."""
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


async def bill(ask: Ask) -> Reply:
    """What a consumer owes for a calendar month in its tier's zone: fee, charges, and what they were for."""
    named, text = ask.query.first("consumer"), ask.query.first("month")
    row = None if named is None else consumer(ask, named)
    if row is None:
        return message(404, f"consumer {named!r} not found") if named else message(400, "consumer must be given")
    rule = _rule(ask, row["id"])
    if rule is None:
        return message(409, f"consumer {named!r} has no tier, so there is no price plan to bill by")
    terms = rule.terms
    bounds = _month(text, ask.context.now(), terms.zone)
    if bounds is None:
        return message(400, f"month must be written as 2026-11, not {text!r}")
    begin, end = (int(each.timestamp()) * _NS for each in bounds)
    ledger = ask.context.ledger
    totals = (await ledger.spend(None, row["id"], begin, end)).get("", Spend())
    models = await ledger.spend("model", row["id"], begin, end)
    lines = [{"model": model or None, **plain(each)} for model, each in _ordered("model", models)]
    out = {
        "consumer": {"id": row["id"], "username": row["username"]},
        "tier": terms.tier.name,
        "plan": terms.plan.name,
        "month": f"{bounds[0]:%Y-%m}",
        "zone": terms.tier.zone,
        "since": rfc3339(begin),
        "until": rfc3339(end),
        "fee": dollars(terms.plan.monthly_fee),
        "usage": plain(totals),
        "total": dollars(terms.plan.monthly_fee + totals.charge),
        "models": lines,
    }
    return json_reply(200, out)


def _rule(ask: Ask, consumer_id: str) -> Any:
    snapshot = build({kind: list(ask.context.catalog.rows(kind)) for kind in _KINDS}, {}, str)
    who = snapshot.consumers[consumer_id]
    tiers: tiering.Tiering = snapshot.tiering
    return tiers.rule("", consumer_id, [group for group, _ in who.tiers])


def _month(text: str | None, now: int, zone: datetime.tzinfo) -> tuple[datetime.datetime, datetime.datetime] | None:
    """Begin and end of a month; without a text of the present one."""
    if text is None:
        here = datetime.datetime.fromtimestamp(now // _NS, zone)
        year, month = here.year, here.month
    else:
        found = _MONTH.fullmatch(text)
        if found is None or not (1 <= int(found[2]) <= 12 and 1970 <= int(found[1]) < 9999):
            return None
        year, month = int(found[1]), int(found[2])
    begin = datetime.datetime(year, month, 1, tzinfo=zone)
    return begin, datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
