"""Tiers over the Admin API: the generic verbs, the group that comes along, and what is armed."""

import pytest

from tests.support.admin import AdminUnderTest

DAY = [{"unit": "requests", "amount": 5, "period": "day"}]


@pytest.fixture
def admin():
    made = AdminUnderTest()
    made.ask("PUT", "/services/ai", {"url": "http://127.0.0.1:9"})
    made.ask("PUT", "/services/ai/routes/ai", {"paths": ["/ai"]})
    made.ask("PUT", "/consumers/ann", {})
    return made


def groups(admin):
    return [row["name"] for row in admin.ask("GET", "/consumer_groups")[1]["data"]]


@pytest.mark.parametrize(("verb", "path"), [("POST", "/tiers"), ("PUT", "/tiers/free")])
def test_a_tier_brings_its_group_and_reads_back_as_written(admin, verb, path):
    status, made = admin.ask(verb, path, {"name": "free", "limits": DAY, "concurrency": 2})
    assert status in (200, 201)
    assert groups(admin) == ["free"]
    assert admin.ask("GET", "/tiers/free")[1] == made
    assert (made["limits"][0]["amount"], made["limits"][0]["sliding"], made["concurrency"]) == (5, False, 2)


def test_a_group_that_is_there_is_taken_and_stays_when_the_tier_goes(admin):
    admin.ask("PUT", "/consumer_groups/free", {})
    assert admin.ask("POST", "/tiers", {"name": "free"})[0] == 201
    assert admin.ask("PATCH", "/tiers/free", {"concurrency": 3})[1]["concurrency"] == 3
    assert admin.ask("DELETE", "/tiers/free")[0] == 204
    assert groups(admin) == ["free"]


def test_an_amendment_has_no_group_and_goes_with_whom_it_is_for(admin):
    status, made = admin.ask("POST", "/tiers", {"name": "deal", "consumer": {"username": "ann"}, "limits": DAY})
    assert (status, groups(admin)) == (201, [])
    assert admin.ask("DELETE", "/consumers/ann")[0] == 204
    assert admin.ask("GET", f"/tiers/{made['id']}")[0] == 404


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"limits": [{"unit": "requests", "amount": 1.5, "period": "day"}]}, "limits"),
        ({"limits": [{"unit": "request", "amount": 1, "period": "day"}]}, "limits"),
        ({"limits": [{"unit": "cost", "amount": 0.0000000001, "period": "day"}]}, "limits"),
        ({"limitz": DAY}, "limitz"),
        ({"zone": "Moon/Base"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"mode": "guess"}, "mode"),
        ({"concurrency": -1}, "concurrency"),
        ({"shadow": ["everything"]}, "shadow"),
    ],
)
def test_what_can_not_be_is_refused_by_field_and_nothing_is_made(admin, row, field):
    status, body = admin.ask("POST", "/tiers", {"name": "free", **row})
    assert status == 400
    assert list(body["fields"]) == [field]
    assert groups(admin) == []


def test_prices_and_plans(admin):
    plan = {
        "name": "p",
        "components": [{"unit": "tokens", "per": 1000, "steps": [{"price": 0.01}]}],
        "markup_percent": 120,
    }
    assert admin.ask("POST", "/price_plans", plan)[1]["components"][0]["included"] == 0
    assert admin.ask("POST", "/model_prices", {"model": "m", "input": 1, "output": 2})[0] == 201
    assert admin.ask("POST", "/model_prices", {"model": "m", "input": 1, "output": 2})[0] == 409
    assert admin.ask("POST", "/model_prices", {"model": "m", "input": -1, "output": 2, "since": 9})[0] == 400


def test_armed_counts_consumers_and_routes_and_names_faults(admin):
    admin.ask("POST", "/tiers", {"name": "free", "limits": DAY, "routes": ["a*"]})
    cost = [{"unit": "cost", "amount": 1, "period": "day"}]
    admin.ask("POST", "/tiers?allow_unarmed=1", {"name": "pro", "limits": cost})
    admin.ask("POST", "/consumer_groups/free/consumers", {"consumer": "ann"})
    status, body = admin.ask("GET", "/armed")
    assert (status, body["faults"]) == (200, 1)
    found = {(row["tier"], row["rule"]): (row["consumers"], row["routes"], row["fault"]) for row in body["data"]}
    assert found["free", "requests/day"] == (1, 1, None)
    assert found["pro", "cost/day"][:2] == (0, 1)
    assert "price book is empty" in found["pro", "cost/day"][2]


DEAD = {"name": "vip", "concurrency": 2, "routes": ["nowhere-*"]}


@pytest.mark.parametrize(("verb", "path"), [("POST", "/tiers"), ("PUT", "/tiers/vip"), ("PATCH", "/tiers/vip")])
def test_a_rule_that_can_never_act_is_refused_and_nothing_is_made_unless_it_is_allowed(admin, verb, path):
    if verb == "PATCH":
        admin.ask("POST", "/tiers", {"name": "vip"})
    before = (admin.ask("GET", "/tiers")[1], groups(admin))
    status, body = admin.ask(verb, path, DEAD)
    assert status == 400
    assert "tier vip: concurrency can't act: no route" in body["message"]
    assert "allow_unarmed" in body["message"]
    assert (admin.ask("GET", "/tiers")[1], groups(admin)) == before
    assert admin.ask(verb, f"{path}?allow_unarmed=1", DEAD)[0] in (200, 201)
    assert admin.ask("GET", "/tiers/vip")[1]["routes"] == ["nowhere-*"]


def test_only_the_written_tier_must_act_and_one_that_nobody_has_does(admin):
    assert admin.ask("POST", "/tiers?allow_unarmed=1", DEAD)[0] == 201
    assert admin.ask("POST", "/tiers", {"name": "pro", "limits": DAY})[0] == 201


def test_a_plan_or_prices_that_are_not_there_are_such_a_reason(admin):
    cost = [{"unit": "cost", "amount": 5, "period": "day"}]
    assert "price book is empty" in admin.ask("POST", "/tiers", {"name": "vip", "limits": cost})[1]["message"]
    admin.ask("POST", "/price_plans", {"name": "gold"})
    refused = admin.ask("POST", "/tiers", {"name": "vip", "limits": DAY, "plan": "silver"})
    assert (refused[0], "there is no price plan 'silver'" in refused[1]["message"]) == (400, True)
    assert admin.ask("POST", "/tiers", {"name": "vip", "limits": DAY, "plan": "gold"})[0] == 201
    assert admin.ask("POST", "/tiers", {"name": "who-pays-nothing", "limits": DAY})[0] == 201
    charge = [{"unit": "charge", "amount": 5, "period": "day"}]
    assert admin.ask("POST", "/tiers", {"name": "dead", "limits": charge})[0] == 400


def test_before_there_is_a_route_to_a_service_nothing_can_act_and_all_may_be_written():
    assert AdminUnderTest().ask("POST", "/tiers", DEAD)[0] == 201
