"""What the scanner accepts, h11 reads identically: heads of both sides, by fixed seed and by hypothesis."""

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.wire.law import read_request, read_response
from aimon_local.wire.scanner import scan_request, scan_response
from aimon_local.wire.strict import Malformed

HEADS = 100_000

METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"get", b"M-SEARCH", b"G ET", b""]
TARGETS = [
    b"/", b"/a?b=c", b"/%2e%2e/a", b"//a", b"/a#b", b"*", b"http://a/b", b"a", b"/a b", b"/\xc3\xbc", b"/\x7f", b"/\"<>\\^`{|}", b"/" + b"a" * 300, b"",
]  # fmt: skip
VERSIONS = [b"HTTP/1.1"] * 12 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/1.1 ", b"HTTP/1.10"]
NAMES = [
    b"Host", b"host", b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect", b"TE", b"Trailer",
    b"Keep-Alive", b"X-A", b"X_A", b"Accept", b"Cookie", b"Set-Cookie", b"X-\x80", b"X A", b"X-A ", b" X", b"", b"Content-Length\x0b",
    b"Proxy-Connection", b"Via",
]  # fmt: skip
VALUES = [
    b"a", b"a:80", b"a, b", b"[::1]", b"u@h", b"", b"5", b"0", b"05", b"+5", b"5, 5", b"9223372036854775807", b"9223372036854775808", b"9" * 19,
    b"9" * 21, b"chunked", b"Chunked", b"chunked, chunked", b"gzip", b"close", b"Close", b"keep-alive", b"close, x", b"upgrade", b"websocket",
    b"100-continue", b"trailers", b"x y", b"x\ty", b"\xff\xa0\x85", b"x\x00y", b"x\x0by", b"x\x7fy", b"x\ry", b"x\ny", b"x\r\n y", b"a" * 300, b"\xa0",
]  # fmt: skip
GLUE = [b": "] * 8 + [b":", b":\t", b" :", b":  ", b"", b":\x0b"]
ENDS = [b"\r\n"] * 30 + [b"\n", b"\r", b"\r\r\n"]
PADS = [b""] * 6 + [b" ", b" \t", b"\x0b", b"\x0c"]
REASONS = [b" OK", b" Not \xff Found", b"", b" ", b" a\tb", b"OK", b" a\x00", b" a\x0b"]


def lines(chance: random.Random) -> bytes:
    count = chance.choice([0, 1, 1, 2, 3, 4])
    return b"".join(
        chance.choice(ENDS) + chance.choice(NAMES) + chance.choice(GLUE) + chance.choice(VALUES) + chance.choice(PADS)
        for _ in range(count)
    )


def sane_lines(chance: random.Random) -> bytes:
    """Fields that make a good head more often."""
    good = [b"Accept: */*", b"X-A:b", b"Content-Length: 12", b"Connection: keep-alive", b"Transfer-Encoding: chunked"]
    picked = chance.sample(good, chance.randrange(4))
    return b"".join(b"\r\n" + each for each in [b"Host: a", *picked])


def fields(chance: random.Random) -> bytes:
    """Good ones, odd ones, or both."""
    kind = chance.random()
    if kind < 0.5:
        return sane_lines(chance)
    return (sane_lines(chance) if kind < 0.8 else b"") + lines(chance)


def request(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        first = b" ".join((chance.choice(METHODS[:6]), chance.choice(TARGETS[:4]), b"HTTP/1.1"))
    else:
        first = b" ".join((chance.choice(METHODS), chance.choice(TARGETS), chance.choice(VERSIONS)))
    return mutated(chance, first + fields(chance))


def response(chance: random.Random) -> bytes:
    status = b"%d" % chance.choice([200, 200, 200, 204, 304, 404, 500, 100, 101, 103, 99, 999, 2000])
    first = chance.choice(VERSIONS) + b" " + status + chance.choice(REASONS)
    return mutated(chance, first + fields(chance))


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """Sometimes one byte other than it was."""
    if raw and chance.random() < 0.2:
        at = chance.randrange(len(raw))
        raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + chance.randrange(2) :]
    return raw.replace(b"\r\n\r\n", b"\r\n")


def agree_on_request(raw: bytes) -> bool:
    found = scan_request(raw)
    if found is not None:
        assert read_request(raw) == found, raw
    return found is not None


def agree_on_response(raw: bytes, method: bytes) -> bool:
    found = scan_response(raw, method)
    if found is not None:
        assert read_response(raw, method) == found, raw
    return found is not None


@pytest.mark.timeout(180)
def test_requests_by_a_fixed_seed():
    chance = random.Random(9112)
    accepted = sum(agree_on_request(request(chance)) for _ in range(HEADS))
    assert accepted > HEADS // 6  # the comparison compares something


@pytest.mark.timeout(180)
def test_answers_by_a_fixed_seed():
    chance = random.Random(9110)
    methods = [b"GET", b"HEAD", b"POST"]
    accepted = sum(agree_on_response(response(chance), chance.choice(methods)) for _ in range(HEADS))
    assert accepted > HEADS // 10


@pytest.mark.timeout(180)
def test_the_law_refuses_or_reads_and_never_fails():
    chance = random.Random(5)
    for _ in range(HEADS // 5):
        with suppress(Malformed):  # anything else fails the test
            read_request(request(chance))
        with suppress(Malformed):
            read_response(response(chance), b"GET")


TOKENS = st.sampled_from(
    [*NAMES, *VALUES, *GLUE, *TARGETS, *METHODS, b"\r\n", b"\r\n", b" ", b"HTTP/1.1", b"\r\nHost: a"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=12), st.binary(max_size=20))
def test_requests_by_hypothesis(parts, tail):
    agree_on_request(b"".join((b"GET / HTTP/1.1\r\nHost: a", *parts)).replace(b"\r\n\r\n", b"\r\n"))
    agree_on_request((b"GET / HTTP/1.1\r\nHost: a\r\nX: " + tail).replace(b"\r\n\r\n", b"\r\n"))
    agree_on_request(b"".join(parts).replace(b"\r\n\r\n", b"\r\n"))


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=12), st.binary(max_size=20))
def test_answers_by_hypothesis(parts, tail):
    agree_on_response(b"".join((b"HTTP/1.1 200 OK\r\nA: b", *parts)).replace(b"\r\n\r\n", b"\r\n"), b"GET")
    agree_on_response((b"HTTP/1.1 200 " + tail).replace(b"\r\n\r\n", b"\r\n"), b"GET")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: a",
        b"POST /v1/chat?x=y HTTP/1.1\r\nHost: a:80\r\nContent-Length: 400\r\nAuthorization: Bearer k\r\nAccept: */*",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive",
    ],
)
def test_plain_requests_take_the_fast_path(raw):
    assert scan_request(raw) is not None


def test_plain_answers_take_the_fast_path():
    assert (
        scan_response(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nConnection: keep-alive", b"GET")
        is not None
    )
    assert scan_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"GET") is not None
    assert scan_response(b"HTTP/1.1 204 No Content", b"GET") is not None


@pytest.mark.parametrize(
    "value", [b"0f-9a", b"", b" a", b"a ", b"-", b"a\x00", b"a\xff", b"\xc2\xb2", b"a: b", b"a" * 300]
)
def test_a_known_name_changes_nothing(value):
    """A name that has been seen lets plain ids and numbers pass unread; every other value is read as the first was."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Known-%d: "
    known = (head + b"seen") % len(value)
    assert scan_request(known) is not None
    agree_on_request(head % len(value) + value)
    assert scan_request(known) is not None
