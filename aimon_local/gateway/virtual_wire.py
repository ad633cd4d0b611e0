"""Connections without sockets: two transports back to back in one event loop, with the pace of real ones.

What one side writes, the other is given at the loop's next turn; who doesn't read holds up who writes, as a kernel's
buffers do. A closed side's last bytes arrive, then its end; who writes to one that is gone is told so.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import cast

_KERNEL = 128 * 1024  # bytes on their way that a writer does not notice, as sockets' buffers hold them
_HIGH, _LOW = 64 * 1024, 16 * 1024  # asyncio's own marks
_PIECE = 256 * 1024  # bytes that are given at once at most

Name = tuple[str, int]


class MemoryTransport(asyncio.Transport):
    """One side of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, own: Name, other: Name) -> None:
        super().__init__({"sockname": own, "peername": other})
        self._loop = loop
        self._protocol: asyncio.Protocol
        self._peer: MemoryTransport
        self._inbox: deque[bytes] = deque()
        self._waiting = 0  # bytes in the inbox
        self._ending = self._ended = False  # the other side's end is on its way; was told
        self._pumping = self._reading_paused = self._writing_paused = False
        self._closing = self._lost = self._eof_sent = False
        self._high, self._low = _HIGH, _LOW

    # ---- what its protocol calls

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another one from now on."""
        self._protocol = cast(asyncio.Protocol, protocol)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Give bytes to the other side."""
        if not data or self._closing or self._eof_sent:
            return
        peer = self._peer
        if peer._closing:
            self._finish(ConnectionResetError("the other side is gone"))
            return
        peer._inbox.append(data if type(data) is bytes else bytes(data))
        peer._waiting += len(data)
        peer._wake()
        if not self._writing_paused and self.get_write_buffer_size() > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Give several pieces."""
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        """Bytes that a real socket would not have taken yet."""
        return max(0, self._peer._waiting - _KERNEL)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """When writing pauses and goes on."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set both, as asyncio reckons them."""
        self._high = (_HIGH if low is None else 4 * low) if high is None else high
        self._low = self._high // 4 if low is None else low

    def can_write_eof(self) -> bool:
        """Half of it can be closed."""
        return True

    def write_eof(self) -> None:
        """No more from this side."""
        if not self._eof_sent and not self._closing:
            self._eof_sent = True
            self._peer._end()

    def is_closing(self) -> bool:
        """Whether it was closed, or lost."""
        return self._closing

    def close(self) -> None:
        """End it; what was written arrives."""
        self._finish(None)

    def abort(self) -> None:
        """End it at once: what a socket's buffer would hold arrives all the same."""
        self._finish(None)

    def is_reading(self) -> bool:
        """Whether bytes are given."""
        return not self._reading_paused and not self._closing

    def pause_reading(self) -> None:
        """Leave what comes where it is."""
        self._reading_paused = True

    def resume_reading(self) -> None:
        """Take it."""
        self._reading_paused = False
        if self._inbox or (self._ending and not self._ended):
            self._wake()

    # ---- between the two sides

    def _finish(self, why: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._eof_sent:
            self._peer._end()
        self._drop()
        self._loop.call_soon(self._tell_lost, why)

    def _tell_lost(self, why: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(why)

    def _drop(self) -> None:
        """Nobody reads here any more."""
        self._inbox.clear()
        self._waiting = 0
        self._peer._drained()

    def _end(self) -> None:
        self._ending = True
        self._wake()

    def _wake(self) -> None:
        if not self._pumping and not self._reading_paused:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Give what is here, then the end, if there is one."""
        self._pumping = False
        if self._closing or self._reading_paused:
            return
        if self._inbox:
            data = self._taken()
            self._peer._drained()
            self._protocol.data_received(data)
            if self._inbox or self._ending:
                self._wake()
        elif self._ending and not self._ended:
            self._ended = True
            if not self._protocol.eof_received():
                self.close()

    def _taken(self) -> bytes:
        inbox = self._inbox
        if len(inbox) == 1:
            data = inbox.popleft()
        else:
            pieces, size = [], 0
            while inbox and size < _PIECE:
                pieces.append(inbox.popleft())
                size += len(pieces[-1])
            data = b"".join(pieces)
        self._waiting -= len(data)
        return data

    def _drained(self) -> None:
        if self._writing_paused and self.get_write_buffer_size() <= self._low:
            self._writing_paused = False
            if not self._closing:
                self._protocol.resume_writing()


class MemorySocket:
    """What a listener is asked for of its socket: its name."""

    def __init__(self, name: Name) -> None:
        self._name = name

    def getsockname(self) -> Name:
        """Host and port."""
        return self._name


class MemoryServer:
    """A listener: a name in a table of names."""

    def __init__(self, table: "dict[int, MemoryServer]", name: Name, factory: Callable[[], asyncio.Protocol]) -> None:
        self.sockets = (MemorySocket(name),)
        self.name, self.factory = name, factory
        self._table = table
        table[name[1]] = self

    def close(self) -> None:
        """No more connections."""
        if self._table.get(self.name[1]) is self:
            del self._table[self.name[1]]

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""


def joined(
    loop: asyncio.AbstractEventLoop, server: MemoryServer, client: asyncio.Protocol, name: Name
) -> MemoryTransport:
    """Connect a client to a listener; both are told as over sockets: the client now, the server a turn later."""
    near, far = MemoryTransport(loop, name, server.name), MemoryTransport(loop, server.name, name)
    near._peer, far._peer = far, near
    near._protocol, far._protocol = client, server.factory()
    loop.call_soon(far._protocol.connection_made, far)
    client.connection_made(near)
    return near
