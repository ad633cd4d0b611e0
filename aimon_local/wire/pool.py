"""Connections to upstreams, kept and shared: which one a request gets, and how a new one is opened.

What to use, keep and close is planned by ``Lane``; here the plan is carried out. Opening is the only thing that waits,
so it is the only task.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping

from aimon_local.wire.carrier import Carrier
from aimon_local.wire.deadlines import Deadlines
from aimon_local.wire.exchange import UpstreamExchange
from aimon_local.wire.lane import Lane
from aimon_local.wire.limits import Limits
from aimon_local.wire.message import FailureKind, Origin, UpstreamEvents, UpstreamRequest
from aimon_local.wire.upstream import UpstreamConnection

# The lab's services live on the host of a container; there is no container here.
ALIASES: Mapping[str, str] = {"host.docker.internal": "127.0.0.1"}

_HEAD_BYTES = 64 * 1024  # an upstream may set more cookies than a client may send
_FIELDS = 200


class Pool:
    """The upstream side of a gateway."""

    def __init__(
        self,
        *,
        max_idle_per_origin: int = 128,
        idle_seconds: float = 60.0,
        http: str = "auto",
        aliases: Mapping[str, str] = ALIASES,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """``trust`` verifies https upstreams in place of the system's authorities; without ``loop`` one must run."""
        self._loop = loop or asyncio.get_running_loop()
        self._bound = max_idle_per_origin
        self._aliases = aliases
        self._trust = trust
        self._distrust: ssl.SSLContext | None = None
        self._lanes: dict[Origin, Lane[Carrier]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._connections: set[Carrier] = set()
        self._last: tuple[Origin, Lane[Carrier]] | None = None
        self.idle_seconds = idle_seconds
        self.fast = http == "auto"
        self.limits = limits or Limits(head_bytes=_HEAD_BYTES, fields=_FIELDS)
        self.deadlines = Deadlines(self._loop)

    def send(self, origin: Origin, request: UpstreamRequest, events: UpstreamEvents) -> UpstreamExchange:
        """Send a request to an origin; what comes of it is told to ``events``, a failure never before this returns."""
        exchange = UpstreamExchange(self, origin, request, events)
        connection = self._lane(origin).take()
        if connection is not None:
            exchange.attach(connection)
        else:
            self.open(exchange)
        return exchange

    def counts(self) -> dict[str, int]:
        """Connections: open, of them idle, and opening."""
        idle = sum(len(lane) for lane in self._lanes.values())
        return {"open": len(self._connections), "idle": idle, "opening": len(self._opening)}

    async def close(self) -> None:
        """Cut everything; exchanges hear of it as a failure."""
        for task in list(self._opening):
            task.cancel()
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0)
        self.deadlines.close()

    # ---- the exchanges' and connections' calls

    def open(self, exchange: UpstreamExchange) -> None:
        """Open a connection for an exchange."""
        task = exchange.opening = self._loop.create_task(self._open(exchange))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def opened(self, connection: Carrier) -> None:
        """A connection is there."""
        self._connections.add(connection)
        self.deadlines.add(connection)

    def release(self, connection: Carrier) -> None:
        """A clean connection is free."""
        lane = connection.lane
        surplus = lane.give(connection)
        if surplus is not None:
            surplus.close()

    def lost(self, connection: Carrier) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        self.deadlines.discard(connection)
        connection.lane.forget(connection)

    # ---- opening

    def _lane(self, origin: Origin) -> Lane[Carrier]:
        last = self._last
        if last is not None and last[0] is origin:  # saves the hash of five fields
            return last[1]
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = Lane(self._bound)
        self._last = (origin, lane)
        return lane

    async def _open(self, exchange: UpstreamExchange) -> None:
        try:
            connection = await self._connect(exchange.origin, exchange.request.timeouts.connect)
        except TimeoutError:
            exchange.fail(FailureKind.CONNECT_TIMEOUT, "")
        except socket.gaierror as error:
            exchange.fail(FailureKind.RESOLVE, str(error))
        except ssl.SSLError as error:
            exchange.fail(FailureKind.TLS, str(error))
        except (OSError, UnicodeError) as error:
            exchange.fail(FailureKind.CONNECT, str(error))
        except asyncio.CancelledError:
            exchange.fail(FailureKind.CONNECT, "stopped")  # unless its own user cancelled it
            raise
        else:
            exchange.opening = None
            if exchange.done:
                connection.close()
            else:
                exchange.attach(connection)

    async def _connect(self, origin: Origin, seconds: float) -> Carrier:
        lane = self._lane(origin)
        host = self._aliases.get(origin.host, origin.host)
        secure = origin.scheme == "https"
        async with asyncio.timeout(seconds):
            _, connection = await self._loop.create_connection(
                lambda: UpstreamConnection(self, lane),
                host,
                origin.port,
                ssl=self._context(verify=origin.verify) if secure else None,
                server_hostname=(origin.server_name or origin.host) if secure else None,
                ssl_handshake_timeout=max(seconds, 0.001) if secure else None,
            )
        return connection

    def _context(self, *, verify: bool) -> ssl.SSLContext:
        """TLS settings, made on first use (reading the system's authorities takes a while)."""
        if verify:
            if self._trust is None:
                self._trust = ssl.create_default_context()
            return self._trust
        if self._distrust is None:
            self._distrust = ssl.create_default_context()
            self._distrust.check_hostname = False
            self._distrust.verify_mode = ssl.CERT_NONE
        return self._distrust
