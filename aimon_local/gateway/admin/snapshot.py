"""``GET /snapshot``: all that a live view begins with, and the number of the event that it is true at. Our own.

Who reads it and then the events behind ``number`` counts each request once: the sums end with the row that this event
tells of. ``first`` is the oldest event that is kept, so a tail can begin before ``number``. Limits are those of memory,
as they stand now; they also hold what calls in flight hold. Integers throughout, money in nano-dollars, times in
nanoseconds, as in events. ``?consumer=`` gives that one consumer's limits alone, which are read fresh where a view
needs what is held just now.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import consumer
from aimon_local.model.tier import Tier
from aimon_local.policy.account import Account
from aimon_local.policy.call import Call
from aimon_local.policy.limits import Counter
from aimon_local.policy.nouns import Consumer
from aimon_local.policy.tiering import zone_of
from aimon_local.storage.queries import UsageTotals
from aimon_local.storage.spend import Spend
from aimon_local.storage.today import Today

MOST = 2_000  # consumers that are named, those with the most requests first; ``more`` says how many are not
_DAY = 86_400_000_000_000
_TRIES = 50
_PAUSE = 0.002  # seconds between tries
_TOLD = 0.02  # seconds in which a commit's event is surely told: it is on its way when the commit can be seen

Document = dict[str, Any]


async def show(ask: Ask) -> Reply:
    """The whole, or the limits of one consumer."""
    named = ask.query.first("consumer")
    if named is not None:
        return _one(ask, named)
    now = ask.context.now()
    since = now - now % _DAY
    found = await _settled(ask, since)
    if found is None:
        return message(503, "the ledger moves too fast for a snapshot just now; ask again")
    number, today = found
    call = ask.context.trial("GET", "/", b"")
    load = ask.context.load()
    node = ask.context.node
    consumers, more = _consumers(call, today, now)
    return json_reply(
        200,
        {
            "number": number,
            "first": ask.context.events.first,
            "at": now,
            "since": since,
            "version": node.version,
            "pid": node.pid,
            "in_flight": load.connections_reading + load.connections_writing,
            "resident_bytes": load.resident_bytes,
            "ledger_writable": load.database_reachable,
            "tiers": _tiers(call, today),
            "routes": {each.id: each.name or each.id for each in call.snapshot.routes.values()},
            "consumers": consumers,
            "more": more,
            "models": [{"name": name, **_money(spend)} for name, spend in today.model_spend.items()],
        },
    )


async def _settled(ask: Ask, since: int) -> tuple[int, Today] | None:
    """Sums, and the number of the event that they are true at. A commit's event is told just after the commit."""
    events = ask.context.events
    for _ in range(_TRIES):
        last = events.last
        today = await ask.context.ledger.today(since)
        number = None if today.last is None else events.number_of(today.last)
        if number is not None:
            return number, today
        if not events.tells_requests():
            await asyncio.sleep(_TOLD)
            if not events.tells_requests():  # nothing ended since the start, so nothing can be missed
                return last, today
        await asyncio.sleep(_PAUSE)
    return None


# ---- tiers


def _tiers(call: Call, today: Today) -> list[Document]:
    """Each tier that is defined, or that something ran under; "" is who has none."""
    tiering = call.snapshot.tiering
    members: dict[str, int] = {}
    for each in call.snapshot.consumers.values():
        name = each.tiers[0][1] if each.tiers else ""
        members[name] = members.get(name, 0) + 1
    names = sorted({*tiering.tiers, *(str(name) for name in today.tiers)})
    return [
        {
            "name": name,
            "consumers": members.get(name, 0),
            "plan": tiering.tiers[name].plan if name in tiering.tiers else None,
            "limits": _definitions(tiering.tiers.get(name)),
            **_counts(today.tiers.get(name), today.tier_spend.get(name)),
        }
        for name in names
    ]


def _definitions(tier: Tier | None) -> list[Document]:
    if tier is None:
        return []
    account = Account("", tier, zone_of(tier.zone))
    return [{"name": one.name, "amount": one.amount, "shadow": one.shadow} for _, one in account.counters]


# ---- consumers


def _consumers(call: Call, today: Today, now: int) -> tuple[list[Document], int]:
    """Who used something today or has a limit that counts, the busiest first."""
    by_name = {each.username or each.custom_id or each.id: each for each in call.snapshot.consumers.values()}
    counting = {name for name, each in by_name.items() if call.state.accounts.find(each.id) is not None}
    names = sorted({str(name) for name in today.consumers} | counting, key=lambda name: (-_busy(today, name), name))
    shown = [
        {
            "name": name,
            "id": by_name[name].id if name in by_name else None,
            "tier": _tier_name(by_name.get(name)),
            "limits": limits(call, by_name[name], now) if name in by_name else [],
            **_counts(today.consumers.get(name), today.consumer_spend.get(name)),
        }
        for name in names[:MOST]
    ]
    return shown, max(0, len(names) - MOST)


def _busy(today: Today, name: str) -> int:
    found = today.consumers.get(name)
    return 0 if found is None else found.requests + found.denied


def _tier_name(who: Consumer | None) -> str:
    return who.tiers[0][1] if who is not None and who.tiers else ""


def _one(ask: Ask, named: str) -> Reply:
    """The limits of one consumer, those of its routes' rows beside its tier's."""
    row = consumer(ask, named)
    if row is None:
        return message(404, f"consumer {named!r} not found")
    call, now = ask.context.trial("GET", "/", b""), ask.context.now()
    who = call.snapshot.consumers[row["id"]]
    found = limits(call, who, now)
    return json_reply(200, {"at": now, "name": named, "id": who.id, "tier": _tier_name(who), "limits": found})


def limits(call: Call, who: Consumer, now: int) -> list[Document]:
    """How each limit of a consumer stands: its own account's, and that of each route where it has one beside."""
    snapshot, accounts = call.snapshot, call.state.accounts
    rule = snapshot.tiering.rule("", who.id, [group for group, _ in who.tiers])
    opened = [] if rule is None else [accounts.open(who.id, rule.terms.counted, rule.terms.zone)]
    keys = [each.name for each in snapshot.tiering.amendments if each.route_id is not None]
    beside = [accounts.find(f"{who.id}@{key}") for key in keys]
    found: Iterable[Account] = [*opened, *(each for each in beside if each is not None)]
    return [_limit(account.subject.partition("@")[2], one, now) for account in found for _, one in account.counters]


def _limit(account: str, one: Counter, now: int) -> Document:
    used = one.used(now)
    resets = one.resets(now)
    return {
        "name": one.name,
        "account": account,
        "amount": one.amount,
        "used": used,
        "held": min(used, max(0, used - _settled_units(one, used))),
        "resets_ns": now + resets if resets else 0,
        "shadow": one.shadow,
    }


def _settled_units(one: Counter, used: int) -> int:
    """Of what is used, what is settled: a burst holds nothing, a slot is nothing else."""
    if one.name == "burst":
        return used
    return sum(value for _, value, _ in one.rows())


# ---- sums


def _counts(totals: UsageTotals | None, spend: Spend | None) -> Document:
    found = totals or UsageTotals()
    return {"allowed": found.requests, "denied": found.denied, "reasons": found.denied_by_reason, **_money(spend)}


def _money(spend: Spend | None) -> Mapping[str, int]:
    found = spend or Spend()
    return {
        "calls": found.calls,
        "input": found.input + found.cache_read + found.cache_write,
        "output": found.output + found.reasoning,
        "cost": found.cost,
        "charge": found.charge,
    }
