"""A stream that outgrows its edge ends in its dialect's words, at the same byte however it came in pieces."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.metering.cut import CUT, CutMeter
from aimon_local.metering.dialects import dialect_for
from aimon_local.metering.meter import StreamMeter
from aimon_local.metering.sse import MOST, Splitter, parse
from aimon_local.mock.llm.anthropic import message_frames
from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.openai import chat_frames, completion_frames
from aimon_local.mock.llm.responses import response_frames
from aimon_local.mock.llm.script import Script, Usage
from aimon_local.model.tokens import Source

CHAT = dialect_for("POST", "/v1/chat/completions")
RESPONSES = dialect_for("POST", "/v1/responses")
MESSAGES = dialect_for("POST", "/v1/messages")
WORDS = tuple(f"w{number:03d}" for number in range(20))  # four bytes each: one token by our count
SCRIPT = Script("a" * 24, "m", WORDS, (), "stop", Usage(9, len(WORDS)))
KNOBS = Knobs()


def joined(pieces):
    return b"".join(piece[0] for piece in pieces)


STREAMS = {
    "chat": (CHAT, joined(chat_frames([SCRIPT], KNOBS, True))),
    "text": (CHAT, joined(completion_frames(SCRIPT, KNOBS, True))),
    "messages": (MESSAGES, joined(message_frames(SCRIPT, KNOBS))),
    "responses": (RESPONSES, joined(response_frames(SCRIPT, KNOBS))),
}


def meter(kind, edge, wants=True):
    dialect, stream = STREAMS[kind]
    body = {"model": "m", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 5, "input": "hello"}
    facts = dialect.read(body)._replace(wants_usage=wants)
    return CutMeter(dialect, facts, edge), stream


def events(data):
    """Names and documents of a stream."""
    found = [parse(raw) for raw in Splitter().feed(data)]
    return [(event.name, event.data if event.data == b"[DONE]" else json.loads(event.data)) for event in found]


def text_of(kind, data):
    out = ""
    for _, document in events(data):
        if kind == "responses":
            out += document["delta"] if document["type"] == "response.output_text.delta" else ""
        elif kind == "messages":
            out += document.get("delta", {}).get("text", "")
        elif document != b"[DONE]":
            out += "".join(
                each.get("text") or each.get("delta", {}).get("content") or "" for each in document["choices"]
            )
    return out


@pytest.mark.parametrize("kind", STREAMS)
def test_no_word_goes_beyond_the_edge_and_the_record_says_so(kind):
    cut, stream = meter(kind, 7)
    passed = cut.feed(stream) + cut.rest()
    assert text_of(kind, passed) == "".join(WORDS[:7])
    assert cut.ended
    usage, finish, _, error = cut.finish(True)
    assert (usage.output, usage.source, usage.complete, usage.flags) == (7, Source.ESTIMATED, True, (CUT,))
    assert finish in ("length", "max_tokens", "incomplete")
    assert not error


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_within_its_edge_passes_byte_by_byte_as_it_came(kind):
    cut, stream = meter(kind, len(WORDS))
    assert cut.feed(stream) + cut.rest() == stream
    assert not cut.ended
    dialect, _ = STREAMS[kind]
    plain = StreamMeter(dialect, cut._facts)
    plain.feed(stream)
    assert cut.finish(True) == plain.finish(True)
    assert cut.finish(True).usage.source is Source.REPORTED


@given(st.sampled_from(sorted(STREAMS)), st.integers(0, 25), st.lists(st.integers(0, 4000), max_size=8), st.booleans())
def test_any_split_of_the_bytes_is_cut_at_the_same_place(kind, edge, cuts, wants):
    whole, stream = meter(kind, edge, wants)
    split, _ = meter(kind, edge, wants)
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[one:two] for one, two in itertools.pairwise(at)]
    assert b"".join(map(split.feed, pieces)) + split.rest() == whole.feed(stream) + whole.rest()
    assert split.finish(True) == whole.finish(True)
    assert split.ended == whole.ended == (edge < len(WORDS))


def test_a_chat_ends_with_length_usage_where_asked_and_done():
    for wants in (True, False):
        cut, stream = meter("chat", 2, wants)
        found = events(cut.feed(stream))
        assert found[-1] == ("message", b"[DONE]")
        last = [document for _, document in found[:-1] if document["choices"]][-1]
        first = found[0][1]
        assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}]
        assert (last["id"], last["object"], last["model"]) == (first["id"], first["object"], first["model"])
        usages = [document["usage"] for _, document in found[:-1] if document["choices"] == []]
        assert usages == ([{"prompt_tokens": cut._facts.prompt_tokens, "completion_tokens": 2,
                            "total_tokens": cut._facts.prompt_tokens + 2}] if wants else [])  # fmt: skip


def test_each_open_choice_is_ended_and_no_other():
    def chunk(*choices):
        return b"data: " + json.dumps({"id": "c", "choices": list(choices)}).encode() + b"\n\n"

    def delta(index, text="", finish=None):
        return {"index": index, "delta": {"content": text}, "finish_reason": finish}

    cut, _ = meter("chat", 3)
    passed = cut.feed(chunk(delta(0, "four"), delta(1, "four"), delta(2)) + chunk(delta(1, "", "stop")))
    passed += cut.feed(chunk(delta(0, "five and more")))
    last = events(passed)[-3][1]
    assert [(each["index"], each["finish_reason"]) for each in last["choices"]] == [(0, "length"), (2, "length")]


def test_messages_end_their_blocks_and_keep_the_reported_input():
    cut, stream = meter("messages", 3)
    found = events(cut.feed(stream))
    assert [name for name, _ in found[-3:]] == ["content_block_stop", "message_delta", "message_stop"]
    assert found[-2][1]["delta"] == {"stop_reason": "max_tokens", "stop_sequence": None}
    assert found[-2][1]["usage"] == {"output_tokens": 3}
    assert cut.finish(True).usage.total_input == 9  # as message_start said


def test_a_response_is_incomplete_with_what_was_said():
    cut, stream = meter("responses", 3)
    found = events(cut.feed(stream))
    name, last = found[-1]
    assert (name, last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["output"][0]["content"][0]["text"] == "".join(WORDS[:3])
    assert last["response"]["usage"]["output_tokens"] == 3
    numbers = [document["sequence_number"] for _, document in found]
    assert numbers == list(range(len(numbers)))


def test_a_call_of_a_tool_is_cut_within_its_arguments():
    def event(kind, **more):
        return b"data: " + json.dumps({"type": kind, "output_index": 0, **more}).encode() + b"\n\n"

    cut, _ = meter("responses", 2)
    item = {"type": "function_call", "name": "f", "arguments": "", "status": "in_progress"}
    part = "response.function_call_arguments.delta"
    passed = cut.feed(
        event("response.output_item.added", item=item) + event(part, delta='{"a":1') + event(part, delta="1" * 9)
    )
    item = events(passed)[-2][1]["item"]
    assert (item["arguments"], item["status"]) == ('{"a":1', "incomplete")


@pytest.mark.parametrize("kind", STREAMS)
def test_an_edge_of_nothing_still_ends_well(kind):
    cut, stream = meter(kind, 0)
    passed = cut.feed(stream)
    assert text_of(kind, passed) == ""
    assert cut.finish(True).usage.output == 0
    if kind in ("chat", "text"):
        assert events(passed)[-3][1]["choices"][0]["finish_reason"] == "length"


def test_a_giant_event_can_not_hide_output():
    cut, _ = meter("chat", 5)
    assert cut.feed(b"data: " + b"x" * MOST).endswith(b"data: [DONE]\n\n")
    assert cut.ended


@pytest.mark.parametrize(
    "report", [{"input_tokens": 10**9, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 0}]
)
def test_an_input_that_can_not_be_is_not_taken_over(report):
    cut, _ = meter("messages", 1)
    for document in (
        {"type": "message_start", "message": {"model": "m", "usage": report}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "much too long"}},
    ):
        cut.feed(b"data: " + json.dumps(document).encode() + b"\n\n")
    assert cut.finish(True).usage.total_input == cut._facts.prompt_tokens
