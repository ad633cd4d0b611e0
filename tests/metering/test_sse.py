"""Server-sent events: whatever the split, the same events; nothing is changed or lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.metering.sse import MOST, Event, Splitter, parse

STREAM = (
    b'data: {"a":1}\n\n: a comment\n\nevent: ping\ndata: x\ndata: y\n\nid: 7\r\ndata:{"b":2}\r\n\r\ndata: [DONE]\n\n'
)
EVENTS = [
    Event("message", b'{"a":1}'),
    Event("message", b""),
    Event("ping", b"x\ny"),
    Event("message", b'{"b":2}'),
    Event("message", b"[DONE]"),
]


def feed(parts):
    splitter, raw = Splitter(), []
    for part in parts:
        raw += splitter.feed(part)
    return raw, splitter.rest()


def test_events_of_a_stream():
    raw, rest = feed([STREAM])
    assert [parse(event) for event in raw] == EVENTS
    assert b"".join(raw) + rest == STREAM


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_split_gives_the_same_events(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    raw, rest = feed([STREAM[a:b] for a, b in itertools.pairwise(edges)])
    assert [parse(event) for event in raw] == EVENTS
    assert rest == b""


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"\r", b"\n", b"\r\n", b"data: x"]), max_size=30))
def test_no_byte_is_lost_or_changed(parts):
    raw, rest = feed(parts)
    assert b"".join(raw) + rest == b"".join(parts)


@given(st.text(alphabet="ab:\r\n", max_size=40), st.integers(0, 40))
def test_two_splits_agree(text, cut):
    data = text.encode()
    whole, rest = feed([data])
    halves, tail = feed([data[:cut], data[cut:]])
    assert (whole, rest) == (halves, tail)


def test_a_giant_event_is_passed_on_unread():
    splitter = Splitter()
    giant = b"data: " + b"x" * MOST
    assert splitter.feed(giant) == [giant]
    assert splitter.overflow


def test_an_event_without_its_end_is_the_rest():
    splitter = Splitter()
    assert splitter.feed(b"data: half") == []
    assert parse(splitter.rest()) == Event("message", b"half")
