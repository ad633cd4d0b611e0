"""A target that answers 5xx is left for another one where that is safe, and only for calls of a tier."""

import json
from dataclasses import replace

import pytest

from tests.support.stage import Stage, make_answer, make_failure

CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}).encode()
COMPLETION = json.dumps({"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}).encode()
PLACES = ("one.test:1", "two.test:2", "three.test:3")


def stage_of(places=PLACES, tier=True, **service):
    entities = [
        ("upstreams", {"name": "up.test"}),
        *(("targets", {"target": place, "weight": 10, "upstream": {"name": "up.test"}}) for place in places),
        ("consumers", {"username": "ann"}),
        ("keyauth_credentials", {"key": "k", "consumer": {"username": "ann"}}),
    ]
    if tier:
        entities += [
            ("consumer_groups", {"name": "t"}),
            ("consumer_group_consumers", {"consumer_group": {"name": "t"}, "consumer": {"username": "ann"}}),
            ("tiers", {"name": "t", "limits": [{"unit": each, "amount": 999, "period": "day"} for each in UNITS]}),
            ("model_prices", {"model": "*", "input": 1, "output": 1}),
        ]
    return Stage(("key-auth", {}), entities=entities, **service)


UNITS = ("requests", "tokens")


def chat(stage, method="POST", path="/r/v1/chat/completions", body=CHAT):
    exchange = stage.ask(method, path, [("apikey", "k")], length=len(body) or None)
    exchange.on_body(body, True)
    return exchange


def asked(stage):
    return [f"{origin.host}:{origin.port}" for origin, _ in stage.heads]


def used(stage):
    subject = stage.live.snapshot.consumer_by_name("ann").id
    return [status.used for status in stage.live.state.accounts.find(subject).statuses(stage.clock.now_ns())]


def answer(exchange, status=500, body=b"no", last=True):
    exchange.on_head(make_answer(status, 2, [("Content-Type", "application/json")]), body, last)


def test_an_ai_call_moves_on_and_is_counted_once():
    stage = stage_of()
    exchange = chat(stage)
    held = used(stage)
    answer(exchange, 503)
    assert used(stage) == held
    answer(exchange, 500, b"n", last=False)
    assert [each[0] for each in stage.take()] == ["want", "send", "up cancel", "send", "up cancel", "send"]
    exchange.on_head(make_answer(200, len(COMPLETION), [("Content-Type", "application/json")]), COMPLETION, True)
    assert [each[:2] for each in stage.take()] == [("row", 200), ("respond", 200)]
    assert sorted(asked(stage)) == sorted(PLACES)
    assert {request.body for _, request in stage.heads} == {CHAT}
    assert used(stage) == [1, 7]
    assert (stage.ledger.rows[0].upstream_status, stage.ledger.rows[0].complete) == (200, True)


def test_the_last_answer_is_the_answer():
    stage = stage_of()
    exchange = chat(stage)
    for status in (500, 502, 529):
        answer(exchange, status)
    assert [each[:2] for each in stage.said[-2:]] == [("row", 529), ("respond", 529)]
    assert len(stage.heads) == 3
    assert used(stage) == [1, 0]


def test_a_target_that_can_not_be_reached_and_one_that_fails():
    stage = stage_of()
    exchange = chat(stage)
    exchange.on_failure(make_failure())
    answer(exchange, 500)
    exchange.on_failure(make_failure())
    assert len(stage.heads) == 4  # all have failed it: as before, retries go round
    assert stage.said[-1][0] == "send"


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_tries_are_bounded_by_the_services_retries(retries):
    stage = stage_of(retries=retries)
    exchange = chat(stage)
    for _ in range(retries + 1):
        answer(exchange, 500)
    assert len(stage.heads) == retries + 1
    assert stage.said[-1][0] == "respond"


@pytest.mark.parametrize(
    ("method", "path", "body", "moves"),
    [
        ("GET", "/r/x", b"", True),
        ("PUT", "/r/x", b"ab", True),
        ("POST", "/r/x", b"ab", False),
        ("PATCH", "/r/x", b"ab", False),
        ("POST", "/r/v1/messages", CHAT, True),
    ],
)
def test_what_could_be_done_twice_stays(method, path, body, moves):
    stage = stage_of()
    exchange = chat(stage, method, path, body)
    answer(exchange, 500)
    assert len(stage.heads) == 1 + moves


@pytest.mark.parametrize(
    "stage",
    [
        lambda: stage_of(tier=False),
        lambda: stage_of(places=PLACES[:1]),
        lambda: stage_of(url="http://else.test"),
        lambda: stage_of(route={"request_buffering": False}),
    ],
    ids=["without a tier", "one target", "no upstream", "a body that streams"],
)
def test_without_a_place_to_go_or_a_tier_it_is_as_in_kong(stage):
    stage = stage()
    exchange = chat(stage, "PUT", "/r/x", b"ab")
    answer(exchange, 500)
    assert [each[:2] for each in stage.said[-2:]] == [("row", 500), ("respond", 500)]
    assert len(stage.heads) == 1


def test_it_can_be_turned_off_and_only_5xx_counts():
    stage = stage_of()
    stage.runtime.settings = replace(stage.runtime.settings, failover_5xx=False)
    answer(chat(stage), 500)
    assert len(stage.heads) == 1
    stage = stage_of()
    answer(chat(stage), 429)
    assert len(stage.heads) == 1


def test_one_slot_for_all_tries():
    stage = stage_of(tags=["upstream_concurrency=1"])
    first, second = chat(stage), chat(stage)
    answer(first, 500)
    answer(first, 200)
    assert len(stage.heads) == 3
    answer(second, 200)
    assert next(iter(stage.waiting._lines.values())).queue.in_flight == 0
