"""``explain`` over real calls: what was held and used, each limit before and after, and why a call was refused."""

import json
import re
from decimal import Decimal

import pytest

from tests.support.live import ask

CHAT = "/demo/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello there"}]


def call(gateway, key, **fields):
    body = {"model": "mock-small", "messages": HELLO, "max_tokens": 40} | fields
    return ask(gateway.proxy, "POST", CHAT, json.dumps(body), apikey=key)


@pytest.fixture(scope="module")
def customer(gateway):
    """(name, key) of a consumer with a request, a token, a money limit, and a place for one call at a time."""
    name, key = gateway.consumer()
    limits = [
        {"unit": "requests", "amount": 2, "period": "day"},
        {"unit": "tokens", "amount": 10**6, "period": "month"},
        {"unit": "cost", "amount": 5, "period": "month"},
    ]
    tier = {"name": f"tier-{name}", "limits": limits, "concurrency": 1, "models": ["mock-*"]}
    gateway.write("POST", "/tiers", tier)
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    return name, key


@pytest.fixture(scope="module")
def ids(gateway, customer):
    """Two admitted calls, one over the limit, one of a model that the tier has not."""
    _, key = customer
    answers = [call(gateway, key), call(gateway, key), call(gateway, key), call(gateway, key, model="gpt-4o")]
    assert [each.status for each in answers] == [200, 200, 429, 403]
    return [each.request_id for each in answers]


def phases(document):
    return {each["phase"]: each for each in document["phases"]}


def test_each_phase_of_an_admitted_call(cli, customer, ids):
    document = cli.json("explain", ids[0])
    found = phases(document)
    assert list(found) == ["receive", "route", "identify", "admit", "forward", "meter", "settle", "record"]
    assert (found["receive"]["dialect"], found["receive"]["model"]) == ("openai.chat", "mock-small")
    assert found["identify"]["consumer"] == customer[0]
    assert found["identify"]["by"] == "key-auth"
    assert found["admit"]["tier"] == f"tier-{customer[0]}"
    assert found["meter"]["source"] == "reported"
    assert 0 < Decimal(found["settle"]["cost"]) <= Decimal(found["admit"]["reserved"]["cost"])
    assert (document["verdict"], document["denial"]) == ("allow", None)


def test_limits_before_and_after_follow_on_each_other_from_call_to_call(cli, ids):
    first, second = (cli.json("explain", each) for each in ids[:2])
    before, after = ({each["name"]: each for each in one["limits"]} for one in (first, second))
    assert set(before) == {"requests/day", "tokens/month", "cost/month", "concurrency"}
    for name, limit in before.items():
        assert limit["after"] == after[name]["before"]
    used = phases(first)["settle"]
    assert before["tokens/month"]["after"] == used["input"] + used["output"]
    assert before["cost/month"]["after"] == used["cost"]
    assert before["cost/month"]["held"] == phases(first)["admit"]["reserved"]["cost"]
    assert [before["concurrency"][name] for name in ("before", "held", "after", "resets_at")] == [0, 1, 0, None]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", before["requests/day"]["resets_at"])


def test_a_refusal_says_which_limit_and_when_it_would_have_passed(cli, ids):
    document = cli.json("explain", ids[2])
    denial = document["denial"]
    facts = ("reason", "limit", "amount", "used", "requested")
    assert [denial[name] for name in facts] == ["quota_exhausted", "requests/day", 2, 2, 1]
    assert denial["passes_at"] == denial["resets_at"]
    assert list(phases(document)) == ["receive", "route", "identify", "admit", "record"]
    assert all(each["held"] in (0, "0.00") and each["before"] == each["after"] for each in document["limits"])
    assert "2 used, 1 requested; it would have passed " in document["summary"]


def test_a_gate_is_not_opened_by_waiting(cli, ids):
    document = cli.json("explain", ids[3])
    assert (document["denial"]["reason"], document["denial"]["limit"]) == ("model_not_allowed", "models")
    assert "passes_at" not in document["denial"]
    assert document["limits"] == []


def test_nobody_and_what_is_larger_than_the_whole_limit(cli, gateway):
    stranger = ask(gateway.proxy, "POST", CHAT, b"{}", apikey="no such key")
    document = cli.json("explain", stranger.request_id)
    assert document["denial"] == {"reason": "invalid_key", "meaning": document["denial"]["meaning"]}
    assert list(phases(document)) == ["receive", "route", "identify", "record"]
    name, key = gateway.consumer()
    limits = [{"unit": "tokens", "amount": 5, "period": "hour"}]
    gateway.write("POST", "/tiers", {"name": f"tier-{name}", "limits": limits})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    refused = cli.json("explain", call(gateway, key).request_id)
    assert refused["denial"]["passes_at"] is None
    assert "never pass" in refused["summary"]


def test_for_people(cli, ids):
    text = cli("explain", ids[0]).stdout
    assert "Admitted and answered with 200" in text
    assert "reserved.output_tokens=40" in text
    assert re.search(r"^requests/day +2 +0 +1 +1 ", text, re.MULTILINE)
    assert "there is no request 'none'" in cli.fails("explain", "none")
