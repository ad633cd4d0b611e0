"""A listener on loopback, and its end."""

import asyncio

import pytest

from aimon_local.wire.app import Request, Response, serve_app
from aimon_local.wire.limits import Limits
from aimon_local.wire.server import listen
from tests.support.peers import leave, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def connect(port: int):
    return await asyncio.open_connection("127.0.0.1", port)


def served(play, app=None, **options) -> None:
    async def plain(request: Request) -> Response:
        return Response(200, request.path.encode())

    async def run() -> None:
        listener = await serve_app(app or plain, "127.0.0.1", 0, **options)
        try:
            await play(listener)
        finally:
            await listener.close()

    asyncio.run(run())


def test_a_taken_port_is_an_error():
    async def play(listener):
        with pytest.raises(OSError, match="address already in use"):
            await listen(lambda client: None, "127.0.0.1", listener.port)

    served(play)


def test_an_unknown_reader_is_an_error():
    async def play(listener):
        with pytest.raises(ValueError, match="auto or h11"):
            await listen(lambda client: None, "127.0.0.1", 0, http="h2")

    served(play)


def test_a_drain_finishes_what_runs_closes_what_idles_and_refuses_the_new(http):
    gate = asyncio.Event()

    async def app(request):
        if request.path == "/slow":
            await gate.wait()
        return Response(200, b"done")

    async def play(listener):
        idle_reader, idle = await connect(listener.port)
        idle.write(GET)
        await idle_reader.readuntil(b"done")
        busy_reader, busy = await connect(listener.port)
        busy.write(GET.replace(b"/ ", b"/slow "))
        await until(lambda: not (listener.activity()["writing"] < 1))
        draining = asyncio.ensure_future(listener.drain(5))
        assert await asyncio.wait_for(idle_reader.read(), 2) == b""
        with pytest.raises(ConnectionError):
            await connect(listener.port)
        assert not draining.done()
        gate.set()
        answer = await asyncio.wait_for(busy_reader.read(), 2)
        assert answer.endswith(b"done")
        assert b"Connection: close" in answer
        await leave(busy)
        await leave(idle)
        assert await asyncio.wait_for(draining, 3) == 0

    served(play, app, http=http)


def test_a_drain_ends_in_time_and_says_what_it_cut():
    async def app(request):
        await asyncio.Event().wait()

    async def play(listener):
        reader, writer = await connect(listener.port)
        writer.write(GET)
        await until(lambda: not (listener.activity()["writing"] < 1))
        assert await asyncio.wait_for(listener.drain(0.05), 2) == 1
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        await leave(writer)

    served(play, app)


def test_a_refusal_arrives_although_the_client_goes_on_sending(http):
    async def play(listener):
        reader, writer = await connect(listener.port)
        writer.write(b"GET / HTTP/1.1\r\nBad Name: x\r\nHost: a\r\n\r\n" + b"x" * 100_000)
        await asyncio.sleep(0.01)
        writer.write(b"x" * 100_000)
        answer = await asyncio.wait_for(reader.read(), 3)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b'{"message": "Bad request"}')
        await leave(writer)

    served(play, http=http)


def test_over_the_cap_is_503_and_the_others_go_on():
    async def play(listener):
        reader, writer = await connect(listener.port)
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n/")
        more_reader, more = await connect(listener.port)
        assert b" 503 " in await asyncio.wait_for(more_reader.read(), 3)
        writer.write(GET)
        assert b" 200 " in await reader.readuntil(b"\r\n")
        assert (listener.counts.accepted, listener.counts.handled, listener.counts.requests) == (2, 1, 2)
        await leave(more)
        await leave(writer)

    served(play, limits=Limits(connections=1))


def test_activity_in_kongs_words():
    async def play(listener):
        assert listener.activity() == {"active": 0, "reading": 0, "writing": 0, "waiting": 0}
        reader, writer = await connect(listener.port)
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n/")
        assert listener.activity() == {"active": 1, "reading": 0, "writing": 0, "waiting": 1}
        writer.write(GET[:9])
        await until(lambda: listener.activity()["reading"] == 1)
        await leave(writer)
        await until(lambda: not (listener.activity()["active"]))

    served(play)


def test_a_drain_drops_nothing_that_the_kernel_had_accepted(http):
    """Clients that connected and asked just before the stop get their answers."""

    async def play(listener):
        clients = [await connect(listener.port) for _ in range(20)]
        for _, writer in clients:
            writer.write(GET)
        late = [asyncio.ensure_future(reader.read()) for reader, _ in clients]
        assert await listener.drain(5) == 0
        answers = await asyncio.wait_for(asyncio.gather(*late), 5)
        assert all(each.endswith(b"\r\n\r\n/") for each in answers)
        for _, writer in clients:
            await leave(writer)

    served(play, http=http)
