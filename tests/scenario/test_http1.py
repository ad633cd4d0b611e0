"""The load's client against bytes: lengths, chunks, ends, cuts, in any pieces."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.scenario.http1 import Patience, Pool, request_bytes

ANSWERS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", b"hello"),
    "none": (b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n", b""),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n yo\r\n0\r\nT: 1\r\n\r\n",
        b"hello yo",
    ),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", b""),
}

STAY = Patience()


class Pipe:
    """A transport in memory: what is written is answered in pieces."""

    def __init__(self, protocol, answer, cuts, closes):
        self.protocol, self.answer, self.cuts, self.closes, self.aborted = protocol, answer, cuts, closes, False
        self.loop = asyncio.get_running_loop()

    def write(self, data):
        edges = [0, *sorted(cut for cut in self.cuts if cut < len(self.answer)), len(self.answer)]
        for start, end in pairwise(edges):
            if end > start:
                self.loop.call_soon(self._give, self.answer[start:end])
        if self.closes:
            self.loop.call_soon(self.protocol.connection_lost, None)

    def _give(self, data):
        if not self.aborted:
            self.protocol.data_received(data)

    def abort(self):
        self.aborted = True

    close = abort


def ask(answer, cuts=(), closes=False, times=1, patience=STAY, head_only=False):
    """The answers, and how many connections were opened."""
    opened = []

    async def connect(factory, host, port):
        protocol = factory()
        opened.append(Pipe(protocol, answer, cuts, closes))
        protocol.connection_made(opened[-1])
        return opened[-1], protocol

    async def main():
        pool = Pool(("127.0.0.1", 1), connect)
        out = [await pool.send(b"GET / HTTP/1.1\r\n\r\n", head_only, patience) for _ in range(times)]
        pool.close()
        return out

    return asyncio.run(main()), len(opened)


@settings(max_examples=60)
@given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(1, 100)))
def test_answers_in_any_pieces(kind, cuts):
    answer, body = ANSWERS[kind]
    (found, again), opened = ask(answer, cuts, times=2)
    assert (found.body, found.error, found.size) == (body, "", len(body))
    assert (again.body, opened) == (body, 1)
    assert found.first_byte >= found.sent


def test_a_body_to_the_end_of_the_connection():
    (found,), _ = ask(b"HTTP/1.1 200 OK\r\n\r\nall of it", closes=True)
    assert (found.body, found.error) == (b"all of it", "")


def test_connection_close_opens_another():
    found, opened = ask(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", times=2)
    assert [each.error for each in found] == ["", ""]
    assert opened == 2


@pytest.mark.parametrize(
    ("answer", "closes", "patience", "error", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", True, Patience(), "reset", 200),
        (b"", True, Patience(), "reset", 0),
        (b"", False, Patience(timeout=0.01), "timeout", 0),
        (b"", False, Patience(leave_after=0.01), "left", 0),
        (b"HTTP/1.1 what\r\n\r\n", False, Patience(), "protocol", 0),
        (ANSWERS["chunks"][0], False, Patience(leave_after_chunks=1), "left", 200),
    ],
)
def test_what_goes_wrong_is_said(answer, closes, patience, error, status):
    (found,), _ = ask(answer, closes=closes, patience=patience)
    assert (found.error, found.status) == (error, status)


def test_nobody_there():
    async def connect(factory, host, port):
        raise ConnectionRefusedError

    async def main():
        return await Pool(("127.0.0.1", 1), connect).send(b"")

    assert asyncio.run(main()).error == "connect"


def test_a_head_has_no_body():
    (found,), _ = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head_only=True)
    assert (found.status, found.body) == (200, b"")


def test_traffic_is_data():
    assert request_bytes("POST", "/a", "h:1", (("X", "é"),), b"x").endswith(
        b"X: \xc3\xa9\r\nContent-Length: 1\r\n\r\nx"
    )
    for path, value in (("/a b", "x"), ("/a", "x\r\nEvil: 1"), ("/a\nb", "x")):
        with pytest.raises(ValueError, match="line break"):
            request_bytes("GET", path, "h", (("X", value),))
