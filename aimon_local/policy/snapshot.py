"""The configuration as requests see it: an immutable picture of all entities, with everything compiled.

``build`` makes one from stored entities; an Admin write builds the next and the gateway swaps it. A request keeps the
snapshot that it began with. Plans are compiled on first use and kept; consumers that no plugin singles out share them.

To make another kind of entity known to requests: its noun in ``policy.nouns``, its reader in ``policy.entities``, and
its line in ``build``.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.policy import precedence, tiering
from aimon_local.policy.agents import read as agents_read
from aimon_local.policy.agents.read import Family
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import Header
from aimon_local.policy.entities import (
    Entity,
    read_consumer,
    read_credential,
    read_route,
    read_service,
    read_upstream,
    reference,
)
from aimon_local.policy.nouns import Consumer, Credential, Match, Route, Service, Upstream
from aimon_local.policy.plan import Placed, Plan, aftermath, make_plan
from aimon_local.policy.routing import Router
from aimon_local.policy.rule import PluginType, Rule, Scope
from aimon_local.policy.tiering import Tiering

__all__ = ["Consumer", "Credential", "Match", "Plan", "Route", "Service", "Snapshot", "Upstream", "build"]

Rows = Mapping[str, Iterable[Entity]]
Instances = Mapping[precedence.ScopeKey, Placed]
Profile = tuple[str | None, tuple[str, ...]]  # what sets a consumer apart: its id, its groups; where plugins name them

_PLAIN: Profile = (None, ())
_REMEMBERED_KEYS = 4096  # in memory alone, and gone with the snapshot: a revoked key is not among them
_STEP = 6  # from a plugin's place to the next one's; each rule has a place of its own
_EVERYWHERE: precedence.ScopeKey = (None, None, None, None)
_NO_ROUTE = ""  # in place of a route's id
_HTTP = frozenset(("http", "https", "grpc", "grpcs"))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a request may ask of the configuration."""

    consumers: Mapping[str, Consumer]  # by id
    services: Mapping[str, Service]  # by id, the enabled ones
    routes: Mapping[str, Route]  # by id
    upstreams: Mapping[str, Upstream]  # by name: a service whose host it is goes to its targets
    _router: Router
    _digest: Callable[[str], str]
    _names: Mapping[str, Consumer]
    _keys: Mapping[str, Credential]
    _basic: Mapping[str, Credential]
    _jwt: Mapping[str, Credential]
    _instances: Mapping[str, Instances]  # by plugin name
    _profiles: Mapping[str, Profile]  # by consumer id, of those that differ from _PLAIN
    _rules: Mapping[str, tuple[Entity, Rule]]  # by plugin id, for the next build
    tiering: Tiering = tiering.NONE
    family: Family = agents_read.NONE  # agents, and the keys of their owners
    _tier_place: int = 0  # of the tiers' rule in the order
    _plans: dict[tuple[str, Profile, int], Plan] = field(default_factory=dict)
    _shared: dict[tuple[int, ...], Plan] = field(default_factory=dict)
    _seen: dict[str, Credential] = field(default_factory=dict)  # keys that were right: their digest is made once

    def consumer_by_name(self, name_or_id: str) -> Consumer | None:
        """The consumer with this id or username (Kong's ``anonymous``)."""
        return self.consumers.get(name_or_id) or self._names.get(name_or_id)

    def key_credential(self, key: str) -> Credential | None:
        """The key-auth credential of a key as a client sends it; it may have expired."""
        found = self._seen.get(key)
        if found is None:
            found = self._keys.get(self._digest(key))
            if found is not None:
                if len(self._seen) >= _REMEMBERED_KEYS:
                    self._seen.clear()
                self._seen[key] = found
        return found

    def basic_credentials(self, username: str) -> Credential | None:
        """The basic-auth credential of a username."""
        return self._basic.get(username)

    def jwt_credential(self, key: str) -> Credential | None:
        """The JWT credential whose key is a token's issuer (or what the plugin's ``key_claim_name`` says)."""
        return self._jwt.get(key)

    def route(
        self, method: str, host: str, path: str, raw_headers: Sequence[Header], scheme: str = "http"
    ) -> Match | None:
        """ROUTE a request; ``host`` as received, ``path`` normalised. ``routing.wrong_protocol`` is next."""
        return self._router.route(method, host, path, raw_headers, scheme)

    def plan(self, match: Match | None, consumer: Consumer | None, position: int = -1) -> Plan:
        """The rules for a match and, once it is known, a consumer.

        ``position`` is that of the rule which found the consumer: the choice of plugins up to there was made without it
        and stands (Kong chooses plugin by plugin). Without a match, and where a request is answered before its plugins,
        global plugins still shape and log the answer.
        """
        profile = _PLAIN if consumer is None else self._profiles.get(consumer.id, _PLAIN)
        key = (_NO_ROUTE if match is None else match.route.id, profile, -1 if profile is _PLAIN else position)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = (
                self._compile(match.route, profile, position) if match is not None else aftermath(self._globals())
            )
        return plan

    def _compile(self, route: Route, profile: Profile, position: int) -> Plan:
        placed = self._pick(route, _PLAIN)
        if profile != _PLAIN:
            before = [each for each in placed if each[0] <= position]
            placed = before + [each for each in self._pick(route, profile) if each[0] > position]
        return self._share(placed)

    def _pick(self, route: Route, profile: Profile) -> list[Placed]:
        consumer, groups = profile
        chosen = (
            precedence.pick(instances, route.id, route.service_id, consumer, groups)
            for instances in self._instances.values()
        )
        placed = [each for each in chosen if each is not None]
        tiers = self.tiering.rule(route.id, consumer, groups) if self.tiering else None
        if consumer is not None and consumer in self.family.by_consumer:
            tiers = self._agent_rule(route.id, consumer, tiers)
        if tiers is None:
            return placed
        guards = self.tiering.guarding(tiers)
        around = () if guards is None else ((self._tier_place - 1, guards[0]), (self._tier_place + 1, guards[1]))
        return [*placed, (self._tier_place, tiers), *around]

    def _agent_rule(self, route_id: str, consumer: str, tiers: TierRule | None) -> TierRule:
        """An agent's rule: its own tier's terms, and its owner's; an agent without a tier has no limits of its own."""
        from aimon_local.policy.agents.rule import AgentRule  # noqa: PLC0415 (a gateway without agents needs none of it)

        agent = self.family.by_consumer[consumer]
        owner = self.consumers.get(agent.owner_id)
        groups = [group for group, _ in owner.tiers] if owner is not None else []
        above = self.tiering.rule(route_id, agent.owner_id, groups) if owner is not None else None
        own = tiers.terms if tiers is not None else self.tiering.bare(agent.name)
        return AgentRule(own, agent, None if above is None else above.terms)

    def _globals(self) -> Plan:
        everywhere = (instances.get(_EVERYWHERE) for instances in self._instances.values())
        return self._share([each for each in everywhere if each is not None])

    def _share(self, placed: list[Placed]) -> Plan:
        mark = tuple(id(rule) for _, rule in placed)
        plan = self._shared.get(mark)
        if plan is None:
            plan = self._shared[mark] = make_plan(placed)
        return plan


def build(
    rows: Rows,
    plugin_types: Mapping[str, PluginType],
    digest: Callable[[str], str],
    previous: Snapshot | None = None,
) -> Snapshot:
    """The snapshot of stored entities, by kind.

    ``plugin_types`` iterates in the order of plugins. ``digest`` makes of a client's key what is stored as ``key``.
    ``previous``: what has not changed since then is not compiled again, and a rule keeps what it remembers.
    Raises ConfigError for a plugin that nobody knows, or whose stored configuration can't be compiled.
    """
    before = previous or _NOTHING
    consumers = _consumers(rows, before.consumers)
    services = {row["id"]: read_service(row) for row in rows.get("services", ()) if row.get("enabled", True)}
    routes = {row["id"]: read_route(row) for row in rows.get("routes", ())}
    rules = _rules(rows.get("plugins", ()), plugin_types, before._rules)
    instances = _instances(rules, plugin_types)
    tiers = tiering.build(rows)
    keys = _credentials(rows.get("keyauth_credentials", ()), "key-auth", "key", before._keys)
    basic = _credentials(rows.get("basicauth_credentials", ()), "basic-auth", "username", before._basic)
    jwt = _credentials(rows.get("jwt_secrets", ()), "jwt", "key", before._jwt)
    family = agents_read.build(rows.get("agents", ()), consumers, chain(keys.values(), basic.values(), jwt.values()))
    return Snapshot(
        consumers=consumers,
        services=services,
        routes=routes,
        upstreams=_upstreams(rows),
        _router=Router(routes.values(), services, before._router.patterns),
        _digest=digest,
        _names={each.username: each for each in consumers.values() if each.username is not None},
        _keys=keys,
        _basic=basic,
        _jwt=jwt,
        _instances=instances,
        _profiles=_profiles(consumers.values(), instances, tiers.consumers | family.by_consumer.keys(), tiers),
        _rules=rules,
        tiering=tiers,
        family=family,
        _tier_place=_places(plugin_types).get(tiering.AFTER, _STEP * len(plugin_types)) + _STEP // 2,
    )


_NOTHING = Snapshot({}, {}, {}, {}, Router((), {}), str, {}, {}, {}, {}, {}, {}, {})


def _consumers(rows: Rows, earlier: Mapping[str, Consumer]) -> dict[str, Consumer]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for row in sorted(rows.get("acls", ()), key=lambda row: row.get("created_at") or 0):
        groups[row["consumer"]["id"]].append(row["group"])
    names = {row["id"]: row["name"] for row in rows.get("consumer_groups", ())}
    tiers: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows.get("consumer_group_consumers", ()):
        group = row["consumer_group"]["id"]
        tiers[row["consumer"]["id"]].append((group, names[group]))
    return {
        row["id"]: read_consumer(row, groups.get(row["id"], ()), tiers.get(row["id"], ()), earlier.get(row["id"]))
        for row in rows.get("consumers", ())
    }


def _credentials(
    rows: Iterable[Entity], kind: str, by: str, earlier: Mapping[str, Credential]
) -> dict[str, Credential]:
    out: dict[str, Credential] = {}
    for row in rows:
        name = row[by]
        same = earlier.get(name)
        out[name] = same if same is not None and same.fields is row else read_credential(kind, row)
    return out


def _upstreams(rows: Rows) -> dict[str, Upstream]:
    targets: defaultdict[str, list[Entity]] = defaultdict(list)
    for row in rows.get("targets", ()):
        targets[row["upstream"]["id"]].append(row)
    return {row["name"]: read_upstream(row, targets.get(row["id"], ())) for row in rows.get("upstreams", ())}


def _rules(
    plugins: Iterable[Entity], types: Mapping[str, PluginType], earlier: Mapping[str, tuple[Entity, Rule]]
) -> dict[str, tuple[Entity, Rule]]:
    out: dict[str, tuple[Entity, Rule]] = {}
    for entity in plugins:
        if not entity.get("enabled", True) or _HTTP.isdisjoint(entity.get("protocols") or _HTTP):
            continue
        known = earlier.get(entity["id"])
        if known is not None and known[0] == entity:
            out[entity["id"]] = known
        else:
            out[entity["id"]] = (entity, _compiled(entity, types))
    return out


def _compiled(entity: Entity, types: Mapping[str, PluginType]) -> Rule:
    name = entity["name"]
    kind = types.get(name)
    if kind is None:
        raise ConfigError(f"plugin {name!r} ({entity['id']}) is stored, but this gateway does not know it")
    config: Mapping[str, Any] = entity["config"]
    return kind.compile(config, _scope(entity))


def _scope(entity: Entity) -> Scope:
    where = (reference(entity, name) for name in ("route", "service", "consumer", "consumer_group"))
    return Scope(entity["id"], *where)


def _places(types: Mapping[str, PluginType]) -> dict[str, int]:
    """The places of plugins in the order, by name; between two there is room for rules that are no plugins."""
    return {name: _STEP * place for place, name in enumerate(types)}


def _instances(rules: Mapping[str, tuple[Entity, Rule]], types: Mapping[str, PluginType]) -> dict[str, Instances]:
    """Rules by plugin name and scope, each with its place in the order."""
    places = _places(types)
    out: dict[str, dict[precedence.ScopeKey, Placed]] = {}
    for entity, rule in rules.values():
        scope = _scope(entity)
        key = (scope.route_id, scope.service_id, scope.consumer_id, scope.group_id)
        out.setdefault(entity["name"], {})[key] = (places[entity["name"]], rule)
    return dict(out)


def _profiles(
    consumers: Iterable[Consumer], instances: Mapping[str, Instances], single: Iterable[str], tiers: Tiering
) -> dict[str, Profile]:
    """What plugins and tiers single a consumer out for."""
    keys = [key for by_scope in instances.values() for key in by_scope]
    named = {consumer for _, _, consumer, _ in keys if consumer is not None}.union(single)
    grouped = {group for _, _, _, group in keys if group is not None} | set(tiers.by_group)
    out: dict[str, Profile] = {}
    if not named and not grouped:
        return out
    for each in consumers:
        groups = tuple(tier for tier, _ in each.tiers if tier in grouped)
        profile = (each.id if each.id in named else None, groups)
        if profile != _PLAIN:
            out[each.id] = profile
    return out
