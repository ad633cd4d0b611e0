"""Listening: an address, its connections, and an end that drops nothing."""

import asyncio
from contextlib import suppress
from typing import Any

from aimon_local.wire.connection import ServerConnection
from aimon_local.wire.deadlines import Deadlines
from aimon_local.wire.limits import Limits
from aimon_local.wire.shared import Counts, Factory, RenderError, Shared, plain_error

__all__ = ["Listener", "ServerConnection", "listen"]

_FRESH_SECONDS = 1.0  # a connection that has sent nothing yet may have a request on its way when we stop


class Listener:
    """A listening address and its connections."""

    def __init__(self, server: asyncio.Server, shared: Shared) -> None:
        self._server = server
        self._shared = shared
        self.host: str = server.sockets[0].getsockname()[0]
        self.port: int = server.sockets[0].getsockname()[1]

    @property
    def counts(self) -> Counts:
        """Totals since the start."""
        return self._shared.counts

    def activity(self) -> dict[str, int]:
        """Connections by what they do now, in the words of Kong's /status: active, reading, writing, waiting."""
        found = {"active": 0, "reading": 0, "writing": 0, "waiting": 0}
        for connection in self._shared.connections:
            found["active"] += 1
            found[connection.activity] += 1
        return found

    def stop_accepting(self) -> None:
        """Refuse new connections; those that are there go on until their answer is out."""
        self._shared.draining = True
        self._server.close()

    async def drain(self, seconds: float) -> int:
        """Finish what is in flight, for ``seconds`` at most; returns how many connections had to be cut."""
        await _turns()  # what is in the kernel's queue was accepted by it: take it in first ...
        self.stop_accepting()
        await _turns()  # ... and let it become connections of ours
        shared = self._shared
        empty = asyncio.Event()
        shared.on_last = empty.set
        for connection in list(shared.connections):
            connection.drain(min(_FRESH_SECONDS, seconds))
        if shared.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(empty.wait(), seconds)
        left = list(shared.connections)
        await self.close()
        return len(left)

    async def close(self) -> None:
        """Stop at once: connections that are there are cut."""
        self.stop_accepting()
        for connection in list(self._shared.connections):
            connection.cut()
        await asyncio.sleep(0)
        self._shared.deadlines.close()


async def _turns() -> None:
    """A few turns of the loop: accepting, and making a transport, take one each."""
    for _ in range(3):
        await asyncio.sleep(0)


async def listen(
    factory: Factory,
    host: str,
    port: int,
    limits: Limits | None = None,
    *,
    http: str = "auto",
    render_error: RenderError = plain_error,
    **options: Any,
) -> Listener:
    """Listen on an address (port 0: any free one); each request gets a handler of ``factory(client)``.

    ``http``: "auto" reads plain heads by the scanner, "h11" reads all by h11. ``options`` go to ``loop.create_server``.
    Raises OSError where the address is taken.
    """
    if http not in ("auto", "h11"):
        raise ValueError(f"http is auto or h11, not {http!r}")
    loop = asyncio.get_running_loop()
    shared = Shared(factory, limits or Limits(), Deadlines(loop), http == "auto", render_error)
    server = await loop.create_server(lambda: ServerConnection(shared), host, port, backlog=1024, **options)
    return Listener(server, shared)
