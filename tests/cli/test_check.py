"""``check``: what it says is what the real call gets, and asking changes nothing."""

import json

import pytest

from tests.support.live import ask

CHAT = "/demo/v1/chat/completions"


def body(**fields):
    return {"model": "mock-small", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 40} | fields


@pytest.fixture
def customer(gateway):
    """Makes a consumer in a tier of its own: (name, key). The tiers go again, for some of them can't act."""
    made = []

    def make(**tier):
        name, key = gateway.consumer()
        made.append(gateway.write("POST", "/tiers?allow_unarmed=1", {"name": f"tier-{name}", **tier})["id"])
        gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
        return name, key

    yield make
    for tier in made:
        gateway.write("DELETE", f"/tiers/{tier}")


def me(gateway, key):
    return ask(gateway.proxy, "GET", "/aimon/me", apikey=key).json


def limit(unit, amount, period="day"):
    return {"unit": unit, "amount": amount, "period": period}


def check(gateway, name, **asked):
    """(status, document) of POST /check."""
    got = ask(gateway.admin, "POST", "/check", json.dumps({"consumer": name, **asked}), Content_Type="application/json")
    return got.status, got.json


@pytest.mark.parametrize(
    ("tier", "document"),
    [
        ({"limits": [limit("requests", 1)]}, body()),
        ({"limits": [limit("tokens", 60, "hour")]}, body()),
        ({"limits": [limit("cost", 0.00003)]}, body()),
        ({"limits": [limit("tokens", 5)]}, body()),
        ({"concurrency": 0}, body()),
        ({"models": ["other"]}, body()),
        ({"max_prompt_tokens": 1}, body()),
        ({"max_output_tokens": 1, "clamp": False}, body()),
        ({"max_body_bytes": 10}, body()),
        ({"routes": ["x"]}, body()),
        ({}, body(model="unheard-of")),
        ({}, {"model": "mock-small"}),
    ],
)
def test_check_and_the_real_call_agree_and_a_check_changes_nothing(gateway, customer, tier, document):
    name, key = customer(**tier)
    verdicts = set()
    for _ in range(2):
        before = me(gateway, key)
        status, said = check(gateway, name, body=document, path=CHAT)
        after = me(gateway, key)
        for one in (before, after):
            one["limits"] = [(each["name"], each["used"]) for each in one["limits"]]
        assert (status, before) == (200, after)
        got = ask(gateway.proxy, "POST", CHAT, json.dumps(document), apikey=key)
        (row,) = gateway.rows("request_id = ?", got.request_id)
        denial = said["denial"]
        assert row["decision"] == said["verdict"]
        assert (denial and denial["reason"]) == row["deny_reason"]
        assert got.status == (denial["status"] if denial else 200)
        verdicts.add(said["verdict"])
    assert "deny" in verdicts


def test_what_a_call_would_hold_and_what_is_left(gateway, customer):
    name, _ = customer(limits=[limit("requests", 9), limit("tokens", 1000, "month"), limit("cost", 1, "month")])
    status, said = check(gateway, name, model="mock-small", prompt_tokens=100, max_output=50, path=CHAT)
    assert (status, said["verdict"], said["route"], said["dialect"]) == (200, "allow", "demo-route", "openai.chat")
    assert (said["holds"]["input_tokens"], said["holds"]["output_tokens"]) == (100, 50)
    limits = {each["name"]: each for each in said["limits"]}
    assert [limits["tokens/month"][name] for name in ("used", "requested", "remaining", "passes")] == [
        0,
        150,
        1000,
        True,
    ]
    assert limits["cost/month"]["requested"] == said["holds"]["cost"] != "0.00"
    too_much = check(gateway, name, model="mock-small", prompt_tokens=1000, max_output=50, path=CHAT)[1]
    assert (too_much["verdict"], too_much["denial"]["limit"]) == ("deny", "tokens/month")
    assert (too_much["denial"]["requested"], too_much["denial"]["passes_at"]) == (1050, None)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/completions"])
def test_every_api_has_a_body_of_its_own(gateway, customer, path):
    name, _ = customer(limits=[limit("output_tokens", 1000)])
    status, said = check(gateway, name, model="mock-small", prompt_tokens=7, max_output=50, path=path)
    assert (status, said["verdict"], said["route"]) == (200, "allow", None)
    assert said["holds"]["input_tokens"] == 7
    assert said["holds"]["output_tokens"] == (0 if path == "/v1/embeddings" else 50)


def test_another_rule_of_the_route_may_refuse(gateway):
    route = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    gateway.plugin(route, "key-auth")
    name, key = gateway.consumer(rate_limiting={"year": 1})
    gateway.write("POST", "/tiers", {"name": f"tier-{name}"})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    path = f"/{route}/v1/chat/completions"
    for verdict, status in (("allow", 200), ("deny", 429)):
        for _ in range(2):
            assert check(gateway, name, body=body(), path=path)[1]["verdict"] == verdict
        assert ask(gateway.proxy, "POST", path, json.dumps(body()), apikey=key).status == status
    assert check(gateway, name, body=body(), path=path)[1]["denial"]["reason"] == "rate_limited"


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"consumer": ""}, 400, "consumer must be given"),
        ({"consumer": "nobody"}, 404, "not found"),
        ({"modle": "x"}, 400, "unknown field 'modle'"),
        ({"max_output": -1}, 400, "max_output must be a whole number"),
        ({"max_output": True}, 400, "max_output must be a whole number"),
        ({"prompt_tokens": 10**13}, 400, "prompt_tokens must be a whole number"),
        ({"model": 5}, 400, "model must be a text"),
        ({"path": "v1"}, 400, "path must begin with /"),
        ({"stream": 1}, 400, "stream must be true or false"),
        ({"body": {}, "model": "x"}, 400, "body says it all: model"),
        ({"route": "none"}, 404, "route 'none' not found"),
    ],
)
def test_what_can_not_be_asked(gateway, customer, asked, status, words):
    name, _ = customer()
    got = check(gateway, **{"name": name, **asked} if "consumer" not in asked else {"name": asked["consumer"]})
    assert (got[0], words in got[1]["message"]) == (status, True)


def test_who_has_no_tier_is_told_so(gateway):
    name, _ = gateway.consumer()
    assert check(gateway, name, model="mock-small")[0] == 409


def test_for_people(cli, customer, tmp_path):
    name, _ = customer(limits=[limit("tokens", 100)])
    words = ("check", "--consumer", name, "--model", "mock-small", "--prompt-tokens", "10", "--path", CHAT)
    lines = cli(*words, "--max-output", "20").stdout.splitlines()
    assert lines[0] == f"allow: {name} (tier-{name}) on demo-route"
    assert lines[2].split()[:5] == ["NAME", "AMOUNT", "USED", "REQUESTED", "REMAINING"]
    assert lines[3].split()[:5] == ["tokens/day", "100", "0", "30", "100"]
    refused = cli(*words, "--max-output", "2000", code=1).stdout
    assert refused.startswith(f"deny: {name} (tier-{name}) on demo-route: 429 quota_exhausted: Limit tokens/day of 100")
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body()))
    assert cli.json("check", "--consumer", name, "--file", str(file), "--path", CHAT)["verdict"] == "allow"
    file.write_text("{")
    assert "holds no JSON" in cli.fails("check", "--consumer", name, "--file", str(file), code=2)
    assert "not found" in cli.fails("check", "--consumer", "nobody")
