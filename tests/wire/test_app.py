"""The asynchronous adapter on loopback."""

import asyncio

import pytest

from aimon_local.clock import ManualClock
from aimon_local.wire.app import Cut, Request, Response, serve_app
from aimon_local.wire.limits import Limits
from tests.support.peers import leave


async def ask(port: int, raw: bytes, *, whole: bool = True) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b"RESET"
    finally:
        await leave(writer)


def get(path: str, *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: a", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


def served(app, raw: bytes, **options) -> bytes:
    async def run() -> bytes:
        listener = await serve_app(app, "127.0.0.1", 0, clock=ManualClock(), **options)
        try:
            return await ask(listener.port, raw)
        finally:
            await listener.close()

    return asyncio.run(run())


def test_a_request_as_the_app_sees_it(http):
    seen: list[Request] = []

    async def app(request):
        seen.append(request)
        return Response(201, b"made", [("X-A", "1"), ("X-A", "2"), ("Content-Length", "99")], "Made")

    raw = get("/a%20b?c=d&e", "X-Thing: one", "x-thing: two", method="POST", body=b"body")
    answer = served(app, raw, http=http)
    assert answer == (
        b"HTTP/1.1 201 Made\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmade"
    )
    (request,) = seen
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a%20b", "c=d&e", b"body")
    assert (request.peer, request.host, request.http11) == ("127.0.0.1", "a", True)
    assert (request.get("X-THING"), request.get("none"), request.get_all("x-thing")) == ("one", None, ["one", "two"])
    assert ("X-Thing", "one") in request.fields


async def counted(number: int):
    for each in range(number):
        yield b"%d" % each


def test_an_iterator_is_chunked_and_head_runs_none_of_it(http):
    async def app(request):
        return Response(200, counted(3))

    assert served(app, get("/"), http=http).endswith(b"\r\n\r\n1\r\n0\r\n1\r\n1\r\n1\r\n2\r\n0\r\n\r\n")
    assert served(app, get("/", method="HEAD"), http=http).endswith(b"Connection: close\r\n\r\n")


def test_head_keeps_the_declared_length():
    async def app(request):
        return Response(200, counted(3), [("Content-Length", "3")])

    answer = served(app, get("/", method="HEAD"))
    assert b"Content-Length: 3\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
    assert served(app, get("/")).endswith(b"\r\n\r\n012")


def test_a_failing_app_is_a_500_logged_once(caplog):
    async def app(request):
        raise ValueError("no")

    answer = served(app, get("/"))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b'{"message": "An unexpected error occurred"}')
    assert len(caplog.records) == 1


@pytest.mark.parametrize("lines", [(), ("Transfer-Encoding: chunked",)])
def test_a_body_over_the_bound_is_413(lines):
    async def app(request):
        raise AssertionError

    if lines:
        raw = get("/", *lines, method="POST") + b"b\r\n01234567890\r\n0\r\n\r\n"
    else:
        raw = get("/", method="POST", body=b"01234567890")
    assert served(app, raw, limits=Limits(max_body=10)).startswith(b"HTTP/1.1 413 ")


def test_cuts_are_visible():
    async def part():
        yield b"part"
        raise Cut

    async def app(request):
        if request.path == "/mid":
            return Response(200, part())
        raise Cut(b"HTTP/1.1 garbage\r\n" if request.path == "/raw" else b"")

    middle = served(app, get("/mid"))
    assert middle.endswith(b"4\r\npart\r\n")
    assert served(app, get("/raw")) == b"HTTP/1.1 garbage\r\n"
    assert served(app, get("/none")) == b""


def test_a_body_can_be_streamed_with_backpressure(http):
    async def app(request):
        size = 0
        async for data in request.chunks:
            size += len(data)
        return Response(200, b"%d" % size)

    raw = get("/", method="POST", body=b"x" * 3_000_000)
    answer = served(app, raw, http=http, streams=lambda request: True, limits=Limits(max_body=10))
    assert answer.endswith(b"3000000")


def test_the_app_hears_when_its_client_goes_and_the_stream_is_ended():
    closed = asyncio.Event()
    gone: list[bool] = []

    async def endless(request):
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.001)
        finally:
            closed.set()
            gone.append(request.disconnected.is_set())

    async def app(request):
        return Response(200, endless(request))

    async def run() -> None:
        listener = await serve_app(app, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(get("/"))
        await reader.readuntil(b"x")
        writer.transport.abort()
        await asyncio.wait_for(closed.wait(), 5)
        await listener.close()

    asyncio.run(run())
    assert gone == [True]
