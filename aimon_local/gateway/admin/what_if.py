"""``POST /what-if``: recorded calls decided again under other tiers and prices; stores nothing. Our own, not Kong's.

``plans``: a list of ``{"name": …, "offers": {tiers, price_plans, model_prices}}``, each over what holds now (a row
takes the place of the one of its name); ``moves``: consumer → tier; ``since`` and ``until``. It works in a thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from aimon_local.config import offers as files
from aimon_local.errors import ConfigError
from aimon_local.gateway import offers
from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import consumer
from aimon_local.model.catalog import Catalog
from aimon_local.model.moment import DAY, FORMS, moment, rfc3339
from aimon_local.model.money import dollars
from aimon_local.model.rows import Change
from aimon_local.model.tier import Period
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.ai_rule import RELEASED
from aimon_local.policy.snapshot import Snapshot, build
from aimon_local.policy.spans import span
from aimon_local.policy.terms import Terms
from aimon_local.policy.what_if import Decided, Fact, Shares, decide
from aimon_local.policy.what_if_sums import Comparison, Fee, Offer, Sums
from aimon_local.storage.feed import Fed, Feed

MOST_CALLS = 500_000  # in memory at a time
_MONTH = 33 * DAY  # no month is longer, in whatever zone it began
_PAGE = 1000
_NS = 1_000_000_000
_KINDS = ("tiers", "consumer_groups", "consumer_group_consumers", "consumers", "routes", "services", "price_plans")
_ALL = (*_KINDS, "model_prices")


class _TooMany(Exception):
    """More calls than are taken at once."""


async def run(ask: Ask) -> Reply:
    """Compare the recorded decisions with those of each plan."""
    given, now = ask.body.data, ask.context.now()
    ends = {name: moment(given[name], now) for name in ("since", "until") if isinstance(given.get(name), str)}
    wrong = next((name for name in ("since", "until") if given.get(name) is not None and ends.get(name) is None), None)
    if wrong is not None:
        return message(400, f"{wrong} must be {FORMS}, not {given[wrong]!r}")
    plans, moves = given.get("plans"), given.get("moves") or {}
    if not isinstance(plans, list) or not plans or not all(isinstance(each, Mapping) for each in plans):
        return message(400, "plans must be a list of at least one object with a name and offers")
    if not isinstance(moves, Mapping):
        return message(400, "moves must be an object: consumer to tier")
    try:
        others = [(str(each.get("name", "plan")), _world(ask, each)) for each in plans]
        nobody = next((str(name) for name in moves if consumer(ask, str(name)) is None), None)
        if nobody is not None:
            return message(400, f"moves: there is no consumer {nobody!r}")
        lost = next((tier for tier in moves.values() for _, world in others if tier not in world.tiering.tiers), None)
        if lost is not None:
            return message(400, f"moves: there is no tier {lost!r}")
        return json_reply(200, await asyncio.to_thread(_compare, ask, others, moves, ends))
    except ConfigError as fault:
        return message(400, str(fault))
    except _TooMany:
        return message(400, f"more than {MOST_CALLS} calls since the month began: narrow the span by until")


def _world(ask: Ask, plan: Mapping[str, Any]) -> Snapshot:
    """What would be in force with a plan's rows in place of those of their names; raises ConfigError."""
    document, name = plan.get("offers") or {}, str(plan.get("name", "plan"))
    if not isinstance(document, Mapping):
        raise ConfigError(f"{name}: offers must be an object", "")
    current = ask.context.catalog
    copy = Catalog(current.schemas, current.plugin_schemas, current.seals)
    copy.apply([Change("put", kind, row) for kind in current.schemas if kind in _ALL for row in current.rows(kind)])
    copy.apply(offers.plan(copy, files.read(document, name), ask.context.now(), ask.context.ids))
    return _built(copy)


def _built(catalog: Catalog) -> Snapshot:
    return build({kind: list(catalog.rows(kind)) for kind in _ALL}, {}, str)


def _compare(
    ask: Ask, others: list[tuple[str, Snapshot]], moves: Mapping[str, str], ends: Mapping[str, int | None]
) -> dict[str, Any]:
    since, until = ends.get("since") or 0, ends.get("until")
    routes = {row["id"]: str(row.get("name") or row["id"]) for row in ask.context.catalog.rows("routes")}
    facts = sorted(_facts(ask.context.feed, max(0, since - _MONTH), until, routes), key=lambda fact: fact.at_ns)
    shares, was = Shares.of(facts), _built(ask.context.catalog)
    out = []
    for name, world in others:
        found = Comparison()
        terms = _terms(world, moves)
        found.take(decide(facts, terms, shares), since, _fees(_terms(was, {})), _fees(terms))
        out.append(_told(name, found))
    return {"since": rfc3339(since), "until": rfc3339(until or ask.context.now()), "plans": out}


def _facts(feed: Feed, since: int, until: int | None, routes: Mapping[str, str]) -> Iterable[Fact]:
    at, count = 0, 0
    while page := feed.after(at, _PAGE, since, until):
        at, count = page[-1].seq, count + len(page)
        if count > MOST_CALLS:
            raise _TooMany
        yield from (_fact(fed, routes) for fed in page if fed.ai is not None)


def _fact(fed: Fed, routes: Mapping[str, str]) -> Fact:
    row, ai = fed.row, fed.ai
    assert ai is not None
    usage = TokenUsage(ai.input, ai.cache_read, ai.cache_write, ai.output, ai.reasoning)
    allowed = ai.denied_limit is None and row.decision == "allow"
    reason = "" if allowed else row.deny_reason or ""
    released = RELEASED in ai.flags
    return Fact(
        request_id=row.request_id,
        at_ns=row.at_ns,
        end_ns=row.at_ns + row.total_us * 1000,
        consumer_id=row.consumer_id or "",
        consumer=row.consumer or "",
        tier=ai.tier,
        route_id=row.route_id or "",
        route=routes.get(row.route_id or "", ""),
        model=ai.model,
        allowed=allowed,
        reason=reason,
        limit=ai.denied_limit or "",
        estimate=ai.reserved_input or ai.estimate,
        output=ai.reserved_output,
        requests=int(allowed and not released),
        usage=usage,
        cost=ai.cost + fed.corrected_cost,
        charge=ai.charge + fed.corrected_charge,
    )


def _terms(world: Snapshot, moves: Mapping[str, str]) -> Callable[[Fact], Terms | None]:
    """The terms of a call in a world: its recorded tier, or the one that its consumer is moved to."""
    tiering = world.tiering
    groups = {tier.name: group for group, tier in tiering.by_group.items()}
    known: dict[tuple[str, str, str], Terms | None] = {}

    def terms(fact: Fact) -> Terms | None:
        name = moves.get(fact.consumer, fact.tier)
        key = (name, fact.consumer_id, fact.route_id)
        if key not in known:
            rule = tiering.rule(fact.route_id, fact.consumer_id, (groups[name],)) if name in groups else None
            known[key] = None if rule is None else rule.terms
        return known[key]

    return terms


def _fees(terms_of: Callable[[Fact], Terms | None]) -> Fee:
    def fee(fact: Fact) -> tuple[int, int]:
        terms = terms_of(fact)
        if terms is None:
            return 0, 0
        return span(Period.MONTH, fact.at_ns // _NS, terms.zone)[0], terms.plan.monthly_fee

    return fee


def _told(name: str, found: Comparison) -> dict[str, Any]:
    return {
        "name": name,
        "recorded": _offer(found.recorded),
        "other": _offer(found.other),
        "newly_denied": found.newly_denied,
        "newly_allowed": found.newly_allowed,
        "flips": [_flip(each) for each in found.flips],
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "total": _sums(offer.total),
        "tiers": {name: _sums(offer.tiers[name]) for name in sorted(offer.tiers)},
        "consumers": {name: _sums(offer.consumers[name]) for name in sorted(offer.consumers)},
    }


def _sums(sums: Sums) -> dict[str, Any]:
    money = {name: _signed(getattr(sums, name)) for name in ("cost", "charge", "fees", "revenue", "margin")}
    return {**asdict(sums), **money}


def _signed(nano: int) -> str:
    return f"-{dollars(-nano)}" if nano < 0 else dollars(nano)


def _flip(each: Decided) -> dict[str, Any]:
    fact = each.fact
    return {
        **{"request_id": fact.request_id, "at": rfc3339(fact.at_ns), "consumer": fact.consumer, "tier": fact.tier},
        **{"model": fact.model, "was": "allow" if fact.allowed else fact.limit or fact.reason},
        **{"now": "allow" if each.allowed else each.reason, "cost": dollars(each.cost), "charge": dollars(each.charge)},
        "assumed": each.assumed,
    }
