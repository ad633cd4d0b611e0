"""Metering: golden usage per dialect, any split alike, lies flagged, what only we asked for taken out."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.metering.dialect import AiFacts, BadBody
from aimon_local.metering.dialects import dialect_for
from aimon_local.metering.meter import StreamMeter, WholeMeter, meter_for, settle_usage
from aimon_local.model.tokens import Source, TokenUsage

CHAT = dialect_for("POST", "/ai/v1/chat/completions")
RESPONSES = dialect_for("POST", "/v1/responses")
MESSAGES = dialect_for("POST", "/v1/messages")
EMBEDDINGS = dialect_for("POST", "/v1/embeddings")

ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello there, how are you?"}]}


def facts(dialect, **more):
    found = dialect.read({**ASK, "max_tokens": 50, **more})
    assert isinstance(found, AiFacts)
    return found


def chunk(**fields):
    return (
        b"data: " + json.dumps({"id": "c", "model": "gpt-4o-mini", **fields}, separators=(",", ":")).encode() + b"\n\n"
    )


CHAT_STREAM = (
    chunk(choices=[{"index": 0, "delta": {"role": "assistant"}}], usage=None)
    + chunk(choices=[{"index": 0, "delta": {"content": "Hello, I am well."}}], usage=None)
    + chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=None)
    + chunk(
        choices=[], usage={"prompt_tokens": 12, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 4}}
    )
    + b"data: [DONE]\n\n"
)
MESSAGES_STREAM = b"".join(
    b"event: " + kind.encode() + b"\ndata: " + json.dumps({"type": kind, **body}).encode() + b"\n\n"
    for kind, body in [
        (
            "message_start",
            {
                "message": {
                    "model": "claude",
                    "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1},
                }
            },
        ),
        ("ping", {}),
        ("content_block_delta", {"delta": {"type": "text_delta", "text": "Hello, I am well."}}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        ("message_delta", {"delta": {}, "usage": {"output_tokens": 7}}),
        ("message_stop", {}),
    ]
)
RESPONSES_STREAM = b"".join(
    b"event: " + kind.encode() + b"\ndata: " + json.dumps({"type": kind, **body}).encode() + b"\n\n"
    for kind, body in [
        ("response.created", {"response": {"status": "in_progress"}}),
        ("response.output_text.delta", {"delta": "Hello, I am well."}),
        (
            "response.completed",
            {
                "response": {
                    "model": "gpt-4o",
                    "status": "completed",
                    "usage": {
                        "input_tokens": 20,
                        "input_tokens_details": {"cached_tokens": 8},
                        "output_tokens": 9,
                        "output_tokens_details": {"reasoning_tokens": 4},
                    },
                }
            },
        ),
    ]
)
GOLDEN = [
    (CHAT, CHAT_STREAM, TokenUsage(8, 4, 0, 6, 0), "stop"),
    (MESSAGES, MESSAGES_STREAM, TokenUsage(10, 5, 0, 7, 0), "end_turn"),
    (RESPONSES, RESPONSES_STREAM, TokenUsage(12, 8, 0, 5, 4), "completed"),
]


@pytest.mark.parametrize(("dialect", "stream", "usage", "finish"), GOLDEN)
def test_golden_streams(dialect, stream, usage, finish):
    meter = meter_for(dialect, facts(dialect, stream=True, input="hi"), b"text/event-stream; charset=utf-8")
    meter.feed(stream)
    metered = meter.finish(True)
    assert metered.usage == usage
    assert metered.finish_reason == finish


@pytest.mark.parametrize(("dialect", "stream", "usage", "finish"), GOLDEN)
@given(data=st.data())
def test_any_split_gives_the_same_usage_and_bytes(dialect, stream, usage, finish, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    ask = facts(dialect, stream=True, input="hi")
    one, many = StreamMeter(dialect, ask), StreamMeter(dialect, ask)
    whole = one.feed(stream) + one.rest()
    edges = [0, *cuts, len(stream)]
    parts = b"".join(many.feed(stream[a:b]) for a, b in itertools.pairwise(edges)) + many.rest()
    assert parts == whole
    assert many.finish(True).usage == usage


def test_usage_chunk_is_taken_out_for_who_did_not_ask():
    meter = StreamMeter(CHAT, facts(CHAT, stream=True))
    assert meter.feed(CHAT_STREAM) == (
        chunk(choices=[{"index": 0, "delta": {"role": "assistant"}}])
        + chunk(choices=[{"index": 0, "delta": {"content": "Hello, I am well."}}])
        + chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        + b"data: [DONE]\n\n"
    )
    asked = StreamMeter(CHAT, facts(CHAT, stream=True, stream_options={"include_usage": True}))
    assert asked.feed(CHAT_STREAM) == CHAT_STREAM


def test_include_usage_is_asked_for_once():
    body = {**ASK, "stream": True, "stream_options": {"include_obfuscation": False}}
    prepared = CHAT.prepare(body, facts(CHAT, **body))
    assert prepared["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert body["stream_options"] == {"include_obfuscation": False}
    assert CHAT.prepare(prepared, facts(CHAT, **prepared)) is prepared


@pytest.mark.parametrize("lie", [float("nan"), float("inf"), -1, 1 << 60, "12", None, True, 0.5])
def test_a_count_that_can_not_be_is_never_trusted(lie):
    meter = WholeMeter(CHAT, facts(CHAT))
    meter.feed(
        json.dumps(
            {
                "choices": [{"message": {"content": "x" * 400}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": lie},
            }
        ).encode()
    )
    usage = meter.finish(True).usage
    assert usage.source is Source.ESTIMATED
    assert usage.output == 100
    assert usage.flags == ("usage_absent",)


@pytest.mark.parametrize(
    ("reported", "flag"),
    [
        (TokenUsage(10, output=100_000), "output_inflated"),
        (TokenUsage(10, output=0), "output_deflated"),
        (TokenUsage(10_000_000, output=20), "input_inflated"),
    ],
)
def test_absurd_reports_are_flagged_and_our_count_holds(reported, flag):
    ask = facts(CHAT)
    usage = settle_usage(reported, 400, ask, True)
    assert usage.flags == (flag,)
    assert (usage.input, usage.output) == (ask.prompt_tokens, 100)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_parts_always_add_up_to_the_reported_totals(prompt, completion, cached, reasoning):
    meter = WholeMeter(CHAT, AiFacts("openai.chat", "m", False, 5000, None, 1, False, ()))
    meter.feed(
        json.dumps(
            {
                "choices": [{"message": {"content": "x" * 6000}}],
                "usage": {
                    "prompt_tokens": prompt,
                    "completion_tokens": completion,
                    "prompt_tokens_details": {"cached_tokens": cached},
                    "completion_tokens_details": {"reasoning_tokens": reasoning},
                },
            }
        ).encode()
    )
    usage = meter.finish(True).usage
    if usage.source is Source.REPORTED:
        assert (usage.total_input, usage.total_output) == (prompt, completion)


def test_a_cut_stream_bills_what_was_delivered():
    meter = StreamMeter(CHAT, facts(CHAT, stream=True))
    meter.feed(chunk(choices=[{"index": 0, "delta": {"content": "x" * 40}}]))
    usage = meter.finish(False).usage
    assert (usage.output, usage.complete, usage.source) == (10, False, Source.ESTIMATED)


def test_error_inside_a_stream_is_seen():
    meter = StreamMeter(CHAT, facts(CHAT, stream=True))
    meter.feed(b'data: {"error":{"message":"overloaded"}}\n\n')
    assert meter.finish(False).error


@pytest.mark.parametrize(
    ("dialect", "body", "param"),
    [
        (CHAT, {"messages": [{}]}, "model"),
        (CHAT, {"model": "m", "messages": []}, "messages"),
        (CHAT, {**ASK, "max_tokens": -1}, "max_tokens"),
        (CHAT, {**ASK, "n": "2"}, "n"),
        (MESSAGES, {"model": "m"}, "messages"),
        (EMBEDDINGS, {"model": "m"}, "input"),
    ],
)
def test_bad_bodies_name_the_field(dialect, body, param):
    found = dialect.read(body)
    assert isinstance(found, BadBody)
    assert found.param == param


def test_embeddings_count_input_alone():
    ask = EMBEDDINGS.read({"model": "e", "input": [[1, 2, 3], [4]]})
    assert (ask.prompt_tokens, ask.max_output) == (4, 0)
    meter = WholeMeter(EMBEDDINGS, ask)
    meter.feed(b'{"data":[],"usage":{"prompt_tokens":4,"total_tokens":4}}')
    assert meter.finish(True).usage == TokenUsage(4)


def test_paths_that_are_no_ai_call():
    assert dialect_for("GET", "/v1/chat/completions") is None
    assert dialect_for("POST", "/v1/models") is None
    assert dialect_for("POST", "/v1/messages/count_tokens").name == "anthropic.count_tokens"


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/a/b/v1/chat/completions/", "/V1/Chat/Completions", "/v1/messages///"]
)
def test_no_spelling_of_a_path_hides_an_ai_call(path):
    assert dialect_for("POST", path).name in ("openai.chat", "anthropic.messages")


@pytest.mark.parametrize(
    ("total", "reasoning", "flags"),
    [(30, 0, ()), (45, 15, ("total_exceeds_parts",)), (29, 0, ()), (-1, 0, ()), (None, 0, ()), ("99", 0, ())],
)
def test_a_total_beyond_its_parts_is_thought_that_was_used_and_is_flagged(total, reasoning, flags):
    meter = WholeMeter(CHAT, facts(CHAT))
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": total}
    meter.feed(json.dumps({"choices": [{"message": {"content": "x" * 80}}], "usage": usage}).encode())
    found = meter.finish(True).usage
    assert (found.total_input, found.output, found.reasoning, found.flags) == (10, 20, reasoning, flags)
    assert found.source is Source.REPORTED
