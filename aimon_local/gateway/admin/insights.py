"""``GET /insights/{name}``: questions of the business, answered from the ledger. Our own, beside Kong's API.

The answers are folds of ``policy.insights``; here their facts are gathered, in a thread, page by page. Without
``since``: the last 30 days.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import Span, span
from aimon_local.model.audit import AuditEntry
from aimon_local.model.moment import DAY, SECOND
from aimon_local.policy.pricing import PricePlan
from aimon_local.storage.audit import Asked, AuditLog

if TYPE_CHECKING:
    from aimon_local.policy.insights.facts import Ended, Facts, Insight, Move

_KINDS = ("tiers", "consumer_groups", "consumer_group_consumers", "consumers", "price_plans", "model_prices")
_MEMBERS = "consumer_group_consumers"
_PAGE = 1000
_DAYS = 30

Names = dict[str, str]


async def listing(ask: Ask) -> Reply:
    """The questions."""
    from aimon_local.policy.insights import INSIGHTS

    data = [{"name": name, "about": each.about, "method": each.method} for name, each in INSIGHTS.items()]
    return json_reply(200, {"data": data, "next": None})


async def one(ask: Ask) -> Reply:
    """One answer: its method in words, its columns, its rows."""
    from aimon_local.policy.insights import INSIGHTS

    name, when = ask.params["insights"], span(ask)
    insight = INSIGHTS.get(name)
    if insight is None:
        return message(404, f"there is no insight {name!r}: give one of {', '.join(INSIGHTS)}")
    if isinstance(when, Reply):
        return when
    facts = _facts(ask, insight, when)
    rows = await asyncio.to_thread(insight.fold, facts)
    ends = Span(facts.since_ns, facts.until_ns).shown()
    out = {"name": name, "about": insight.about, "method": insight.method, **ends, "columns": insight.columns}
    return json_reply(200, {**out, "data": rows, "next": None})


def _facts(ask: Ask, insight: "Insight", when: Span) -> "Facts":
    from aimon_local.policy.insights.facts import Facts, Known
    from aimon_local.policy.snapshot import build

    context = ask.context
    now = context.now()
    until = now if when.until is None else when.until
    since = max(0, until - _DAYS * DAY) if when.since is None else when.since
    held = {kind: list(context.catalog.rows(kind)) for kind in _KINDS}
    snapshot = build(held, {}, str)
    tiering = snapshot.tiering

    def plan(consumer_id: str) -> PricePlan | None:
        who = snapshot.consumers.get(consumer_id)
        rule = None if who is None else tiering.rule("", consumer_id, [group for group, _ in who.tiers])
        return None if rule is None else rule.terms.plan

    plans = {name: tiering.plans.get(tier.plan) for name, tier in tiering.tiers.items()}
    paid = [name for name, each in plans.items() if each and (each.monthly_fee or each.components or each.markup)]
    names = {row["id"]: _label(row) for kind in ("consumers", "consumer_groups") for row in held[kind]}
    return Facts(
        now_ns=now,
        since_ns=since,
        until_ns=until,
        rows=_rows(ask, 0 if insight.whole else since, until),
        moves=_moves(context.audit, names) if context.audit is not None else (),
        consumers=[Known(row["id"], _label(row), row["created_at"] * SECOND) for row in held["consumers"]],
        paid=frozenset(paid),
        plan=plan,
        price=tiering.book.find,
    )


def _rows(ask: Ask, since: int, until: int) -> "Iterator[Ended]":
    from aimon_local.policy.insights.facts import Ended

    feed, catalog, at = ask.context.feed, ask.context.catalog, 0
    services, routes = ({row["id"]: row["name"] for row in catalog.rows(kind)} for kind in ("services", "routes"))
    while page := feed.after(at, _PAGE, since, until):
        at = page[-1].seq
        for _, row, ai, cost, charge in page:
            money = (cost, charge) if ai is None else (ai.cost + cost, ai.charge + charge)
            yield Ended(row, ai, *money, services.get(row.service_id or ""), routes.get(row.route_id or ""))
        if len(page) < _PAGE:
            return


def _moves(log: AuditLog, names: Names) -> "Iterator[Move]":
    """Who joined and left which group, the newest first."""
    before = None
    while lines := log.page(Asked(entity=_MEMBERS, before=before, size=_PAGE)):
        before = lines[-1][0]
        for _, line in lines:
            yield from _move(line, names)


def _move(line: AuditEntry, names: Names) -> "Iterator[Move]":
    from aimon_local.policy.insights.facts import Move

    text = line.after or line.before
    if line.entity != _MEMBERS or line.action not in ("create", "delete") or not text:
        return
    row: dict[str, Any] = json.loads(text)
    consumer, group = (str((row.get(side) or {}).get("id", "")) for side in ("consumer", "consumer_group"))
    yield Move(
        line.at_ns,
        consumer,
        names.get(consumer, line.name or consumer),
        names.get(group, group),
        line.action == "create",
    )


def _label(row: Any) -> str:
    return str(row.get("username") or row.get("custom_id") or row.get("name") or row["id"])
