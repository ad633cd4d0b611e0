"""An event loop in virtual time: where nothing is ready, time is at once that of the next timer.

Connections and listeners are in memory (``virtual_wire``), and what others hand to threads is done on the spot, while
time stands. So nothing is ever waited for, nothing depends on the machine's pace, and the same program runs the same
way each time. Whatever asks the loop for time, timers, connections or threads runs here unchanged.
"""

import asyncio
import errno
import selectors
import socket
from collections.abc import Callable, Sequence
from typing import Any

from aimon_local.gateway.virtual_wire import MemoryServer, MemoryTransport, Name, joined

BEGIN_NS = 1_000_000_000_000  # of the monotonic clock: not 0, which elsewhere means "not yet"
_NEAR = frozenset(("127.0.0.1", "localhost", "::1", "host.docker.internal"))
_FIRST_PORT = 20_000  # of those that are given where any would do
_CLIENTS, _CLIENT_PORTS = 30_000, 30_000  # the ports of connecting sides go round


class Stuck(RuntimeError):
    """Everybody waits, and nothing is left that could come: over sockets this would hang."""


class _Jumps(selectors.SelectSelector):
    """In place of waiting for sockets: time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.ns = BEGIN_NS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Move the time by the wait."""
        if timeout is None:
            raise Stuck("everybody waits, and nothing is left that could come")
        if timeout > 0:
            self.ns += max(1, round(timeout * 1e9))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; ``ns`` is its monotonic time."""

    virtual = True

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)
        self._clock_resolution = 1e-6  # more than a double's grain after years, or no timer would be due
        self._servers: dict[int, MemoryServer] = {}
        self._port, self._client = _FIRST_PORT, 0

    @property
    def ns(self) -> int:
        """Monotonic nanoseconds."""
        return self._jumps.ns

    def monotonic_ns(self) -> int:
        """The same, to be called."""
        return self._jumps.ns

    def time(self) -> float:
        """Monotonic seconds."""
        return self._jumps.ns / 1e9

    def _write_to_self(self) -> None:
        """There is no sleep to be woken from."""

    # ---- threads: done on the spot

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Do it now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as fault:
            future.set_exception(fault)
        return future

    # ---- connections

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        **options: Any,
    ) -> tuple[MemoryTransport, asyncio.Protocol]:
        """Connect to a listener of this loop; OSError as over sockets where there is none."""
        if host not in _NEAR:
            raise socket.gaierror(socket.EAI_NONAME, f"there is no {host} in virtual time")
        if ssl is not None:
            raise OSError(errno.EPROTONOSUPPORT, "there is no TLS in virtual time")
        server = self._servers.get(port or 0)
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nothing listens on port {port}")
        protocol = protocol_factory()
        transport = joined(self, server, protocol, self._client_name())
        await asyncio.sleep(0)  # a turn, in which the other side hears of it
        return transport, protocol

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str | None = None, port: int = 0, **options: Any
    ) -> MemoryServer:
        """Listen; port 0: any free one. OSError: taken."""
        if port == 0:
            while self._port in self._servers:
                self._port += 1
            port = self._port
        if port in self._servers:
            raise OSError(errno.EADDRINUSE, f"port {port} is taken")
        return MemoryServer(self._servers, ("127.0.0.1", port), protocol_factory)

    def _client_name(self) -> Name:
        self._client = (self._client + 1) % _CLIENT_PORTS
        return "127.0.0.1", _CLIENTS + self._client

    def listening(self) -> Sequence[int]:
        """The ports that something listens on."""
        return tuple(self._servers)
