"""A lean HTTP/1.1 client for load: keep-alive connections, one request at a time on each, times of every answer.

The opener of connections is a parameter, so the same client runs over sockets and in virtual time; all times are the
loop's. It reads what a well-behaved server sends (RFC 9112): a length, chunks, or the end of the connection.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Address = tuple[str, int]
Connect = Callable[[Callable[[], asyncio.Protocol], str, int], Awaitable[tuple[Any, asyncio.Protocol]]]
"""Opens a connection as ``loop.create_connection`` does: (protocol factory, host, port) → (transport, protocol)."""

KEPT = 1 << 20  # bytes of an answer that are kept to be looked at; more are counted alone


@dataclass(slots=True)
class Answer:
    """What came back. ``error``: "" or connect, reset, timeout, left, protocol; ``status`` 0: nothing came."""

    sent: float
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case; of several, the last
    body: bytes = b""
    size: int = 0
    first_byte: float | None = None
    ended: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client stays: to the ``timeout``; ``leave_after`` seconds or chunks it goes away on purpose."""

    timeout: float = 60.0
    leave_after: float | None = None
    leave_after_chunks: int = 0


async def open_socket(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> tuple[Any, asyncio.Protocol]:
    """The opener over real sockets."""
    return await asyncio.get_running_loop().create_connection(factory, host, port)


class Pool:
    """Connections to one address, taken up again while they are idle."""

    def __init__(self, address: Address, connect: Connect = open_socket) -> None:
        self.address, self._connect = address, connect
        self._idle: deque[_Connection] = deque()
        self._all: set[_Connection] = set()

    async def send(self, request: bytes, head_only: bool = False, patience: Patience = Patience()) -> Answer:
        """One exchange; faults are the answer's ``error``. An idle connection that is gone is replaced by a new one."""
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                answer = await self._on(connection, request, head_only, patience, loop.time())
                if answer.error == "reset" and not answer.status and not connection.heard:
                    break  # it was closed as we wrote: nothing of an answer came, so it goes out once more
                return answer
        sent = loop.time()
        try:
            async with asyncio.timeout(patience.timeout):
                _, protocol = await self._connect(lambda: _Connection(loop), *self.address)
        except (OSError, TimeoutError):
            return Answer(sent, error="connect", ended=loop.time())
        connection = cast(_Connection, protocol)
        self._all.add(connection)
        return await self._on(connection, request, head_only, patience, sent)

    async def _on(
        self, connection: "_Connection", request: bytes, head_only: bool, patience: Patience, sent: float
    ) -> Answer:
        try:
            answer = await connection.exchange(request, head_only, patience, sent)
        except BaseException:
            connection.leave("left")
            self._all.discard(connection)
            raise
        if connection.closed:
            self._all.discard(connection)
        else:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close all connections; exchanges that are under way end with an error."""
        for connection in list(self._all):
            connection.leave("left")
        self._all.clear()
        self._idle.clear()


def request_bytes(
    method: str, path: str, host: str, headers: "tuple[tuple[str, str], ...]", body: bytes = b""
) -> bytes:
    """A request's bytes; ValueError where a field or the path would break the frame."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or " " in path:
        raise ValueError(f"a path with a blank, or a field with a line break: {method} {path!r}")
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """One connection; ``heard``: bytes of the present answer came."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.closed = self.heard = False
        self._transport: Any = None
        self._buffer = bytearray()
        self._waiting: asyncio.Future[None] | None = None
        self._answer = Answer(0.0)
        self._left: int | None = None  # bytes of the body, or of the chunk, that are to come
        self._state: Callable[[], bool] = self._head
        self._chunks = 0

    # ---- the exchange

    async def exchange(self, request: bytes, head_only: bool, patience: Patience, sent: float) -> Answer:
        """Send, and wait for the answer's end."""
        self._answer = answer = Answer(sent)
        self._head_only, self._patience, self._chunks, self.heard = head_only, patience, 0, False
        self._state = self._head
        self._waiting = self._loop.create_future()
        timers = [self._loop.call_later(patience.timeout, self.leave, "timeout")]
        if patience.leave_after is not None:
            timers.append(self._loop.call_later(patience.leave_after, self.leave, "left"))
        self._transport.write(request)
        try:
            await self._waiting
        finally:
            for timer in timers:
                timer.cancel()
        answer.ended = self._loop.time()
        return answer

    def leave(self, why: str) -> None:
        """Go away at once."""
        self.closed = True
        self._transport.abort()
        self._over(why)

    def _over(self, error: str = "") -> None:
        if self._waiting is not None and not self._waiting.done():
            self._answer.error = error
            self._waiting.set_result(None)

    # ---- what the transport tells

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._over("" if self._state == self._to_end and exc is None else "reset")

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self.heard = True
        try:
            while self._buffer and self._state():
                pass
        except ValueError:  # a number that is none: not HTTP/1.1
            self.leave("protocol")

    # ---- the parts of an answer: each takes what it can; False: it needs more

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        answer = self._answer
        answer.status = int(lines[0][9:12])
        if answer.status < 200:
            return True
        answer.first_byte = self._loop.time()
        answer.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return self._framed(answer.headers)

    def _framed(self, headers: Mapping[str, str]) -> bool:
        if self._head_only or self._answer.status in (204, 304):
            return self._done()
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._state = self._chunk_size
        elif "content-length" in headers:
            self._left = int(headers["content-length"])
            if not self._left:
                return self._done()
            self._state = self._sized
        else:
            self._left, self._state = None, self._to_end
        return True

    def _sized(self) -> bool:
        assert self._left is not None
        self._take(min(self._left, len(self._buffer)))
        return self._done() if not self._left else False

    def _to_end(self) -> bool:
        self._take(len(self._buffer))
        return False

    def _chunk_size(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        self._left = int(self._buffer[:end].partition(b";")[0], 16)
        del self._buffer[: end + 2]
        self._state = self._chunk if self._left else self._trailer
        return True

    def _chunk(self) -> bool:
        assert self._left is not None
        self._take(min(self._left, len(self._buffer)))
        if self._left or len(self._buffer) < 2:
            return False
        del self._buffer[:2]
        self._chunks += 1
        self._state = self._chunk_size
        if self._chunks == self._patience.leave_after_chunks:
            self.leave("left")
            return False
        return True

    def _trailer(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        del self._buffer[: end + 2]
        return self._done() if not end else True

    def _take(self, size: int) -> None:
        answer = self._answer
        if answer.size < KEPT:
            answer.body += self._buffer[:size]
        answer.size += size
        if self._left is not None:
            self._left -= size
        del self._buffer[:size]

    def _done(self) -> bool:
        self._state = self._head
        if self._answer.headers.get("connection", "").lower() == "close":
            self.closed = True
            self._transport.close()
        self._over()
        return False
