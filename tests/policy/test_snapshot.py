"""The snapshot as requests ask it, and how one follows another."""

import pytest

from aimon_local.errors import ConfigError
from aimon_local.policy.rule import PluginType, Rule, Scope
from aimon_local.policy.snapshot import build


class Named(Rule):
    def __init__(self, name, config, scope):
        self.name, self.config, self.scope = name, config, scope

    def access(self, call):
        return None

    def response(self, call, draft):
        return None

    def log(self, call, outline):
        return None


def kind(name):
    return PluginType(name, 0, None, lambda config, scope: Named(name, config, scope))


TYPES = {name: kind(name) for name in ("key-auth", "rate-limiting", "termination")}

SERVICE = {"id": "s", "name": "ai", "host": "h", "port": 1}
ROUTE = {"id": "r", "name": "ai", "paths": ["/ai"], "service": {"id": "s"}}


def plugin(name, at, **fields):
    scopes = {scope: {"id": fields.pop(scope)} for scope in list(fields) if scope not in ("config", "enabled")}
    return {"id": f"p{at}", "name": name, "config": {}, "enabled": True, **scopes, **fields}


def snap(previous=None, **rows):
    return build({"services": [SERVICE], "routes": [ROUTE], **rows}, TYPES, lambda key: f"#{key}", previous)


def named(plan):
    return [rule.name for _, rule in plan.rules]


def match(snapshot, path="/ai"):
    return snapshot.route("GET", "x", path, [])


def test_consumers_are_found_by_id_and_username():
    s = snap(consumers=[{"id": "1", "username": "a"}, {"id": "2", "custom_id": "x"}])
    assert s.consumer_by_name("a") is s.consumer_by_name("1") is s.consumers["1"]
    assert s.consumer_by_name("2").custom_id == "x"
    assert s.consumer_by_name("x") is None


def test_credentials_are_found_by_what_clients_send():
    owner = {"consumer": {"id": "1"}}
    s = snap(
        keyauth_credentials=[{"id": "k", "key": "#secret", **owner}],
        basicauth_credentials=[{"id": "b", "username": "me", "password": "x", **owner}],
        jwt_secrets=[{"id": "j", "key": "iss", "algorithm": "HS256", **owner}],
    )
    assert s.key_credential("secret").id == "k"
    assert s.key_credential("#secret") is None
    assert s.basic_credentials("me").fields["password"] == "x"
    assert s.jwt_credential("iss").fields["algorithm"] == "HS256"
    assert s.basic_credentials("iss") is s.jwt_credential("me") is None


def test_groups_come_in_order_of_creation_and_tiers_by_name():
    s = snap(
        consumers=[{"id": "1", "username": "a"}],
        acls=[
            {"id": "x", "group": "late", "consumer": {"id": "1"}, "created_at": 2},
            {"id": "y", "group": "early", "consumer": {"id": "1"}, "created_at": 1},
        ],
        consumer_groups=[{"id": "g1", "name": "pro"}, {"id": "g2", "name": "free"}],
        consumer_group_consumers=[
            {"id": "m1", "consumer": {"id": "1"}, "consumer_group": {"id": "g1"}},
            {"id": "m2", "consumer": {"id": "1"}, "consumer_group": {"id": "g2"}},
        ],
    )
    assert s.consumers["1"].groups == ("early", "late")
    assert s.consumers["1"].tiers == (("g2", "free"), ("g1", "pro"))


def test_a_disabled_service_takes_its_routes_along():
    assert match(snap()) is not None
    assert match(snap(services=[{**SERVICE, "enabled": False}])) is None


def test_a_route_without_a_service_matches():
    found = match(snap(routes=[{"id": "r", "paths": ["/ai"]}]))
    assert found.service is None


def test_plans_come_in_the_order_of_plugins_and_without_disabled_ones():
    s = snap(
        plugins=[
            plugin("termination", 1),
            plugin("key-auth", 2, route="r"),
            plugin("rate-limiting", 3, service="s", enabled=False),
        ]
    )
    plan = s.plan(match(s), None)
    assert plan.rules[0][0] < plan.rules[1][0]
    assert named(plan) == ["key-auth", "termination"]


def test_a_consumer_changes_the_plan_only_where_a_plugin_singles_it_out():
    s = snap(
        consumers=[{"id": str(at), "username": f"u{at}"} for at in range(4)],
        consumer_groups=[{"id": "g", "name": "pro"}, {"id": "idle", "name": "idle"}],
        consumer_group_consumers=[
            {"id": "m", "consumer": {"id": "1"}, "consumer_group": {"id": "g"}},
            {"id": "n", "consumer": {"id": "2"}, "consumer_group": {"id": "idle"}},
        ],
        plugins=[
            plugin("rate-limiting", 1, service="s"),
            plugin("rate-limiting", 2, consumer="0"),
            plugin("rate-limiting", 3, consumer_group="g"),
        ],
    )
    found = match(s)
    plans = [s.plan(found, s.consumers[str(at)]) for at in range(4)]
    assert [plan.rules[0][1].scope.plugin_id for plan in plans] == ["p2", "p3", "p1", "p1"]
    assert plans[2].rules[0][1].scope == Scope("p1", None, "s", None, None)
    assert plans[2] is plans[3] is s.plan(found, None)


def test_unchanged_plugins_keep_their_rules_and_changed_ones_do_not():
    first = snap(plugins=[plugin("key-auth", 1), plugin("termination", 2)])
    second = snap(first, plugins=[plugin("key-auth", 1), plugin("termination", 2, config={"status": 418})])
    rules = [{rule.name: rule for _, rule in s.plan(match(s), None).rules} for s in (first, second)]
    assert rules[0]["key-auth"] is rules[1]["key-auth"]
    assert rules[0]["termination"] is not rules[1]["termination"]
    assert rules[1]["termination"].config == {"status": 418}


def test_a_snapshot_does_not_change_when_the_next_is_built():
    first = snap(plugins=[plugin("key-auth", 1)])
    second = snap(first, plugins=[], routes=[])
    assert named(first.plan(match(first), None)) == ["key-auth"]
    assert match(second) is None


def test_upstreams_by_name_with_their_targets():
    s = snap(
        upstreams=[{"id": "u", "name": "up.test"}],
        targets=[{"id": "t", "target": "h:80", "upstream": {"id": "u"}}],
    )
    assert [each.name for each in s.upstreams["up.test"].targets] == ["h:80"]


def test_a_stored_plugin_that_nobody_knows_is_a_fault():
    with pytest.raises(ConfigError, match="nope"):
        snap(plugins=[plugin("nope", 1)])


def test_what_has_not_changed_is_kept_and_what_has_is_not():
    person, key = {"id": "1", "username": "a"}, {"id": "k", "key": "#x", "consumer": {"id": "1"}}
    first = snap(consumers=[person], keyauth_credentials=[key])
    again = snap(first, consumers=[person], keyauth_credentials=[key])
    assert again.consumers["1"] is first.consumers["1"]
    assert again.key_credential("x") is first.key_credential("x")
    group = {"id": "x", "group": "g", "consumer": {"id": "1"}}
    other = snap(again, consumers=[person], acls=[group], keyauth_credentials=[{**key, "ttl": 5}])
    assert other.consumers["1"].groups == ("g",)
    assert other.key_credential("x").expires == 5
    renamed = snap(other, consumers=[{**person, "username": "b"}], acls=[group])
    assert renamed.consumers["1"].identity[1][1] == b"b"


def test_plugins_before_the_one_that_finds_the_consumer_are_chosen_without_it():
    s = snap(
        consumers=[{"id": "1", "username": "a"}],
        plugins=[
            plugin(name, f"{name}-{at}", **scope) for name in TYPES for at, scope in enumerate([{}, {"consumer": "1"}])
        ],
    )
    places = [place for place, _ in s.plan(match(s), None).rules]
    plans = [s.plan(match(s), s.consumers["1"], position) for position in (-1, *places)]
    chosen = [[rule.scope.consumer_id for _, rule in plan.rules] for plan in plans]
    assert chosen == [["1", "1", "1"], [None, "1", "1"], [None, None, "1"], [None, None, None]]
    assert plans[3] is s.plan(match(s), None)


def test_without_a_route_global_plugins_shape_and_log_the_answer():
    s = snap(plugins=[plugin("key-auth", 1), plugin("termination", 2, route="r"), plugin("rate-limiting", 3)])
    plan = s.plan(None, None)
    assert plan.access == plan.access_after(-1) == ()
    assert [rule.name for rule in plan.response] == [rule.name for rule in plan.log] == ["key-auth", "rate-limiting"]


def test_plugins_for_streams_take_no_part():
    s = snap(
        plugins=[{**plugin("key-auth", 1), "protocols": ["tcp"]}, {**plugin("termination", 2), "protocols": ["https"]}]
    )
    assert named(s.plan(match(s), None)) == ["termination"]
