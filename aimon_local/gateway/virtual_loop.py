"""An event loop in virtual time: where nothing is ready, time is at once that of the next timer.

Connections and listeners are in memory (``virtual_wire``), and what others hand to threads is done on the spot, while
time stands. So nothing is ever waited for, nothing depends on the machine's pace, and the same program runs the same
way each time. Whatever asks the loop for time, timers, connections or threads runs here unchanged.
"""

import asyncio
import errno
import heapq
import selectors
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aimon_local.gateway.virtual_wire import MemoryServer, MemoryTransport, Name, joined

BEGIN_NS = 1_000_000_000_000  # of the monotonic clock: not 0, which elsewhere means "not yet"
_NEAR = frozenset(("127.0.0.1", "localhost", "::1", "host.docker.internal"))
_FIRST_PORT = 20_000  # of those that are given where any would do
_CLIENTS, _CLIENT_PORTS = 30_000, 30_000  # the ports of connecting sides go round
_GRAIN = 1e-6  # seconds by which a timer may be early: more than a double's grain after years
_MOST_CANCELLED = 512  # timers that stay in the heap until their time


class Stuck(RuntimeError):
    """Everybody waits, and nothing is left that could come: over sockets this would hang."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; ``ns`` is its monotonic time."""

    virtual = True
    _ready: "deque[asyncio.Handle]"  # the base class's own: handles whose turn it is
    _scheduled: list[asyncio.TimerHandle]  # and a heap of those with a time
    _timer_cancelled_count: int
    _stopping: bool

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self.ns = BEGIN_NS
        self._servers: dict[int, MemoryServer] = {}
        self._port, self._client = _FIRST_PORT, 0

    def monotonic_ns(self) -> int:
        """``ns``, to be called."""
        return self.ns

    def time(self) -> float:
        """Monotonic seconds."""
        return self.ns / 1e9

    def _run_once(self) -> None:
        """One turn, as the base class has it, without the question what sockets have: a quarter of its time.

        Handles that become ready in this turn run in the next one; timers that are due run behind what is ready.
        """
        ready, timers = self._ready, self._scheduled
        if self._timer_cancelled_count > _MOST_CANCELLED:
            self._sweep()
        if not ready and not self._stopping:
            self._jump()
        if timers:
            due = self.ns / 1e9 + _GRAIN
            while timers and timers[0]._when < due:  # type: ignore[attr-defined]
                timer = heapq.heappop(timers)
                timer._scheduled = False  # type: ignore[attr-defined]
                if timer._cancelled:
                    self._timer_cancelled_count -= 1
                else:
                    ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _jump(self) -> None:
        """Nothing is ready: time is that of the next timer."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined]
        if not timers:
            raise Stuck("everybody waits, and nothing is left that could come")
        wait = timers[0].when() - self.ns / 1e9
        if wait > 0:
            self.ns += max(1, round(wait * 1e9))

    def _sweep(self) -> None:
        """Take timers that were cancelled out of the heap, where they are the most of it."""
        timers = self._scheduled
        if 2 * self._timer_cancelled_count < len(timers):
            return
        for timer in timers:
            timer._scheduled = not timer._cancelled  # type: ignore[attr-defined]
        timers[:] = [timer for timer in timers if not timer._cancelled]
        heapq.heapify(timers)
        self._timer_cancelled_count = 0

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
