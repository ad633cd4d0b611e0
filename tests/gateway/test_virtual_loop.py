"""The loop in virtual time, and its connections: the order of things, the pace, and how they end."""

import asyncio
import time

import pytest

from aimon_local.gateway.virtual import run_virtual
from aimon_local.gateway.virtual_loop import Stuck


class Notes(asyncio.Protocol):
    def __init__(self, keep_open=False):
        self.said, self.data, self.keep_open = [], b"", keep_open

    def connection_made(self, transport):
        self.transport = transport
        self.said.append("made")

    def data_received(self, data):
        self.data += data
        self.said.append("data")

    def eof_received(self):
        self.said.append("eof")
        return self.keep_open

    def pause_writing(self):
        self.said.append("pause")

    def resume_writing(self):
        self.said.append("resume")

    def connection_lost(self, exc):
        self.said.append("lost" if exc is None else type(exc).__name__)


async def pair(**options):
    loop, served = asyncio.get_running_loop(), []

    def factory():
        served.append(Notes(**options))
        return served[-1]

    server = await loop.create_server(factory, "127.0.0.1", 0)
    _, client = await loop.create_connection(Notes, *server.sockets[0].getsockname())
    return client, served[0]


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_year_of_timers_passes_at_once_and_in_order():
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        begin = loop.time()
        for days in (365, 1, 30):
            loop.call_later(days * 86_400, seen.append, days)
        await asyncio.sleep(366 * 86_400)
        return seen, loop.time() - begin

    began = time.monotonic()
    seen, seconds = run_virtual(main)
    assert seen == [1, 30, 365]
    assert seconds == pytest.approx(366 * 86_400)
    assert time.monotonic() - began < 10


def test_threads_are_done_on_the_spot_while_time_stands():
    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        made = await asyncio.to_thread(lambda: 7)
        with pytest.raises(KeyError):
            await asyncio.to_thread({}.__getitem__, "x")
        return made, loop.time() - began

    assert run_virtual(main) == (7, 0)


def test_waiting_for_nothing_is_an_error_and_no_hang():
    async def main():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run_virtual(main)


def test_bytes_go_both_ways_and_a_close_comes_after_them():
    async def main():
        client, server = await pair()
        client.transport.write(b"ask")
        await turns()
        server.transport.write(b"ans")
        server.transport.write(b"wer")
        server.transport.close()
        server.transport.write(b"too late")
        await turns()
        assert client.transport.is_closing()
        return client, server

    client, server = run_virtual(main)
    assert (server.data, client.data) == (b"ask", b"answer")
    assert client.said == ["made", "data", "eof", "lost"]
    assert server.said == ["made", "data", "lost"]


def test_a_reader_that_pauses_holds_up_the_writer():
    async def main():
        client, server = await pair()
        server.transport.pause_reading()
        for _ in range(16):
            client.transport.write(bytes(16 * 1024))
        await turns()
        assert server.data == b""
        assert "pause" in client.said
        assert client.transport.get_write_buffer_size() > 0
        server.transport.resume_reading()
        await turns()
        return client, server

    client, server = run_virtual(main)
    assert len(server.data) == 16 * 16 * 1024
    assert client.said == ["made", "pause", "resume"]


def test_half_a_close_leaves_the_other_half():
    async def main():
        client, server = await pair(keep_open=True)
        client.transport.write(b"all")
        client.transport.write_eof()
        await turns()
        server.transport.write(b"heard")
        await turns()
        return client, server

    client, server = run_virtual(main)
    assert server.said == ["made", "data", "eof"]
    assert client.data == b"heard"


def test_who_writes_to_one_that_is_gone_is_told():
    async def main():
        client, server = await pair(keep_open=True)
        client.transport.abort()
        await turns()
        server.transport.write(b"anybody?")
        await turns()
        return client, server

    client, server = run_virtual(main)
    assert client.said == ["made", "lost"]
    assert server.said == ["made", "eof", "ConnectionResetError"]


@pytest.mark.parametrize(("host", "kind"), [("127.0.0.1", ConnectionRefusedError), ("elsewhere.test", OSError)])
def test_where_nobody_listens(host, kind):
    async def main():
        await asyncio.get_running_loop().create_connection(Notes, host, 9)

    with pytest.raises(kind):
        run_virtual(main)


def test_a_port_is_taken_once_and_free_again():
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Notes, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OSError, match="taken"):
            await loop.create_server(Notes, "127.0.0.1", port)
        server.close()
        await loop.create_server(Notes, "127.0.0.1", port)

    run_virtual(main)
