"""Bytes of chance against both sides: refused, waited for or understood, never a fault."""

import random

import pytest

SEEDS = [
    b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5;x\r\nhello\r\n0\r\nT: v\r\n\r\n",
    b"GET http://a/ HTTP/1.0\r\nConnection: keep-alive, x\r\nCookie: a=b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: v\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
]
SPICE = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b"\t",
    b"0",
    b"-1",
    b"chunked",
    b"\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"\xff",
]


def spoiled(chance: random.Random, raw: bytes) -> bytes:
    """A message with a few bytes changed, gone, doubled or put in."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(raw) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        elif kind == 1:
            raw = raw[:at] + raw[at + chance.randrange(1, 5) :]
        elif kind == 2:
            raw = raw[:at] + chance.choice(SPICE) + raw[at:]
        else:
            raw = raw[:at] + raw[max(0, at - 9) :]
    return raw


def answer(handler, moment):
    if moment == "last":
        handler.client.respond(200, [], b"ok")


@pytest.mark.timeout(120)
def test_a_client_connection_never_fails(play, caplog):
    chance = random.Random(1)
    for _ in range(6000):
        book = play(answer)
        raw = spoiled(chance, chance.choice(SEEDS)) + chance.choice([b"", SEEDS[0]])
        book.feed(raw, by=chance.choice([0, 0, 1, 7]))
        assert all(status in (100, 200, 400, 405, 413, 414, 431, 501, 505) for status in book.statuses()), raw
        for handler in book.handlers[:-1]:
            assert handler.ends == 1, raw
        book.connection.eof_received()
        book.connection.connection_lost(None)
        assert all(handler.ends + handler.gone >= 1 for handler in book.handlers), raw
    assert not caplog.records


@pytest.mark.timeout(120)
def test_an_upstream_connection_never_fails(upstream_of, http, caplog):
    chance = random.Random(2)
    for _ in range(6000):
        book = upstream_of(http)
        _, events = book.send(chance.choice([b"GET", b"HEAD"]))
        raw = spoiled(chance, chance.choice(ANSWERS))
        book.feed(raw, by=chance.choice([0, 0, 1, 7]))
        if not events.ends and not events.failures:
            book.connection.eof_received()
            book.connection.connection_lost(None)
        assert events.ends + len(events.failures) == 1, raw
        book.pool.deadlines.close()
    assert not caplog.records


@pytest.mark.timeout(120)
def test_both_readers_come_to_the_same_end(client_of, upstream_of):
    """The whole connection, not the heads alone: same answers, same bodies, same ends."""
    chance = random.Random(3)
    for _ in range(5000):
        raw = spoiled(chance, chance.choice(SEEDS)) + chance.choice([b"", SEEDS[0]])
        by = chance.choice([0, 0, 1, 7])
        seen = [_outcome(client_of(each, answer), raw, by) for each in ("auto", "h11")]
        assert seen[0] == seen[1], raw
        raw = spoiled(chance, chance.choice(ANSWERS))
        ends = []
        for each in ("auto", "h11"):
            book = upstream_of(each)
            _, events = book.send()
            book.feed(raw, by=by)
            ends.append((events.head, events.body, events.ends, [one.kind for one in events.failures], book.idle))
        assert ends[0] == ends[1], raw


def _outcome(book, raw: bytes, by: int):
    book.feed(raw, by=by)
    told = [(each.head, each.body, each.ends, each.gone) for each in book.handlers]
    return book.statuses(), told, book.transport.closed, book.transport.half_closed
