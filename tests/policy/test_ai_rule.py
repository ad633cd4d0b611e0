"""The tiers' rule on whole requests: gates, reservation and settlement in every way that a call can end."""

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Burst, Mode, Period
from aimon_local.model.usage import CounterChange
from aimon_local.policy import reasons
from aimon_local.policy.ai_refusals import TABLE
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.call import NEED_BODY, Answer, Refuse
from aimon_local.policy.pricing import Component, ModelPrice, PriceBook, PricePlan, Rates, Step
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, counters, make_draft
from tests.support.tiers import (
    BOOK,
    CHAT,
    MESSAGES,
    answer,
    ask,
    chat,
    completion,
    fields_of,
    limit,
    rule,
    upstream_field,
)

PROMPT = 11  # our estimate of chat(): 1 role, 3 text, 4 framing, 3 request
HELD = PROMPT * 1000 + 10 * 4000  # nano-dollars
TWO = PricePlan("two", 0, (Component("requests", (Step(None, 2_000_000_000),)),))  # $2 a request


def used(state, name, subject="c", now=NOON * 10**9):
    return next(status.used for status in state.accounts.find(subject).statuses(now) if status.name == name)


def all_limits():
    return (limit("requests", 10), limit("tokens", 1000), limit("cost", 10**9), limit("charge", 100 * 10**9))


def test_a_call_holds_the_most_that_it_can_use_and_ends_with_what_it_used():
    state, tier = LimitState(), rule(TWO, limits=all_limits())
    call = ask(chat(), state=state)
    assert tier.access(call) is None
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day", "charge/day")] == [
        1,
        PROMPT + 10,
        HELD,
        2 * 10**9,
    ]
    answer(tier, call, completion(5, 7))
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day", "charge/day")] == [
        1,
        12,
        5 * 1000 + 7 * 4000,
        2 * 10**9,
    ]
    record = call.notes[NOTE]
    assert (record.dialect, record.model, record.served, record.tier) == ("openai.chat", "m-1", "m-1-served", "t")
    assert (record.estimate, record.reserved_input, record.reserved_output, record.reserved_cost) == (
        PROMPT,
        PROMPT,
        10,
        HELD,
    )
    assert (record.input, record.output, record.cost, record.charge) == (5, 7, 33_000, 2 * 10**9)
    assert (record.source, record.complete, record.finish_reason, record.flags) == ("reported", True, "stop", ())


def test_what_a_call_changed_is_stored_and_a_restart_goes_on_from_there():
    tier = rule(TWO, limits=(*all_limits(), limit("requests", 9, Period.MINUTE, sliding=True)))
    first, rows = LimitState(), {}
    for _ in range(3):
        call = ask(chat(), state=first)
        assert tier.access(call) is None
        answer(tier, call, completion(5, 7))
        rows |= {(row.key, row.unit): row for row in counters(call.touched)}
    assert all(isinstance(row, CounterChange) for row in rows.values())
    second = LimitState()
    second.load(rows.values())
    call = ask(chat(), state=second)
    assert tier.access(call) is None
    answer(tier, call, completion(5, 7))
    names = ("requests/day", "tokens/day", "cost/day", "charge/day", "requests/minute:sliding")
    assert [used(second, name) for name in names] == [4, 48, 4 * 33_000, 8 * 10**9, 4]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ((limit("requests", 3),), "quota_exhausted"),
        ((limit("requests", 3, Period.MINUTE),), "request_limit"),
        ((limit("tokens", 3 * (PROMPT + 10)),), "quota_exhausted"),
        ((limit("tokens", 3 * (PROMPT + 10), Period.MINUTE),), "token_limit"),
        ((limit("output_tokens", 30, Period.HOUR, sliding=True),), "token_limit"),
        ((limit("cost", 3 * HELD),), "budget_exhausted"),
        ((limit("charge", 6 * 10**9, Period.MONTH),), "budget_exhausted"),
    ],
)
def test_fifty_at_once_against_a_budget_for_three(limits, reason):
    state, tier = LimitState(), rule(TWO, limits=limits)
    calls = [ask(chat(), state=state) for _ in range(50)]
    got = [tier.access(call) for call in calls]
    assert [one is None for one in got] == [True] * 3 + [False] * 47
    assert {one.reason for one in got[3:]} == {reason}
    for call, stop in zip(calls, got, strict=True):
        if stop is None:
            answer(tier, call, completion(PROMPT, 10))
    assert tier.access(ask(chat(), state=state)) is not None


def test_three_at_a_time_and_a_place_is_free_when_its_stream_ends():
    state, tier = LimitState(), rule(concurrency=3)
    calls = [ask(chat(), state=state) for _ in range(50)]
    got = [tier.access(call) for call in calls]
    assert [one.reason for one in got[3:]] == ["concurrency"] * 47
    assert fields_of(got[3])["retry-after-ms"] == "100"
    answer(tier, calls[0], b"data: {}\n\n", content_type="text/event-stream", complete=False)
    assert tier.access(ask(chat(), state=state)) is None
    assert tier.access(ask(chat(), state=state)).reason == "concurrency"


@given(st.lists(st.sampled_from(["whole", "cut", "gone", "failed", "error", "open"]), max_size=30), st.data())
def test_whatever_becomes_of_the_calls_held_and_used_add_up(ends, data):
    state = LimitState()
    tier = rule(
        TWO, limits=(limit("requests", 20), limit("cost", 10 * HELD), limit("charge", 24 * 10**9)), concurrency=9
    )
    settled = {"requests": 0, "cost": 0, "charge": 0, "open": 0}
    for end in ends:
        call = ask(chat(), state=state)
        if tier.access(call) is not None:
            continue
        if end == "open":
            settled["open"] += 1
            continue
        if end in ("whole", "cut"):
            answer(
                tier,
                call,
                completion(data.draw(st.integers(0, PROMPT)), data.draw(st.integers(0, 10))),
                complete=end == "whole",
            )
        elif end == "error":
            answer(tier, call, b"no", status=500)
        else:
            tier.settle(call, end == "failed")
        record = call.notes[NOTE]
        settled["requests"] += end != "failed"
        settled["cost"] += record.cost
        settled["charge"] += record.charge
    if state.accounts.find("c") is None:
        return
    held = settled["open"]
    assert used(state, "requests/day") == settled["requests"] + held <= 20
    assert used(state, "cost/day") == settled["cost"] + held * HELD <= 10 * HELD
    assert used(state, "charge/day") == settled["charge"] + held * 2 * 10**9 <= 24 * 10**9
    assert used(state, "concurrency") == held <= 9


def test_never_answered_gives_all_back_and_gone_bills_the_prompt():
    state, tier = LimitState(), rule(limits=all_limits(), burst=Burst(1, Period.SECOND, 2))
    refused = ask(chat(), state=state)
    tier.access(refused)
    tier.settle(refused, True)
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day", "burst")] == [0, 0, 0, 0]
    assert not [row for row in counters(refused.touched) if row.value]
    gone = ask(chat(), state=state)
    tier.access(gone)
    tier.settle(gone, False)
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day", "burst")] == [
        1,
        PROMPT,
        PROMPT * 1000,
        1,
    ]
    record = gone.notes[NOTE]
    assert (record.source, record.complete, record.flags) == ("estimated", False, ("client_gone",))


def test_settling_comes_once():
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(chat(), state=state)
    tier.access(call)
    answer(tier, call, completion(5, 7))
    tier.settle(call, True)
    assert used(state, "tokens/day") == 12


def test_an_upstreams_error_costs_a_request_and_no_tokens():
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(chat(), state=state)
    tier.access(call)
    assert answer(tier, call, b'{"error":1}', status=503) == b'{"error":1}'
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day")] == [1, 0, 0]
    assert call.notes[NOTE].source == "none"


def test_an_answer_that_can_not_be_read_costs_what_was_held():
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(chat(), state=state)
    tier.access(call)
    assert upstream_field(call, "Accept-Encoding") == b"identity"
    draft = make_draft(200, [("Content-Encoding", "gzip")])
    tier.response(call, draft)
    assert tier.meter(call, draft) is None
    tier.settle(call, True)
    assert used(state, "cost/day") == HELD
    assert call.notes[NOTE].flags == ("unreadable",)


STREAM = b"".join(
    b"data: " + json.dumps(each, separators=(",", ":")).encode() + b"\n\n"
    for each in (
        {"choices": [{"delta": {"content": "word " * 5}}], "usage": None},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None},
        {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
    )
)
DONE = b"data: [DONE]\n\n"


@given(st.lists(st.integers(0, len(STREAM + DONE)), max_size=6), st.booleans())
def test_any_split_of_a_stream_gives_the_same_bytes_and_the_same_usage(cuts, asked):
    state, tier = LimitState(), rule(limits=all_limits())
    options = {"stream_options": {"include_usage": True}} if asked else {}
    call = ask(chat(stream=True, **options), state=state)
    tier.access(call)
    assert json.loads(call.body)["stream_options"] == {"include_usage": True}
    places = [0, *sorted(cuts), len(STREAM + DONE)]
    pieces = [(STREAM + DONE)[at:end] for at, end in pairwise(places)]
    seen = answer(tier, call, b"", content_type="text/event-stream", pieces=pieces)
    assert used(state, "tokens/day") == 12
    if asked:
        assert seen == STREAM + DONE
    else:
        assert b"usage" not in seen
        assert seen.endswith(DONE)
        assert b"word " * 5 in seen


@pytest.mark.parametrize("cut", range(0, len(STREAM), 7))
def test_a_stream_cut_anywhere_bills_no_more_than_was_held(cut):
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(chat(stream=True), state=state)
    tier.access(call)
    answer(tier, call, b"", content_type="text/event-stream", pieces=[STREAM[:cut]], complete=False)
    assert 0 < used(state, "tokens/day") <= PROMPT + 10
    assert call.notes[NOTE].complete is False


@pytest.mark.parametrize("lie", [-5, 10**9, float("nan"), "many", None, True, 0])
def test_lies_are_flagged_and_the_budget_stays_armed(lie):
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(chat(), state=state)
    tier.access(call)
    body = json.dumps(
        {"choices": [{"message": {"content": "x" * 400}}], "usage": {"prompt_tokens": 5, "completion_tokens": lie}}
    ).encode()
    answer(tier, call, body)
    record = call.notes[NOTE]
    assert (record.source, record.output, record.input) == ("estimated", 100, PROMPT)
    assert record.flags
    assert used(state, "tokens/day") == PROMPT + 100


# ---- gates


@pytest.mark.parametrize(
    ("tier", "document", "status", "code"),
    [
        ({"models": ("n-*",)}, chat(), 403, "model_not_allowed"),
        ({}, chat(model="unknown"), 403, "model_not_priced"),
        ({"max_prompt_tokens": 10}, chat(), 413, "prompt_too_large"),
        ({"max_output_tokens": 9, "clamp": False}, chat(), 400, "output_too_large"),
        ({"routes": ("other-*",)}, chat(), 403, "route_not_allowed"),
        ({"max_body_bytes": 20}, chat(), 413, "request_too_large"),
        ({}, {"model": "m-1"}, 400, None),
        ({}, chat(max_tokens="ten"), 400, None),
    ],
)
def test_gates_refuse_in_the_providers_words_and_hold_nothing(tier, document, status, code):
    state = LimitState()
    stop = rule(limits=all_limits(), **tier).access(ask(document, state=state))
    assert isinstance(stop, Answer)
    assert (stop.status, json.loads(stop.body)["error"]["code"]) == (status, code)
    assert set(json.loads(stop.body)["error"]) == {"message", "type", "param", "code"}
    assert state.accounts.find("c") is None


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_bodies_that_are_none(body):
    stop = rule().access(ask(body=body))
    assert (stop.status, json.loads(stop.body)["error"]["type"]) == (400, "invalid_request_error")


def test_gates_in_shadow_report_and_let_pass():
    tier = rule(
        models=("n-*",),
        max_prompt_tokens=1,
        limits=(limit("requests", 0, shadow=True),),
        shadow=frozenset(("models", "prompt")),
    )
    call = ask(chat())
    assert tier.access(call) is None
    answer(tier, call, completion())
    assert call.notes[NOTE].shadow == ("models", "prompt", "requests/day")


@pytest.mark.parametrize(
    ("tier", "fields", "sent", "held"),
    [
        ({}, {}, {"max_tokens": 10}, 10),
        ({"max_output_tokens": 4}, {}, {"max_tokens": 4}, 4),
        ({"max_output_tokens": 4}, {"max_tokens": None}, {"max_tokens": None, "max_completion_tokens": 4}, 4),
        ({"max_output_tokens": 4}, {"max_completion_tokens": 8}, {"max_tokens": 4, "max_completion_tokens": 4}, 4),
        ({"max_output_tokens": 4}, {"n": 3}, {"max_tokens": 4}, 12),
        ({}, {"max_tokens": None}, {"max_tokens": None}, 1000),
        ({}, {"max_tokens": 5000}, {"max_tokens": 1000}, 1000),
    ],
)
def test_output_is_bounded_by_client_tier_and_model_and_held(tier, fields, sent, held):
    state = LimitState()
    call = ask(chat(**fields), state=state)
    assert rule(limits=(limit("output_tokens", 10**6),), **tier).access(call) is None
    body = json.loads(call.body)
    assert {name: body[name] for name in body if name.startswith("max_")} == sent
    assert used(state, "output_tokens/day") == held


def test_a_body_is_waited_for_and_one_that_nothing_changes_stays_the_same_bytes():
    tier = rule()
    call = ask(chat())
    call.body, body = None, call.body
    assert tier.access(call) is NEED_BODY
    call.body = body
    assert tier.access(call) is None
    assert call.body is body


# ---- plain routes, other views


def test_plain_calls_count_requests_and_are_refused_in_kongs_words():
    state, tier = LimitState(), rule(limits=(limit("requests", 1), limit("tokens", 5)))
    first = ask(path="/get", state=state)
    assert tier.access(first) is None
    assert fields_of(None, first)["x-ratelimit-remaining-day"] == "0"
    stop = tier.access(ask(path="/get", state=state))
    assert isinstance(stop, Refuse)
    assert (stop.status, stop.message, stop.reason) == (429, "API rate limit exceeded", "quota_exhausted")
    assert fields_of(stop)["ratelimit"].startswith('"requests/day";r=0;t=43200')


def test_counting_tokens_is_free_but_for_the_request():
    state, tier = LimitState(), rule(limits=all_limits())
    call = ask(
        {"model": "m-1", "messages": [{"role": "user", "content": "x" * 999}]}, f"{MESSAGES}/count_tokens", state
    )
    assert tier.access(call) is None
    answer(tier, call, b'{"input_tokens": 250}')
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day")] == [1, 0, 0]


def test_a_caller_sees_where_it_stands_and_asking_changes_nothing():
    state, tier = LimitState(), rule(TWO, limits=all_limits())
    call = ask(chat(), state=state)
    tier.access(call)
    answer(tier, call, completion(5, 7))
    for _ in range(2):
        view = tier.access(ask(path="/ai/aimon/me", state=state))
        document = json.loads(view.body)
    assert view.reason is None
    assert document["limits"][0] | {"resets_at": 0} == {
        "name": "requests/day", "amount": 10, "used": 1, "remaining": 9, "resets_in_seconds": 43200, "resets_at": 0,
    }  # fmt: skip
    assert document["limits"][2]["used"] == "0.000033"
    assert document["month"]["usage_charge"] == "2.00"


def test_a_list_of_models_shows_what_the_tier_may_use():
    tier = rule(models=("m-*",))
    call = ask(path="/v1/models")
    tier.access(call)
    cut = tier.body(call, make_draft(200))
    rows = {"object": "list", "data": [{"id": "m-1"}, {"id": "n-1"}]}
    assert json.loads(cut(json.dumps(rows).encode())) == {"object": "list", "data": [{"id": "m-1"}]}
    assert cut(b"no json") == b"no json"
    assert cut(b"[]") == b"[]"
    assert tier.body(call, make_draft(500)) is None
    assert tier.body(ask(chat()), make_draft(200)) is None


def test_consumers_do_not_share_an_account():
    state, tier = LimitState(), rule(limits=(limit("requests", 1),))
    assert tier.access(ask(chat(), state=state, consumer="a")) is None
    assert tier.access(ask(chat(), state=state, consumer="b")) is None
    assert tier.access(ask(chat(), state=state, consumer="a")) is not None


def test_a_denial_names_limit_used_and_requested():
    tier = rule(limits=(limit("tokens", 30),))
    state = LimitState()
    tier.access(ask(chat(), state=state))
    call = ask(chat(), state=state)
    stop = tier.access(call)
    assert json.loads(stop.body)["error"]["aimon"] == {
        "limit": "tokens/day", "amount": 30, "used": PROMPT + 10, "requested": PROMPT + 10, "resets_in_ms": 43_200_000,
    }  # fmt: skip
    record = call.notes[NOTE]
    assert (record.denied_limit, record.requested, record.used) == ("tokens/day", PROMPT + 10, PROMPT + 10)


# ---- how others do it


def test_post_count_lets_a_nearly_used_budget_be_overrun_and_reserve_does_not():
    for mode, passed in ((Mode.RESERVE, 3), (Mode.POST_COUNT, 50), (Mode.ASYNC_COUNT, 50)):
        state, tier = LimitState(), rule(limits=(limit("cost", 3 * HELD),), mode=mode)
        got = [tier.access(ask(chat(), state=state)) for _ in range(50)]
        assert sum(one is None for one in got) == passed, mode


def test_async_count_counts_a_second_later():
    state, tier = LimitState(), rule(limits=(limit("tokens", 10),), mode=Mode.ASYNC_COUNT)
    now = NOON * 10**9
    for _ in range(3):
        call = ask(chat(), state=state)
        assert tier.access(call) is None
        answer(tier, call, completion(5, 7))
    late = ask(chat(), state=state, now_ns=now + 10**9)
    assert tier.access(late).reason == "quota_exhausted"
    assert {row.unit: row.value for row in counters(late.touched)} == {"tokens/day": 36}


def test_a_changed_tier_goes_on_counting_and_calls_in_flight_end_on_it():
    state = LimitState()
    old = rule(limits=(limit("tokens", 100), limit("requests", 5)), concurrency=2)
    first = ask(chat(), state=state)
    assert old.access(first) is None
    new = rule(limits=(limit("tokens", 50), limit("cost", 10**9)), concurrency=1)
    assert new.access(ask(chat(), state=state)).reason == "concurrency"
    answer(old, first, completion(5, 7))
    assert used(state, "tokens/day") == 12
    assert used(state, "concurrency") == 0
    assert new.access(ask(chat(), state=state)) is None
    with pytest.raises(StopIteration):
        used(state, "requests/day")


def test_the_terms_of_anthropic_are_anthropics():
    document = {"model": "m-1", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
    state, tier = LimitState(), rule(limits=(limit("requests", 1, Period.MINUTE),))
    first = ask(document, MESSAGES, state)
    assert tier.access(first) is None
    assert fields_of(None, first)["anthropic-ratelimit-requests-remaining"] == "0"
    stop = tier.access(ask(document, MESSAGES, state))
    body = json.loads(stop.body)
    assert (stop.status, body["type"], body["error"]["type"]) == (429, "error", "rate_limit_error")
    assert fields_of(stop)["retry-after"] == "60"
    assert fields_of(stop)["retry-after-ms"] == "60000"


def test_paths_behind_a_prefix_are_ai_calls_too():
    call = ask(chat(), "/any/prefix" + CHAT)
    assert rule(models=("x",)).access(call).reason == "model_not_allowed"


def test_what_costs_nothing_passes_a_spent_budget():
    free = Rates(0, 0, 0, 0, 0)
    book = PriceBook([*BOOK.lines, ModelPrice("gift", "mock", 0, free, 1000)])
    state, tier = LimitState(), rule(book=book, limits=(limit("cost", HELD), limit("charge", 0)))
    first = ask(chat(), state=state)
    assert tier.access(first) is None
    assert tier.access(ask(chat(), state=state)).reason == "budget_exhausted"
    assert tier.access(ask(chat(model="gift"), state=state)) is None
    assert tier.access(ask(path="/get", state=state)) is None


def test_every_reason_has_its_meaning():
    assert set(TABLE) <= set(reasons.MEANINGS)


def test_who_left_the_queue_for_a_busy_service_gets_all_back_and_its_lane_is_the_tiers():
    state, tier = LimitState(), rule(limits=all_limits(), priority=7, queue_s=2.5)
    call = ask(chat(), state=state)
    assert tier.access(call) is None
    assert call.lane == ("t", 7, 2.5)
    call.unsent = True
    tier.settle(call, complete=False)
    assert [used(state, name) for name in ("requests/day", "tokens/day", "cost/day", "charge/day")] == [0] * 4


def test_a_prompt_is_known_again_whether_it_was_admitted_or_refused():
    state, tier = LimitState(), rule(limits=(limit("requests", 1),), models=("m-*",))
    state.key = b"k" * 32
    answered = ask(chat(), state=state)
    tier.access(answered)
    answer(tier, answered, completion(5, 7))
    full, closed = ask(chat(), state=state), ask({**chat(), "model": "other"}, state=state)
    for call in (full, closed):
        assert isinstance(tier.access(call), Answer)
    marks = [call.notes[NOTE].fingerprint for call in (answered, full, closed)]
    assert len(set(marks)) == 1
    assert len(marks[0]) == 16


@pytest.mark.parametrize(
    "limits",
    [
        {"limits": (limit("requests", 3),)},
        {"limits": (limit("tokens", 3 * (PROMPT + 10)),)},
        {"limits": (limit("cost", 3 * HELD),)},
        {"limits": (limit("charge", 6 * 10**9),)},
        {"concurrency": 3},
    ],
    ids=["requests", "tokens", "cost", "charge", "concurrency"],
)
def test_of_fifty_calls_at_once_a_budget_for_three_admits_three(limits):
    for seed in range(200):
        chance, state, tier = Random(seed), LimitState(), rule(TWO, **limits)
        calls = [ask(chat(), state=state, now_ns=NOON * 10**9 + chance.randrange(10**9)) for _ in range(50)]
        admitted = [call for call in calls if tier.access(call) is None]
        assert len(admitted) == 3, seed
        chance.shuffle(admitted)
        for call in admitted:  # each uses all that was held, so what ends early makes no room in a window
            answer(tier, call, completion(PROMPT, 10))
        late = [tier.access(ask(chat(), state=state, now_ns=NOON * 10**9 + 2 * 10**9)) for _ in range(4)]
        assert [got is None for got in late] == [*(["concurrency" in limits] * 3), False], seed
