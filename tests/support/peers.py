"""Scripted peers on loopback: an upstream that does what a test says, and events that can be awaited."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aimon_local.wire.message import Failure, Header, ResponseHead

Script = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One request at a scripted upstream."""

    def __init__(
        self, upstream: "ScriptedUpstream", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.upstream = upstream
        self.reader = reader
        self.writer = writer
        self.number = 0  # of this request on its connection, from 1
        self.head = b""
        self.body = b""

    @property
    def length(self) -> int:
        for line in self.head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return int(line.partition(b":")[2])
        return 0

    async def read_body(self) -> bytes:
        self.body = await self.reader.readexactly(self.length)
        return self.body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", *lines: bytes) -> None:
        head = b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(body), b"", b""))
        await self.send(head + body)

    def reset(self) -> None:
        """End the connection with a reset, not with an end of file."""
        peer = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class ScriptedUpstream:
    """Serves each request by ``script``; the connection stays open until a script closes it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "ScriptedUpstream":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        while not writer.is_closing():
            visit = Visit(self, reader, writer)
            visit.head = await reader.readuntil(b"\r\n\r\n")
            number += 1
            visit.number = number
            self.requests.append(visit.head)
            await self.script(visit)


class Awaited:
    """UpstreamEvents whose end can be awaited."""

    def __init__(self) -> None:
        self.head: ResponseHead | None = None
        self.body = b""
        self.interim: list[int] = []
        self.failure: Failure | None = None
        self.sent_to: list[tuple[str, int]] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.over = asyncio.Event()

    def on_informational(self, status: int, fields: Sequence[Header]) -> None:
        self.interim.append(status)

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        self.head = head
        self.on_data(data, last)

    def on_data(self, data: bytes, last: bool) -> None:
        self.body += data
        if last:
            self.over.set()

    def on_trailers(self, fields: Sequence[Header]) -> None:
        pass

    def on_failure(self, failure: Failure) -> None:
        self.failure = failure
        self.over.set()

    def on_writable(self, writable: bool) -> None:
        if writable:
            self.writable.set()
        else:
            self.writable.clear()

    def on_sent(self, ip: str, port: int) -> None:
        self.sent_to.append((ip, port))


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something has happened; fails the test after ``seconds``."""
    for _ in range(int(seconds * 1000)):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


async def leave(writer: asyncio.StreamWriter) -> None:
    """Close a client's connection, whatever its state."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
