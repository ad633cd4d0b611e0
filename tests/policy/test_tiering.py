"""Tiers in a snapshot: who gets which terms on which route, and what is armed on what."""

import json

import pytest

from aimon_local.policy import tiering
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import NEED_BODY
from aimon_local.policy.plugins import BY_NAME
from aimon_local.policy.snapshot import build
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, make_call
from tests.support.tiers import ask, chat

SERVICE = {"id": "s", "name": "ai", "host": "h", "port": 1}
ROUTES = [
    {"id": "r", "name": "ai", "paths": ["/ai"], "service": {"id": "s"}},
    {"id": "q", "name": "other", "paths": ["/other"], "service": {"id": "s"}},
]
PEOPLE = [{"id": "1", "username": "ann"}, {"id": "2", "username": "bob"}, {"id": "3", "username": "cy"}]
GROUPS = [{"id": "g", "name": "free"}, {"id": "h", "name": "pro"}]
MEMBERS = [
    {"consumer_group": {"id": "g"}, "consumer": {"id": "1"}},
    {"consumer_group": {"id": "h"}, "consumer": {"id": "2"}},
]
PRICES = [{"model": "m-*", "input": 1, "output": 4}]


def requests(amount, period="day"):
    return [{"unit": "requests", "amount": amount, "period": period}]


def snap(tiers, previous=None, **more):
    rows = {"services": [SERVICE], "routes": ROUTES, "consumers": PEOPLE, "consumer_groups": GROUPS}
    rows |= {"consumer_group_consumers": MEMBERS, "model_prices": PRICES, "tiers": tiers}
    return build({**rows, **more}, BY_NAME, str, previous)


def plan(snapshot, who, path="/ai"):
    return snapshot.plan(snapshot.route("GET", "x", path, []), snapshot.consumers[who])


def rule(snapshot, who, path="/ai"):
    found = [rule for _, rule in plan(snapshot, who, path).rules if isinstance(rule, TierRule)]
    assert len(found) <= 1
    return found[0] if found else None


def test_without_tiers_there_is_no_rule_and_with_them_only_for_their_consumers():
    assert not snap([]).tiering
    assert rule(snap([]), "1") is None
    s = snap([{"name": "free", "limits": requests(5)}])
    assert rule(s, "1").terms.tier.name == "free"
    assert rule(s, "2") is rule(s, "3") is None
    assert s.plan(s.route("GET", "x", "/ai", []), None).rules == ()


def test_the_rule_comes_behind_rate_limiting_and_before_the_transformers():
    config = {"minute": 5, "limit_by": "consumer", "error_code": 429}
    plugin = {"id": "p1", "name": "rate-limiting", "config": config}
    s = snap([{"name": "free", "limits": requests(5)}], plugins=[plugin])
    names = [type(one).__name__ for _, one in plan(s, "1").rules]
    assert names == ["RateLimiting", "TierRule"]
    place = next(place for place, one in plan(s, "1").rules if isinstance(one, TierRule))
    order = list(BY_NAME)
    assert place == 6 * order.index("rate-limiting") + 3
    assert order.index("request-transformer") * 6 > place


def test_the_first_tier_by_name_counts_where_a_consumer_is_in_several():
    both = [*MEMBERS, {"consumer_group": {"id": "h"}, "consumer": {"id": "1"}}]
    s = snap(
        [{"name": "pro", "limits": requests(9)}, {"name": "free", "limits": requests(5)}], consumer_group_consumers=both
    )
    assert rule(s, "1").terms.tier.name == "free"
    s = snap([{"name": "pro", "limits": requests(9)}], consumer_group_consumers=both)
    assert rule(s, "1").terms.tier.name == "pro"


def test_a_consumers_row_overrides_and_is_a_tier_where_there_is_none():
    s = snap(
        [
            {"name": "free", "limits": requests(5), "concurrency": 3},
            {"name": "deal", "consumer": {"id": "1"}, "limits": requests(50)},
            {"name": "own", "consumer": {"id": "3"}, "limits": requests(7)},
        ]
    )
    assert [(each.amount, rule(s, "1").terms.tier.concurrency) for each in rule(s, "1").terms.tier.limits] == [(50, 3)]
    assert [each.amount for each in rule(s, "3").terms.tier.limits] == [7]
    assert rule(s, "2") is None


def test_a_routes_row_adds_on_that_route_alone():
    s = snap(
        [
            {"name": "free", "limits": requests(5), "max_prompt_tokens": 100},
            {"name": "dear", "route": {"id": "r"}, "limits": requests(2), "max_prompt_tokens": 9, "models": ["m-1"]},
        ]
    )
    here, there = rule(s, "1"), rule(s, "1", "/other")
    assert (here.terms.tier.max_prompt_tokens, there.terms.tier.max_prompt_tokens) == (9, 100)
    assert here.terms.counted == there.terms.counted
    assert (here.terms.allows_model("m-2"), there.terms.allows_model("m-2")) == (False, True)
    assert rule(s, "2") is None
    state = LimitState()
    got = [here.access(ask(chat(messages=[{"role": "u", "content": "a"}]), state=state)) for _ in range(3)]
    assert [one is None for one in got] == [True, True, False]
    assert there.access(ask(chat(), state=state)) is None
    assert state.accounts.find("c").statuses(0)[0].name == "requests/day"


def test_a_body_is_bounded_by_the_plan():
    s = snap([{"name": "free", "max_body_bytes": 10}])
    assert plan(s, "1").max_body[0] == 10
    call = ask(chat())
    call.body, call.content_length = None, 5
    assert rule(s, "1").access(call) is NEED_BODY


def test_each_limit_says_where_it_is_armed():
    s = snap(
        [
            {"name": "free", "limits": requests(5), "concurrency": 1, "routes": ["a*"]},
            {"name": "pro", "limits": requests(9), "routes": ["nothing"]},
            {"name": "gone", "limits": requests(9)},
            {"name": "deal", "consumer": {"id": "9"}, "concurrency": 1},
            {"name": "here", "route": {"id": "r"}, "concurrency": 1},
        ]
    )
    found = {(one.tier, one.rule): one for one in tiering.armed(s.tiering, s.consumers.values(), s.routes.values())}
    counts = {key: (one.consumers, one.routes) for key, one in found.items()}
    assert counts == {
        ("free", "requests/day"): (1, 1), ("free", "concurrency"): (1, 1), ("free", "routes"): (1, 1),
        ("pro", "requests/day"): (1, 0), ("pro", "routes"): (1, 0), ("gone", "requests/day"): (0, 2),
        ("deal", "concurrency"): (0, 2), ("here", "concurrency"): (3, 1),
    }  # fmt: skip
    faults = {key: one.fault for key, one in found.items() if one.fault}
    assert {tier for tier, _ in faults} == {"pro", "gone", "deal"}
    assert "matches: nothing" in faults["pro", "requests/day"]
    assert "no consumer group 'gone'" in faults["gone", "requests/day"]


def test_money_that_nothing_prices_can_not_be_counted():
    limits = [{"unit": unit, "amount": 1, "period": "day"} for unit in ("cost", "charge")]
    s = snap([{"name": "free", "limits": limits}], model_prices=[])
    faults = [one.fault for one in tiering.armed(s.tiering, s.consumers.values(), s.routes.values())]
    assert "price book is empty" in faults[0]
    assert "no such plan" in faults[1]


def test_a_tier_that_has_not_changed_goes_on_counting_over_snapshots():
    tiers = [{"name": "free", "limits": requests(1)}]
    first = snap(tiers)
    state = LimitState()
    assert rule(first, "1").access(ask(chat(), state=state)) is None
    again = snap(tiers, first)
    assert rule(again, "1").access(ask(chat(), state=state)) is not None


KEY = {"id": "k", "key": "secret", "consumer": {"id": "1"}}


def own(snapshot, *fields, path="/aimon/me", **facts):
    return tiering.own_view(make_call("GET", path, fields, snapshot=snapshot, **facts))


@pytest.mark.parametrize("field", [("apikey", "secret"), ("X-Api-Key", "secret"), ("Authorization", "Bearer secret")])
def test_a_key_sees_its_own_standing_without_a_route(field):
    s = snap([{"name": "free", "limits": requests(5)}], keyauth_credentials=[KEY])
    assert json.loads(own(s, field).body)["limits"][0]["name"] == "requests/day"
    assert own(s, field, path="/other") is None


def test_who_has_no_key_or_no_tier_sees_nothing():
    s = snap([{"name": "pro", "limits": requests(5)}], keyauth_credentials=[{**KEY, "ttl": NOON + 9}])
    assert own(s).reason == "no_key"
    assert own(s, ("apikey", "wrong")).reason == "invalid_key"
    assert own(s, ("apikey", "secret")).reason == "no_tier"
    assert own(s, ("apikey", "secret"), now_ns=(NOON + 10) * 10**9).reason == "key_expired"


def guarded(snapshot, who):
    return [type(one).__name__ for _, one in plan(snapshot, who).rules]


def test_guards_stand_around_their_tiers_rule_and_nowhere_else():
    s = snap([{"name": "free", "guards": {"repeat": {"deny": 3}}}, {"name": "pro"}])
    assert guarded(s, "1") == ["Door", "TierRule", "Watch"]
    assert guarded(s, "2") == ["TierRule"]
    assert guarded(s, "3") == []
    guards = rule(s, "1").terms.tier.guards
    assert (guards.repeat.warn, guards.repeat.throttle, guards.repeat.deny, guards.storm.deny) == (3, 5, 3, 10)
    assert guarded(snap([{"name": "free", "guards": {"mode": "off"}}]), "1") == ["TierRule"]
    shadowed = rule(snap([{"name": "free", "guards": {"mode": "shadow"}}]), "1").terms.tier.guards
    assert shadowed.shadow >= {"repeat", "storm"}


def test_a_consumers_own_guards_override_its_tiers():
    own = {"name": "own", "consumer": {"id": "1"}, "guards": {"mode": "off"}}
    assert guarded(snap([{"name": "free", "guards": {}}, own]), "1") == ["TierRule"]
    assert guarded(snap([{"name": "free"}, {**own, "guards": {}}]), "1") == ["Door", "TierRule", "Watch"]


def test_agents_are_guarded_unless_their_tier_says_otherwise():
    agents = [{"id": "a", "name": "bot", "consumer": {"id": "1"}, "owner": {"id": "2"}}]
    for tiers in ([{"name": "free"}], []):
        assert guarded(snap(tiers, agents=agents), "1") == ["Door", "AgentRule", "Watch"]
    assert guarded(snap([{"name": "free", "guards": {"mode": "off"}}], agents=agents), "1") == ["AgentRule"]


def test_what_is_armed_names_guards():
    s = snap([{"name": "free", "guards": {}, "limits": requests(5)}])
    armed = tiering.armed(s.tiering, s.consumers.values(), s.routes.values())
    assert [(one.rule, one.consumers, one.routes, one.fault) for one in armed][-1] == ("guards", 1, 2, None)
