"""Where a call's edge is: what is held for it, or what its limits have left where nothing is held."""

import json

import pytest

from aimon_local.metering.cut import CutMeter
from aimon_local.metering.meter import StreamMeter, WholeMeter
from aimon_local.model.tier import Mode
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.hard_cut import edge
from aimon_local.policy.pricing import Rates
from aimon_local.policy.state import LimitState
from tests.support.calls import make_draft
from tests.support.tiers import answer, ask, chat, limit, rule

PROMPT = 11
SSE = "text/event-stream"


def stream(*texts):
    """A chat's stream without an end, as one that runs away."""
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def delivered(tier, state=None, texts=("four",) * 100, **facts):
    """How many words a client got, and the record of its call."""
    call = ask(chat(stream=True, **facts), state=state or LimitState())
    assert tier.access(call) is None
    passed = answer(tier, call, stream(*texts), content_type=SSE)
    return passed.count(b"four"), call.notes[NOTE]


def test_what_is_held_is_the_edge():
    words, record = delivered(rule(hard_cut=True, limits=(limit("tokens", 1000),)))
    assert (words, record.output, record.reserved_output) == (10, 10, 10)
    assert (record.flags, record.complete, record.finish_reason) == (("cut",), True, "length")


def test_without_it_nothing_is_cut():
    words, record = delivered(rule(limits=(limit("tokens", 1000),)))
    assert (words, record.flags) == (100, ("usage_absent",))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (limit("output_tokens", 7), 7),
        (limit("tokens", PROMPT + 6), 6),
        (limit("cost", PROMPT * 1000 + 5 * 4000), 5),
        (limit("requests", 5), 10),
        (limit("output_tokens", 3, shadow=True), 10),
        (limit("output_tokens", 500), 10),
    ],
)
def test_where_nothing_is_held_it_is_what_is_left(one, expected):
    words, record = delivered(rule(hard_cut=True, mode=Mode.POST_COUNT, limits=(one,)))
    assert (words, record.output) == (expected, expected)


def test_a_second_call_has_what_the_first_left():
    tier, state = rule(hard_cut=True, mode=Mode.POST_COUNT, limits=(limit("output_tokens", 15),)), LimitState()
    assert [delivered(tier, state)[0] for _ in range(2)] == [10, 5]


def test_an_overdrawn_budget_leaves_nothing():
    standing, held = [("s", "tokens/day", 5, 9, 0)], []
    tier = rule(mode=Mode.POST_COUNT, limits=(limit("tokens", 5),))
    account = LimitState().accounts.open("c", tier.terms.counted, tier.terms.zone)
    held = [(account, counter, unit, 0, 0) for unit, counter in account.counters]
    assert edge(10, 1, Rates(1, 1, 1, 1, 1), standing, held) == 0


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ([("Content-Type", SSE)], CutMeter),
        ([("Content-Type", SSE), ("Content-Length", "100")], StreamMeter),  # its end is told: it can't be ended before
        ([("Content-Type", "application/json")], WholeMeter),
    ],
)
def test_only_a_stream_of_open_length_is_cut(fields, kind):
    tier = rule(hard_cut=True)
    call = ask(chat(stream=True))
    assert tier.access(call) is None
    draft = make_draft(200, fields)
    tier.response(call, draft)
    assert type(tier.meter(call, draft)) is kind
