"""Tiers in a snapshot: which rule acts on a consumer's requests on a route, and what is armed on what.

Built from stored rows; without tiers there is nothing here, and no rule in any plan. ``armed`` is the list that says of
each limit and gate how many consumers and routes it acts on: what acts on none is a fault, never a silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from aimon_local.model.tier import Tier
from aimon_local.policy import reasons
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import Answer, Call, Refuse
from aimon_local.policy.nouns import Consumer, Route
from aimon_local.policy.pricing import PriceBook, PricePlan
from aimon_local.policy.rule import Rule
from aimon_local.policy.spans import UTC
from aimon_local.policy.terms import Beside, Terms, matches
from aimon_local.policy.tier_entities import given, read_plan, read_price, read_tier
from aimon_local.policy.tiers import Amendment, beside, narrowed, override

Rows = Mapping[str, Iterable[Mapping[str, Any]]]

AFTER = "rate-limiting"
"""The plugin behind which the tiers' rule acts."""


@dataclass(frozen=True, slots=True)
class Tiering:
    """All tiers of a snapshot."""

    tiers: Mapping[str, Tier]  # by name
    by_group: Mapping[str, Tier]  # by id of the consumer group that has its name
    amendments: tuple[Amendment, ...]
    plans: Mapping[str, PricePlan]
    book: PriceBook
    _rules: dict[tuple[str | None, ...], TierRule] = field(default_factory=dict)
    _guarding: dict[TierRule, tuple[Rule, Rule]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_group or self.amendments)

    @property
    def consumers(self) -> frozenset[str]:
        """Ids of consumers that an amendment singles out."""
        return frozenset(each.consumer_id for each in self.amendments if each.consumer_id is not None)

    def tier_of(self, groups: Iterable[str]) -> Tier | None:
        """The tier of a consumer in these groups (ids, by name): the first that has a definition."""
        return next((self.by_group[group] for group in groups if group in self.by_group), None)

    def rule(self, route_id: str, consumer_id: str | None, groups: Sequence[str]) -> TierRule | None:
        """The rule for a consumer (None: one that nothing singles out) on a route."""
        tier = self.tier_of(groups)
        acting = tuple(each for each in self.amendments if _acts(each, consumer_id, route_id))
        if tier is None and not any(each.route_id is None for each in acting):
            return None
        key = (tier.name if tier is not None else None, *(each.name for each in acting))
        if key not in self._rules:
            self._rules[key] = TierRule(self._terms(tier, acting))
        return self._rules[key]

    def bare(self, name: str) -> Terms:
        """The terms of an agent without a tier: nothing is limited, all is counted where its owner's is."""
        tier = Tier(name)
        return Terms(tier, tier, UTC, self.plans.get(tier.plan) or PricePlan(tier.plan), self.book)

    def guarding(self, rule: TierRule) -> tuple[Rule, Rule] | None:
        """The rules of a tier's behaviour guards, before and behind its own; None: it has none.

        An agent is guarded by the usual thresholds, unless its tier says otherwise.
        """
        guards = rule.terms.counted.guards
        if guards is None:
            if not hasattr(rule, "agent"):
                return None
            from aimon_local.model.guards import Guards  # noqa: PLC0415 (see below)

            guards = Guards()
        if guards.are_off:
            return None
        if rule not in self._guarding:
            from aimon_local.policy.guards.rules import Door, Watch  # noqa: PLC0415 (a start without needs none of it)

            name = rule.terms.counted.name
            self._guarding[rule] = Door(guards, name), Watch(guards, name)
        return self._guarding[rule]

    def _terms(self, tier: Tier | None, acting: tuple[Amendment, ...]) -> Terms:
        own = [each for each in acting if each.route_id is None]
        counted = tier or Tier(own[0].name)
        for each in own:
            counted = override(counted, each)
        gates, adds = counted, []
        for each in acting:
            if each.route_id is not None:
                gates = narrowed(gates, each)
                extra = beside(each, counted)
                adds.append(Beside(each.name, extra, zone_of(extra.zone), each.sets.get("models", ("*",))))
        plan = self.plans.get(counted.plan) or PricePlan(counted.plan)
        return Terms(gates, counted, zone_of(counted.zone), plan, self.book, tuple(adds))


def _acts(amendment: Amendment, consumer_id: str | None, route_id: str) -> bool:
    return amendment.consumer_id in (None, consumer_id) and amendment.route_id in (None, route_id)


_KEY_FIELDS = (b"apikey", b"x-api-key", b"authorization")


def given_key(call: Call) -> bytes | None:
    """The key that a request carries, where no plugin says in which field; None: it carries none."""
    given = next((value for name in _KEY_FIELDS if (value := call.get(name)) is not None), None)
    return given[7:].strip() if given is not None and given[:7].lower() == b"bearer " else given


def own_view(call: Call) -> Answer | Refuse | None:
    """``GET /aimon/me`` where no route leads: whose key it is, and where its tier stands. None: another path."""
    if call.method != "GET" or call.path != "/aimon/me":
        return None
    snapshot = call.snapshot
    key = given_key(call)
    if key is None:
        return Refuse(401, "No API key found in request", reasons.NO_KEY)
    credential = snapshot.key_credential(key.decode("utf-8", "surrogateescape"))
    over = credential is not None and credential.expires is not None and credential.expires * 10**9 <= call.now_ns
    consumer = None if credential is None or over else snapshot.consumers.get(credential.consumer_id)
    if consumer is None:
        return Refuse(401, "Unauthorized", reasons.KEY_EXPIRED if over else reasons.INVALID_KEY)
    call.consumer, call.credential = consumer, credential
    rule = snapshot.tiering.rule("", consumer.id, [group for group, _ in consumer.tiers])
    return Refuse(404, "This key has no tier", reasons.NO_TIER) if rule is None else rule.view(call)


def zone_of(name: str) -> tzinfo:
    """A time zone; raises KeyError for one that this machine does not know (the schema has refused it before)."""
    return UTC if name == "UTC" else ZoneInfo(name)


_FREE = "free"  # the plan of a tier that names none: where it is not there, nothing is charged, as it says
NONE = Tiering({}, {}, (), {}, PriceBook(()))


def build(rows: Rows) -> Tiering:
    """Tiers, price plans and prices of stored rows."""
    tier_rows = list(rows.get("tiers", ()))
    if not tier_rows:
        return NONE
    groups = {row["name"]: row["id"] for row in rows.get("consumer_groups", ())}
    tiers = {row["name"]: read_tier(row) for row in tier_rows if not _scoped(row)}
    scoped = sorted((row for row in tier_rows if _scoped(row)), key=lambda row: str(row["name"]))
    return Tiering(
        tiers,
        {groups[name]: tier for name, tier in tiers.items() if name in groups},
        tuple(Amendment(row["name"], given(row), _id(row, "consumer"), _id(row, "route")) for row in scoped),
        {row["name"]: read_plan(row) for row in rows.get("price_plans", ())},
        PriceBook(read_price(row) for row in rows.get("model_prices", ())),
    )


def _scoped(row: Mapping[str, Any]) -> bool:
    return bool(row.get("consumer") or row.get("route"))


def _id(row: Mapping[str, Any], name: str) -> str | None:
    return row[name]["id"] if row.get(name) else None


@dataclass(frozen=True, slots=True)
class Armed:
    """One limit or gate of a tier: on how many consumers and routes it acts, and why on none."""

    tier: str
    rule: str  # the limit's name, or the gate's
    consumers: int
    routes: int
    fault: str | None = None


def armed(tiering: Tiering, consumers: Iterable[Consumer], routes: Iterable[Route]) -> list[Armed]:
    """Every limit and gate of every tier and amendment; those with a fault can't act."""
    people, ways = list(consumers), [route for route in routes if route.service_id is not None]
    out: list[Armed] = []
    for tier in tiering.tiers.values():
        members = sum(1 for each in people if tiering.tier_of(group for group, _ in each.tiers) is tier)
        open_routes = sum(1 for route in ways if matches(tier.routes, route.name or route.id))
        fault = _fault(tiering, tier, open_routes)
        out += [
            Armed(tier.name, rule, members, open_routes, fault or _dead(tiering, tier, rule)) for rule in rules(tier)
        ]
    for each in tiering.amendments:
        count = len(people) if each.consumer_id is None else sum(1 for one in people if one.id == each.consumer_id)
        places = len(ways) if each.route_id is None else sum(1 for way in ways if way.id == each.route_id)
        fault = None if count and places else "its consumer or its route is not there, or has no service"
        out += [Armed(each.name, rule, count, places, fault) for rule in rules(Tier(each.name, **each.sets))]
    return out


def rules(tier: Tier) -> list[str]:
    """The words of all that a tier limits."""
    names = [limit.name for limit in tier.limits]
    names += [tier.burst.name] if tier.burst is not None else []
    gates = ("concurrency", "max_prompt_tokens", "max_output_tokens", "max_body_bytes", "first_byte_s", "total_s")
    names += [name for name in gates if getattr(tier, name) is not None]
    names += ["guards"] if tier.guards is not None else []
    return names + [name for name in ("models", "routes") if getattr(tier, name) != ("*",)]


def _fault(tiering: Tiering, tier: Tier, open_routes: int) -> str | None:
    if tier not in tiering.by_group.values():
        return f"there is no consumer group '{tier.name}'"
    if not open_routes:
        return f"no route with a service has a name that 'routes' matches: {', '.join(tier.routes)}"
    priced = tier.plan in tiering.plans or not tiering.plans or tier.plan == _FREE
    return None if priced else f"there is no price plan '{tier.plan}'"


def _dead(tiering: Tiering, tier: Tier, rule: str) -> str | None:
    """What keeps one rule of an otherwise good tier from acting."""
    if rule.startswith("charge/") and tier.plan not in tiering.plans:
        return f"it counts what the price plan '{tier.plan}' charges, and there is no such plan"
    if rule.startswith("cost/") and not tiering.book.lines:
        return "it counts what models cost, and the price book is empty"
    return None
