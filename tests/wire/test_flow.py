"""Both sides of the wire together, through the bare pass-through: streams, tunnels, cuts, memory."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.bench import passthrough
from tests.support.peers import ScriptedUpstream, leave, until

MIB = 1 << 20
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def played(script, play, http: str) -> None:
    """Run ``play(proxy's port, upstream, pool)``."""

    async def run() -> None:
        async with ScriptedUpstream(script) as upstream:
            listener, pool = await passthrough.serve(0, upstream.port, http)
            try:
                await play(listener.port, upstream, pool)
            finally:
                await listener.close()
                await pool.close()

    asyncio.run(run())


async def connect(port: int):
    return await asyncio.open_connection("127.0.0.1", port)


async def wait(awaitable):
    return await asyncio.wait_for(awaitable, 10)


def test_events_pass_one_by_one(http):
    step = asyncio.Event()

    async def script(visit):
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            await step.wait()
            step.clear()
            await visit.send(b"9\r\ndata: %d\n\n\r\n" % number)
        await visit.send(b"0\r\n\r\n")

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(GET)
        assert b"text/event-stream" in await wait(reader.readuntil(b"\r\n\r\n"))
        for number in range(3):
            step.set()
            assert await wait(reader.readexactly(14)) == b"9\r\ndata: %d\n\n\r\n" % number
        assert await wait(reader.readexactly(5)) == b"0\r\n\r\n"
        await until(lambda: pool.counts()["idle"] == 1)
        await leave(writer)

    played(script, play, http)


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked", b"X: y"])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_cut_answer_never_looks_whole(http, framing, version):
    async def script(visit):
        await visit.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n5\r\nhello\r\n")
        await asyncio.sleep(0.02)
        visit.reset()

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
        try:
            answer = await wait(reader.read())
        except ConnectionError:
            answer = b"reset"
        framed = b"Content-Length: 100" in answer or b"Transfer-Encoding: chunked" in answer
        assert answer == b"reset" or (framed and not answer.endswith(b"0\r\n\r\n"))
        await leave(writer)

    played(script, play, http)


def test_a_client_that_leaves_takes_its_upstream_along(http):
    gone = asyncio.Event()

    async def script(visit):
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                await visit.send(b"1\r\nx\r\n")
                await asyncio.sleep(0.002)
        finally:
            gone.set()

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(GET)
        await wait(reader.readuntil(b"x"))
        writer.transport.abort()
        await wait(gone.wait())
        await until(lambda: pool.counts()["open"] == 0)

    played(script, play, http)


@pytest.mark.parametrize("leaving", ["eof", "reset", "bad chunk"])
def test_an_upload_that_is_not_completed_is_not_complete_upstream(http, leaving):
    bodies: list[bytes] = []

    async def script(visit):
        bodies.append(await visit.reader.read())

    async def play(port, upstream, pool):
        _, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            writer.write(b"40000\r\n" + b"x" * 0x40000 + b"\r\n")
        await until(lambda: upstream.requests)
        if leaving == "eof":
            writer.write_eof()
        elif leaving == "reset":
            writer.transport.abort()
        else:
            writer.write(b"zz\r\n")
        await until(lambda: bodies)
        assert not bodies[0].endswith(b"0\r\n\r\n")
        await leave(writer)

    played(script, play, http)


def test_an_early_answer_reaches_a_client_that_still_uploads(http):
    async def script(visit):
        await visit.answer(b"enough", b"Connection: close")
        await visit.reader.read()

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100_000)
        assert (await wait(reader.readuntil(b"enough"))).startswith(b"HTTP/1.1 200 OK")
        await leave(writer)

    played(script, play, http)


def test_a_tunnel_passes_both_ways_with_backpressure_and_half_close(http):
    async def script(visit):
        assert b"Upgrade: websocket\r\n" in visit.head
        assert b"Connection: upgrade\r\n" in visit.head
        await visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
        received = await visit.reader.read()
        await visit.send(received[::-1])
        visit.writer.close()

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        head = await wait(reader.readuntil(b"\r\n\r\n"))
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Upgrade: websocket\r\n" in head
        assert await wait(reader.readexactly(5)) == b"hello"
        data = os.urandom(3 * MIB)
        writer.write(data)
        writer.write_eof()
        assert await wait(reader.read()) == data[::-1]
        await leave(writer)
        await until(lambda: pool.counts()["open"] == 0)

    played(script, play, http)


def test_a_stalled_reader_stalls_the_upstream_and_nobody_else(http):
    taken = [0]

    async def script(visit):
        if b"GET /quick" in visit.head:
            await visit.answer()
            return
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        for _ in range(64 * 16):
            await visit.send(b"x" * (MIB // 16))
            taken[0] += MIB // 16

    async def play(port, upstream, pool):
        reader, writer = await connect(port)
        writer.write(GET)
        await wait(reader.readuntil(b"\r\n\r\n"))
        before = -1
        while taken[0] != before:
            before = taken[0]
            await asyncio.sleep(0.1)
        assert taken[0] < 24 * MIB
        quick_reader, quick = await connect(port)
        quick.write(GET.replace(b"/ ", b"/quick "))
        await wait(quick_reader.readuntil(b"ok"))
        await leave(quick)
        size = 0
        while size < 64 * MIB:
            size += len(await wait(reader.read(MIB)))
        await leave(writer)

    played(script, play, http)


def _resident(pid: int) -> int:
    """Peak resident memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_is_bounded_by_connections_not_by_bodies(http):
    size = 160 * MIB
    piece = b"x" * (MIB // 4)

    async def script(visit):
        if b"POST" not in visit.head:
            await visit.answer(b"ready")
            return
        left = size
        while left:
            left -= len(await visit.reader.read(min(left, MIB)))
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(piece)):
            await visit.send(piece)

    async def run() -> None:
        async with ScriptedUpstream(script) as upstream:
            command = [sys.executable, passthrough.__file__, "--upstream", str(upstream.port), "--http", http]
            child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            assert child.stdout is not None
            port = int((await child.stdout.readline()).split()[-1])
            reader, writer = await connect(port)
            writer.write(GET)
            await wait(reader.readuntil(b"ready"))
            base = _resident(child.pid)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(piece)):
                writer.write(piece)
                await writer.drain()
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            left = size
            while left:
                left -= len(await wait(reader.read(MIB)))
            assert _resident(child.pid) - base < 24 * MIB
            await leave(writer)
            child.send_signal(signal.SIGTERM)
            assert await wait(child.wait()) == 0

    asyncio.run(run())
