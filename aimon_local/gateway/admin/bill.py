"""``GET /bill``: what a consumer owes for a calendar month in its tier's zone. Our own, beside Kong's API.

From the ledger alone: the charge is the sum of what the month's calls were charged when they ended. The plan as it is
now tells what it was for; what it can't tell (calls charged by an earlier plan or tier) is the adjustment.
"""

import datetime
import re
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import consumer
from aimon_local.gateway.admin.spend import ordered, plain
from aimon_local.model.moment import SECOND, rfc3339
from aimon_local.model.money import dollars
from aimon_local.policy.billing import Breakdown, ComponentLine, breakdown
from aimon_local.policy.pricing import PricePlan, Totals
from aimon_local.policy.snapshot import build
from aimon_local.policy.terms import Terms
from aimon_local.policy.tiering import Tiering
from aimon_local.storage.spend import Spend

_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_KINDS = ("tiers", "consumer_groups", "consumer_group_consumers", "consumers", "price_plans", "model_prices")

Bounds = tuple[datetime.datetime, datetime.datetime]


async def show(ask: Ask) -> Reply:
    """Fee, charges, and what they were for."""
    named, text = ask.query.first("consumer"), ask.query.first("month")
    row = None if named is None else consumer(ask, named)
    if row is None:
        return message(404, f"consumer {named!r} not found") if named else message(400, "consumer must be given")
    terms = _terms(ask, row["id"])
    if terms is None:
        return message(409, f"consumer {named!r} has no tier, so there is no price plan to bill by")
    bounds = _month(text, ask.context.now(), terms.zone)
    if bounds is None:
        return message(400, f"month must be written as 2026-11, not {text!r}")
    begin, end = (int(each.timestamp()) * SECOND for each in bounds)
    models = await ask.context.ledger.spend("model", row["id"], begin, end)
    total = Spend(*map(sum, zip(*models.values(), strict=True))) if models else Spend()
    fee = terms.plan.monthly_fee
    out = {
        "consumer": {"id": row["id"], "username": row["username"]},
        "tier": terms.tier.name,
        "plan": terms.plan.name,
        "month": f"{bounds[0]:%Y-%m}",
        "zone": terms.tier.zone,
        "since": rfc3339(begin),
        "until": rfc3339(end),
        "fee": dollars(fee),
        **_parts(terms.plan, total),
        "usage": plain(total),
        "total": dollars(fee + total.charge),
        "margin": dollars(fee + total.charge - total.cost),
        "models": [{"model": model or None, **plain(each)} for model, each in ordered("model", models)],
    }
    return json_reply(200, out)


def _parts(plan: PricePlan, spend: Spend) -> dict[str, Any]:
    """What the charge is made of: components, markup, and what is left to the sum of the ledger's charges."""
    into, out = spend.input + spend.cache_read + spend.cache_write, spend.output + spend.reasoning
    found: Breakdown = breakdown(plan, Totals(spend.requests, into, out, spend.cost))
    return {
        "components": [_component(line) for line in found.components],
        "markup": {"basis_points": plan.markup, "cost": dollars(spend.cost), "amount": dollars(found.markup)},
        "adjustment": dollars(spend.charge - found.amount),
    }


def _component(line: ComponentLine) -> dict[str, Any]:
    steps = [
        {
            "from": each.begin,
            "up_to": each.step.up_to,
            "price": dollars(each.step.price),
            "units": each.units,
            "amount": dollars(each.amount),
        }
        for each in line.steps
    ]
    part = line.component
    counts = {"units": line.units, "included": part.included, "overage": line.overage}
    return {"unit": part.unit, "per": part.per, **counts, "steps": steps, "amount": dollars(line.amount)}


def _terms(ask: Ask, consumer_id: str) -> Terms | None:
    snapshot = build({kind: list(ask.context.catalog.rows(kind)) for kind in _KINDS}, {}, str)
    who = snapshot.consumers[consumer_id]
    tiers: Tiering = snapshot.tiering
    rule = tiers.rule("", consumer_id, [group for group, _ in who.tiers])
    return None if rule is None else rule.terms


def _month(text: str | None, now: int, zone: datetime.tzinfo) -> Bounds | None:
    """Begin and end of a month; without a text of the present one."""
    if text is None:
        here = datetime.datetime.fromtimestamp(now // SECOND, zone)
        year, month = here.year, here.month
    else:
        found = _MONTH.fullmatch(text)
        if found is None or not (1 <= int(found[2]) <= 12 and 1970 <= int(found[1]) < 9999):
            return None
        year, month = int(found[1]), int(found[2])
    begin = datetime.datetime(year, month, 1, tzinfo=zone)
    return begin, datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
