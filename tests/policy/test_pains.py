"""Pains of other gateways' users that no other test file names: each as the test that would show it here."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Period, Tier
from aimon_local.policy.account import Account, Demand, Grant, admit, settle
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, counters
from tests.support.tiers import answer, ask, chat, completion, fields_of, limit, rule

NS = 10**9


def used(state, name, subject="c"):
    return next(each.used for each in state.accounts.find(subject).statuses(NOON * NS) if each.name == name)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=50), st.randoms())
def test_mixed_sizes_at_once_never_pass_a_token_budget(sizes, chance):
    state, tier = LimitState(), rule(limits=(limit("tokens", 300),))
    calls = [ask(chat(max_tokens=size), state=state) for size in sizes]
    got = [call for call in calls if tier.access(call) is None]
    chance.shuffle(got)
    assert used(state, "tokens/day") <= 300
    for call in got:
        answer(tier, call, completion(chance.randint(0, 11), chance.randint(0, 10)))
    assert used(state, "tokens/day") == sum(call.notes[NOTE].input + call.notes[NOTE].output for call in got)


def test_the_first_calls_of_a_new_subject_find_its_limits_at_once():
    state, tier = LimitState(), rule(limits=(limit("requests", 3),))
    assert [tier.access(ask(chat(), state=state, consumer="new")) is None for _ in range(8)] == [True] * 3 + [False] * 5


def test_a_call_counts_once_on_each_declared_limit_and_on_nothing_else():
    limits = (
        limit("requests", 9),
        limit("requests", 9, Period.MINUTE),
        limit("tokens", 999),
        limit("input_tokens", 999),
    )
    state, tier = LimitState(), rule(limits=limits)
    call = ask(chat(), state=state)
    tier.access(call)
    answer(tier, call, completion(5, 7))
    rows = {row.unit: row.value for row in counters(call.touched) if not row.unit.startswith("month/")}
    assert rows == {"requests/day": 1, "requests/minute": 1, "tokens/day": 12, "input_tokens/day": 5}


def test_no_false_denial_at_a_tenth_of_the_budget_without_max_tokens():
    # The model's most is 1000 tokens at $4 a million: ten calls in flight hold $0.04 at most of $0.5.
    state, tier = LimitState(), rule(limits=(limit("cost", 500_000_000),))
    for _ in range(100):
        calls = [ask(chat(max_tokens=None), state=state) for _ in range(10)]
        assert [tier.access(call) for call in calls] == [None] * 10
        for call in calls:
            answer(tier, call, completion(5, 7))
    assert used(state, "cost/day") == 1000 * 33_000


def test_a_stream_and_its_twin_cost_the_same_to_the_nano_dollar():
    costs = []
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    chunks = ({"choices": [{"delta": {"content": "x" * 28}}]}, {"choices": [], "usage": usage})
    stream = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks) + b"data: [DONE]\n\n"
    for body, kind in ((completion(5, 7), "application/json"), (stream, "text/event-stream; charset=utf-8")):
        tier, call = rule(), ask(chat(stream=kind.startswith("text")))
        tier.access(call)
        answer(tier, call, body, content_type=kind)
        costs.append(call.notes[NOTE].cost)
    assert costs == [33_000, 33_000]


def test_a_denial_at_one_limit_takes_nothing_from_the_others():
    limits = (limit("requests", 9), limit("requests", 9, Period.MINUTE, sliding=True), limit("tokens", 10**6))
    state, tier = LimitState(), rule(limits=limits, concurrency=1)
    assert tier.access(ask(chat(), state=state)) is None
    before = state.accounts.find("c").statuses(NOON * NS)
    for _ in range(20):
        assert tier.access(ask(chat(), state=state)).reason == "concurrency"
    assert state.accounts.find("c").statuses(NOON * NS) == before


@pytest.mark.parametrize("sliding", [False, True])
def test_who_hammers_is_let_in_as_often_as_who_does_not(sliding):
    account = Account("c", Tier("t", limits=(limit("requests", 5, Period.MINUTE, sliding=sliding),)), ZoneInfo("UTC"))
    admitted = 0
    for second in range(600):
        for _ in range(3):
            got = admit([account], Demand(), (NOON + second) * NS)
            if isinstance(got, Grant):
                settle(got, Demand())
                admitted += 1
    assert admitted == 50


def test_remaining_falls_within_a_window_is_never_negative_and_matches_what_is_stored():
    state, tier = LimitState(), rule(limits=(limit("requests", 5), limit("tokens", 61)))
    seen = []
    for _ in range(8):
        call = ask(chat(), state=state)
        stop = tier.access(call)
        seen.append(int(fields_of(stop, call)["x-ratelimit-remaining-tokens"]))
        if stop is None:
            answer(tier, call, completion(30, 10))  # more than was held: an honest call may use more
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[-1], used(state, "tokens/day")) == (40, 0, 80)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("period", [Period.DAY, Period.WEEK, Period.MONTH])
def test_windows_begin_anew_by_the_tiers_own_clock_over_a_leap_year(zone, period):
    place = ZoneInfo(zone)
    account = Account("c", Tier("t", limits=(limit("requests", 1, period),)), place)
    first, begins, windows = int(datetime(2027, 12, 31, 12, tzinfo=place).timestamp()), [], {}
    form = {Period.DAY: "%Y-%m-%d", Period.WEEK: "%G-%V", Period.MONTH: "%Y-%m"}[period]
    for hour in range(24 * 430):
        at = first + hour * 3600
        windows.setdefault(datetime.fromtimestamp(at, place).strftime(form), at)
        if isinstance(admit([account], Demand(), at * NS), Grant):
            begins.append(at)
    assert begins == list(windows.values())


def test_a_changed_limit_holds_for_the_next_call_in_both_directions_and_goes_on_counting():
    state = LimitState()
    for amount, passes in ((2, True), (2, True), (2, False), (4, True), (1, False), (4, True), (4, False)):
        got = rule(limits=(limit("requests", amount),)).access(ask(chat(), state=state))
        assert (got is None) is passes, amount


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "m-1", "messages": [{"role": "user", "content": "a"}], "model": "dear"}',
        b'{"model": "m-1", "messages": [{"role": "user", "content": "a"}], "mod\\u0065l": "dear"}',
        b'{"model": "m-1", "messages": [{"role": "user", "content": "a", "content": "bbbb"}]}',
        '{"model": "m-1", "messages": [{"role": "user", "content": "a"}]}'.encode("utf-16"),
        b'\xef\xbb\xbf{"model": "m-1", "messages": [{"role": "user", "content": "a"}]}',
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(body):
    assert rule().access(ask(body=body)).reason == "bad_request"
