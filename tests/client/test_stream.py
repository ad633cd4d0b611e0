"""Attached to a gateway: snapshots, events, gaps, and a gateway that goes and comes back."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.client.admin import AdminClient, AdminError
from aimon_local.client.stream import PAUSES, Attached, Frames, Lost, Stream, Told
from tests.support.live import until


class Played:
    """A gateway that says what a test lets it say: a snapshot, then a stream of blocks per connection."""

    def __init__(self):
        self.streams, self.snapshots, self.status, self.asked = [], 0, 200, []
        self.chunked = False
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == "/snapshot":
                    played.snapshots += 1
                    body = json.dumps({"number": played.snapshots * 100}).encode()
                    self.send_response(played.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                played.asked.append(self.headers["Last-Event-ID"])
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked") if played.chunked else None
                self.send_header("Connection", "close")
                self.end_headers()
                for piece in played.streams.pop(0) if played.streams else ():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if played.chunked else piece)
                    self.wfile.flush()
                if not played.streams:
                    played.held.wait(10)
                self.close_connection = True

            def log_message(self, *arguments):
                pass

        self.held = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def played():
    made = Played()
    yield made
    made.close()


@pytest.fixture
def attach(played):
    """Attach; what was taken is in the list."""
    streams = []

    def start():
        taken = []
        streams.append(Stream(AdminClient(played.url), taken.append))
        streams[-1].start()
        return taken, streams[-1]

    yield start
    for stream in streams:
        stream.stop()


def block(number, kind, **data):
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def test_events_in_any_pieces(played, attach):
    whole = b"retry: 1000\n\n" + block(101, "request", a="é") + b": alive\nid: 102\n\n" + block(103, "config")
    played.streams = [[whole[at : at + 7] for at in range(0, len(whole), 7)]]
    taken, _ = attach()
    until(lambda: sum(len(each.events) for each in taken if isinstance(each, Told)) == 2)
    assert taken[0] == Attached({"number": 100})
    assert [event for each in taken[1:] for event in each.events] == [(101, "request", {"a": "é"}), (103, "config", {})]
    assert played.asked == ["100"]


def test_a_chunk_per_event_comes_in_few_pieces(played, attach):
    """The gateway sends each commit as a chunk; hundreds a second must not be read one by one."""
    played.chunked = True
    played.streams = [[block(101 + at, "request", at=at) for at in range(600)]]
    taken, _ = attach()
    until(lambda: taken and isinstance(taken[-1], Told) and taken[-1].events[-1][0] == 700)
    assert sum(len(each.events) for each in taken[1:]) == 600
    assert len(taken) < 200


def test_a_gap_asks_for_a_snapshot(played, attach):
    played.streams = [[block(150, "gap", missed=3)], [block(201, "request")]]
    taken, _ = attach()
    until(lambda: len(taken) == 4)
    assert [type(each) for each in taken] == [Attached, Told, Attached, Told]
    assert played.asked == ["100", "200"]


def test_a_broken_stream_is_taken_up_again(played, attach):
    played.streams = [[block(101, "request")], [block(201, "request")]]
    played.streams.insert(1, [])
    taken, _ = attach()
    until(lambda: [each for each in taken if isinstance(each, Told) and each.events[0][0] == 201])
    lost = [each for each in taken if isinstance(each, Lost)]
    assert lost[0].seconds == PAUSES[0]
    assert "ended the stream" in lost[0].why


def test_a_refusal_is_said_with_growing_pauses(played, attach):
    played.status = 401
    taken, _ = attach()
    until(lambda: len(taken) >= 2)
    assert [each.refused for each in taken[:2]] == [True, True]
    assert [each.seconds for each in taken[:2]] == list(PAUSES[:2])


def test_again_takes_a_new_snapshot_without_a_word(played, attach):
    taken, stream = attach()
    until(lambda: played.asked)
    stream.again()
    until(lambda: len(taken) == 2)
    assert taken == [Attached({"number": 100}), Attached({"number": 200})]


def test_nobody_there(attach, played):
    stream_url = played.url
    played.url = "http://127.0.0.1:1"
    taken, stream = attach()
    until(lambda: taken)
    played.url = stream_url
    assert (taken[0].refused, taken[0].tries) == (False, 1)
    assert "no gateway answers" in taken[0].why
    stream.stop()


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(1, 9), min_size=1, max_size=50))
def test_chunks_in_any_pieces(chunks, sizes):
    raw = b"".join(b"%x;a=b\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    frames, out, at, turn = Frames(), b"", 0, 0
    while at < len(raw):
        size = sizes[turn % len(sizes)]
        out += frames.data(raw[at : at + size])
        at, turn = at + size, turn + 1
    assert out == b"".join(chunks)
    assert frames.over


def test_what_is_no_chunk():
    with pytest.raises(AdminError, match="broken"):
        Frames().data(b"hello\r\n")
