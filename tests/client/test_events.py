"""Reading events: parsed whatever comes, and taken up again where a connection broke."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.client.admin import AdminClient, AdminError
from aimon_local.client.events import Told, follow, parsed
from tests.support.live import Upstream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(number, kind="request"):
    return b'id: %d\nevent: %b\ndata: {"n":%d}\n\n' % (number, kind.encode(), number)


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def told(number, kind="request"):
    return Told(number, kind, {"n": number})


def test_events_comments_and_numbers_alone():
    raw = b"retry: 1000\n\n" + event(1) + b": alive\nid: 5\n\n" + event(6, "gap")
    assert list(parsed(raw.splitlines(keepends=True))) == [told(1), Told(5, "", {}), told(6, "gap")]


@given(st.lists(st.integers(1, 10**18), max_size=5), st.data())
def test_a_cut_gives_whole_events_only(numbers, data):
    raw = b"".join(event(number) for number in numbers)
    cut = data.draw(st.integers(0, len(raw)))
    found = list(parsed(raw[:cut].splitlines(keepends=True)))
    assert found == [told(number) for number in numbers][: len(found)]
    assert raw[:cut].startswith(b"".join(event(each.number) for each in found))


def test_a_broken_stream_is_taken_up_where_it_broke():
    streams = [
        (HEAD + chunk(event(1)) + chunk(event(2)[:-9]), False),  # cut in the middle of an event
        (HEAD + chunk(b": alive\nid: 7\n\n"), False),  # 2 to 7 were not asked for
        (HEAD + chunk(event(8)) + b"0\r\n\r\n", True),  # the gateway ends
        (HEAD + chunk(event(9)), True),
    ]
    asked = []

    def script(visit):
        asked.append((visit.target, visit.field(b"last-event-id")))
        raw, whole = streams.pop(0)
        visit.send(raw)
        if not whole:
            visit.wire.socket.shutdown(2)

    said, paused, found = [], [], []
    with Upstream(script) as upstream:
        listener = follow(AdminClient(upstream.url), "request,gap", None, said.append, paused.append)
        found += [next(listener) for _ in range(3)]
        listener.close()
    assert found == [told(1), told(8), told(9)]
    assert asked == [("/events?kinds=request%2Cgap", number) for number in (b"", b"1", b"7", b"8")]
    assert [line.rpartition("; ")[2] for line in said] == ["trying again", "connected again"] * 3
    assert len(paused) == 3


def test_a_refusal_is_not_tried_again():
    def script(visit):
        body = b'{"message": "kinds must be some of them"}'
        visit.send(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with Upstream(script) as upstream, pytest.raises(AdminError, match="kinds must be"):
        next(follow(AdminClient(upstream.url), "x", None, pytest.fail, pytest.fail))


def test_nobody_there_is_told_at_once():
    with pytest.raises(AdminError, match="no gateway answers"):
        next(follow(AdminClient("http://127.0.0.1:1"), None, 3, pytest.fail, pytest.fail))
