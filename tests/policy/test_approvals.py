"""Soft limits: a full one asks, the answer is head-room that counts and ends; a hard one never asks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.approval import ASKED
from aimon_local.model.tier import Period
from aimon_local.policy.approvals import Approvals, decided
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, counters
from tests.support.tiers import answer, ask, chat, completion, limit, rule

NOW = NOON * 10**9
HOUR = 3600 * 10**9
DAY_ENDS = (NOON + 43_200) * 10**9


def soft(amount=2, unit="requests", **more):
    return rule(limits=(limit(unit, amount, Period.DAY, ask=True), *more.pop("limits", ())), **more)


def go(tier, state, now=NOW, **facts):
    """A whole call: None, or what refused it."""
    call = ask(chat(), state=state, now_ns=now, request_id=f"{go.number:032x}", **facts)
    go.number += 1
    refused = tier.access(call)
    if refused is None:
        answer(tier, call, completion())
    go.last = call
    return refused


go.number = 1


def fill(tier, state, count=2, now=NOW):
    """Use a limit up; the question that the next call asks."""
    assert [go(tier, state, now) for _ in range(count)] == [None] * count
    refused = go(tier, state, now)
    assert refused.reason == "approval_required"
    return go.last.notes[ASKED]


def test_a_full_soft_limit_asks():
    state, tier = LimitState(), soft()
    question = fill(tier, state)
    assert (question.limit_name, question.amount, question.used, question.requested) == ("requests/day", 2, 2, 1)
    assert (question.consumer, question.state, question.ends_ns) == ("c", "pending", DAY_ENDS)


def test_the_refusal_names_the_question():
    state, tier = LimitState(), soft()
    question = fill(tier, state)
    refused = go(tier, state)
    error = json.loads(refused.body)["error"]
    assert (error["type"], error["code"], error["aimon"]["approval"]) == (
        "approval_required",
        "approval_required",
        question.id,
    )
    fields = dict(refused.fields)
    assert fields[b"X-Aimon-Approval"].decode() == question.id
    assert fields[b"x-should-retry"] == b"false"
    plain = go(tier, state, path="/things", method="GET", body=None)
    assert (plain.reason, dict(plain.fields)[b"X-Aimon-Approval"].decode()) == ("approval_required", question.id)


def test_calls_that_meet_the_same_limit_share_its_question():
    state, tier = LimitState(), soft()
    question = fill(tier, state)
    for _ in range(3):
        go(tier, state)
        assert ASKED not in go.last.notes  # it is stored once
    assert state.approvals.find(question.id).asked == 4


@given(st.integers(1, 20))
def test_granted_head_room_admits_exactly_as_many_more(granted):
    state, tier = LimitState(), soft()
    question = fill(tier, state)
    state.approvals.put(decided(question, True, "admin", NOW, granted))
    assert [go(tier, state) for _ in range(granted)] == [None] * granted
    assert go(tier, state).reason == "approval_required"


def test_without_an_amount_it_is_as_much_again():
    state, tier = LimitState(), soft(3)
    state.approvals.put(decided(fill(tier, state, 3), True, "admin", NOW))
    again = fill(tier, state, 3)
    assert again.amount == 3  # of the limit itself, not of what was granted on top
    state.approvals.put(decided(again, True, "admin", NOW))
    fill(tier, state, 3)  # several grants add up


def test_head_room_ends():
    state, tier = LimitState(), soft()
    state.approvals.put(decided(fill(tier, state), True, "admin", NOW, 5, HOUR))
    assert go(tier, state, NOW + HOUR - 1) is None
    assert go(tier, state, NOW + HOUR).reason == "approval_required"
    assert go(tier, state, DAY_ENDS) is None  # the window is new anyway
    assert go(tier, state, DAY_ENDS) is None
    assert go(tier, state, DAY_ENDS).reason == "approval_required"  # nothing of it is left


def test_a_no_makes_the_limit_a_hard_one_until_its_window_ends():
    state, tier = LimitState(), soft()
    state.approvals.put(decided(fill(tier, state), False, "admin", NOW))
    assert go(tier, state).reason == "quota_exhausted"
    fill(tier, state, now=DAY_ENDS)


def test_a_hard_limit_beside_it_does_not_ask():
    state, tier = LimitState(), rule(limits=(limit("requests", 5, ask=True), limit("requests", 1, Period.HOUR)))
    assert go(tier, state) is None
    assert go(tier, state).reason == "request_limit"


def test_a_question_is_the_callers_own():
    state, tier = LimitState(), soft()
    question = fill(tier, state)
    state.approvals.put(decided(question, True, "admin", NOW, 5))
    for _ in range(2):
        assert go(tier, state, consumer="other") is None
    assert go(tier, state, consumer="other").reason == "approval_required"


@pytest.mark.parametrize("unit", ["tokens", "cost"])
def test_budgets_ask_too(unit):
    state, tier = LimitState(), soft(10, unit)
    refused = go(tier, state)  # larger than the whole limit
    assert refused.reason == "approval_required"
    state.approvals.put(decided(go.last.notes[ASKED], True, "admin", NOW, 10**9))
    assert go(tier, state) is None


def test_what_is_stored_goes_on_after_a_restart():
    state, tier = LimitState(), soft()
    granted = decided(fill(tier, state), True, "admin", NOW, 1)
    after = LimitState()
    after.load(counters(go.last.touched))
    after.known_approvals = lambda: [granted]
    tier = soft()
    for _ in range(3):
        assert go(tier, after) is None
    assert go(tier, after).reason == "approval_required"


def test_a_tier_that_never_asks_reads_nothing():
    state = LimitState()
    state.known_approvals = lambda: 1 / 0
    assert go(rule(limits=(limit("requests", 1),)), state) is None


def test_no_more_are_remembered_than_the_bound():
    known = Approvals()
    question = fill(soft(), LimitState())
    for number in range(10_100):
        known.put(question._replace(id=f"q{number}", subject=f"s{number}"))
    assert known.find("q0") is None
    assert known.find("q10099") is not None
