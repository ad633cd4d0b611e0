"""``POST /reprice``: corrects what calls cost and brought by the prices and plans of now. Our own, beside Kong's API.

``since`` is wanted; ``dry_run`` tells what would be corrected and stores nothing. Sums and bills change; what limits
have counted stays, since calls were admitted by it. One run at a time, in a thread.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.auditing import acting
from aimon_local.model.audit import AuditEntry, Stamp
from aimon_local.model.moment import DAY, FORMS, moment, rfc3339
from aimon_local.model.money import dollars
from aimon_local.policy.pricing import PricePlan
from aimon_local.policy.repricing import Correction, Repricing, Terms
from aimon_local.policy.snapshot import Snapshot, build
from aimon_local.policy.tiering import zone_of

_KINDS = ("tiers", "consumer_groups", "consumer_group_consumers", "consumers", "price_plans", "model_prices")
_MONTH = 33 * DAY  # no month is longer, in whatever zone it began


@dataclass(slots=True)
class _Tally:
    """What was corrected: of each consumer (calls, cost, charge)."""

    consumers: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def counted(self, corrections: Iterator[Correction]) -> Iterator[Correction]:
        for each in corrections:
            calls, cost, charge = self.consumers.get(each.call.consumer, (0, 0, 0))
            self.consumers[each.call.consumer] = calls + 1, cost + each.cost, charge + each.charge
            yield each


async def run(ask: Ask) -> Reply:
    """Correct, or tell what would be."""
    given, now = ask.body.data, ask.context.now()
    text, dry = given.get("since"), given.get("dry_run", False)
    since = moment(text, now) if isinstance(text, str) else None
    if since is None:
        return message(400, f"since must be {FORMS}, not {text!r}")
    if dry not in (True, False, "true", "false"):
        return message(400, f"dry_run must be true or false, not {dry!r}")
    store, tally = ask.context.corrections, _Tally()
    stamp = Stamp(acting.get(), now, ask.context.clock.now_ns()) if ask.context.stamp is None else ask.context.stamp()
    snapshot = build({kind: list(ask.context.catalog.rows(kind)) for kind in _KINDS}, {}, str)
    repricing = Repricing(snapshot.tiering.book, _terms(snapshot), since)

    def work() -> None:
        found = tally.counted(repricing.corrections(store.calls(max(0, since - _MONTH))))
        if dry in (True, "true"):
            for _ in found:
                pass
        else:
            store.append(found, now, lambda over: _line(stamp, repricing, tally if over else None))

    async with store.running:
        await asyncio.to_thread(work)
    return json_reply(200, _told(repricing, tally, dry in (True, "true")))


def _line(stamp: Stamp, repricing: Repricing, tally: _Tally | None) -> AuditEntry:
    """The begin (no tally) or the end of a run, for the audit log."""
    since = {"since": rfc3339(repricing.since_ns)}
    if tally is None:
        return stamp.entry("reprice", "begin", "ai_corrections", "", "", None, since)
    done = _told(repricing, tally, False)
    facts = {name: value for name, value in done.items() if name not in ("consumers", "dry_run")}
    return stamp.entry("reprice", "end", "ai_corrections", "", "", None, facts)


def _told(repricing: Repricing, tally: _Tally, dry: bool) -> dict[str, Any]:
    sums = [sum(column) for column in zip(*tally.consumers.values(), strict=True)] or [0, 0, 0]
    rows = [{"consumer": who, **_sums(*tally.consumers[who])} for who in sorted(tally.consumers)]
    counts = {"calls": repricing.calls, "unpriced": repricing.unpriced, "without_plan": repricing.without_plan}
    return {"since": rfc3339(repricing.since_ns), "dry_run": dry, **counts, **_sums(*sums), "consumers": rows}


def _sums(calls: int, cost: int, charge: int) -> dict[str, Any]:
    return {"corrected": calls, "cost": dollars(cost), "charge": dollars(charge)}


def _terms(snapshot: Snapshot) -> Terms:
    """Plan and zone of a consumer's call under a tier: amended where the tier is still the consumer's."""
    tiering = snapshot.tiering
    known: dict[tuple[str, str], tuple[PricePlan, tzinfo] | None] = {}

    def find(consumer_id: str, tier: str) -> tuple[PricePlan, tzinfo] | None:
        who = snapshot.consumers.get(consumer_id)
        rule = None if who is None else tiering.rule("", consumer_id, [group for group, _ in who.tiers])
        if rule is not None and rule.terms.tier.name == tier:
            return rule.terms.plan, rule.terms.zone
        named = tiering.tiers.get(tier)
        return None if named is None else (tiering.plans.get(named.plan) or PricePlan(named.plan), zone_of(named.zone))

    def terms(consumer_id: str, tier: str) -> tuple[PricePlan, tzinfo] | None:
        key = consumer_id, tier
        if key not in known:
            known[key] = find(*key)
        return known[key]

    return terms
