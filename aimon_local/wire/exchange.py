"""One upstream exchange as its user holds it, from the wish for a connection to the last byte or a failure.

It outlives a connection: a request that met a kept connection which had closed meanwhile is moved to a fresh one, where
it is certain that nothing was processed, or the method is safe: a second GET changes nothing, a second PUT might.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimon_local.wire.message import Failure, FailureKind, Header, Origin, ResponseHead, UpstreamEvents, UpstreamRequest

if TYPE_CHECKING:
    from aimon_local.wire.carrier import Carrier
    from aimon_local.wire.pool import Pool

_log = logging.getLogger(__name__)

_AHEAD = 64 * 1024  # bytes of a body that may wait for the connection
# RFC 9110 §9.2.2: what may be sent again although it is not known whether it was processed.
_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))  # RFC 9110 §9.2.1


class _Nobody:
    """Who hears of a cancelled exchange, or of one that is over."""

    def on_informational(self, status: int, fields: Sequence[Header]) -> None:
        pass

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        pass

    def on_data(self, data: bytes, last: bool) -> None:
        pass

    def on_trailers(self, fields: Sequence[Header]) -> None:
        pass

    def on_failure(self, failure: Failure) -> None:
        pass

    def on_writable(self, writable: bool) -> None:
        pass

    def on_sent(self, ip: str, port: int) -> None:
        pass


NOBODY: UpstreamEvents = _Nobody()


class UpstreamExchange:
    """The ``Exchange`` of ``Pool.send``."""

    __slots__ = (
        "_early",
        "_early_size",
        "_ended",
        "_paused",
        "_pool",
        "answered",
        "connection",
        "done",
        "events",
        "opening",
        "origin",
        "request",
        "reusable",
        "reused",
        "sent",
    )

    def __init__(self, pool: "Pool", origin: Origin, request: UpstreamRequest, events: UpstreamEvents) -> None:
        self._pool = pool
        self.origin = origin
        self.request = request
        self.events = events
        self.connection: Carrier | None = None
        self.opening: asyncio.Task[None] | None = None  # a connection for it
        self.done = False
        self.reused = False
        self.sent = False
        self.answered = False  # some byte of an answer came
        self.reusable = False  # the connection, after this answer
        self._early: list[bytes] | None = None  # body bytes from before there was a connection
        self._early_size = 0
        self._ended = False
        self._paused = False

    # ---- the user's calls

    def write(self, data: bytes) -> None:
        """Send body bytes of a streaming request; dropped once the exchange is over."""
        if self.done:
            return
        connection = self.connection
        if connection is not None:
            connection.send_body(data)
            return
        full = self._early_size > _AHEAD
        if self._early is None:
            self._early = []
        self._early.append(data)
        self._early_size += len(data)
        if not full and self._early_size > _AHEAD:
            self.events.on_writable(False)

    def end(self) -> None:
        """The streaming request's body is complete."""
        self._ended = True
        if not self.done and self.connection is not None:
            self.connection.end_body()

    def pause(self) -> None:
        """Stop reading the answer."""
        self._paused = True
        if not self.done and self.connection is not None:
            self.connection.pause()

    def resume(self) -> None:
        """Go on reading."""
        self._paused = False
        if not self.done and self.connection is not None:
            self.connection.resume()

    def cancel(self) -> None:
        """Give up: the connection is closed, no event follows."""
        self.events = NOBODY
        if self.done:
            return
        self.done = True
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.abort()
        if self.opening is not None:
            self.opening.cancel()

    # ---- the pool's and the connection's calls

    def attach(self, connection: "Carrier") -> None:
        """Send it on a connection."""
        self.connection = connection
        self.reused = connection.served > 0
        self.events.on_sent(connection.ip, connection.port)
        if self.done:  # its user gave up on hearing that
            connection.close()
            return
        connection.begin(self)
        if self.request.body is None and (self._early or self._ended):
            self._catch_up(connection)
        if self._paused:
            connection.pause()

    def _catch_up(self, connection: "Carrier") -> None:
        """Body bytes came before the connection."""
        early, self._early = self._early or [], None
        full = self._early_size > _AHEAD
        self._early_size = 0
        for data in early:
            connection.send_body(data)
        if self._ended:
            connection.end_body()
        elif full and not connection.congested:
            self.events.on_writable(True)

    def fail(self, kind: FailureKind, detail: str) -> None:
        """A connection, or the attempt at one, failed."""
        self.connection = None
        if self.done:
            return
        if kind is FailureKind.RESET and self._may_move():
            self.sent = False
            self._pool.open(self)
            return
        self.done = True
        self._tell_failure(kind, detail)

    def break_off(self, detail: str) -> None:
        """Its user failed on the last bytes of the answer: it is told, so that nobody waits for an end."""
        self.done = True
        self._tell_failure(FailureKind.CUT, detail)

    def _tell_failure(self, kind: FailureKind, detail: str) -> None:
        try:
            self.events.on_failure(Failure(kind, self.reused, self.sent, detail))
        except Exception:
            _log.exception("the user of an upstream exchange failed on its failure")

    def _may_move(self) -> bool:
        """Whether the request can go to a fresh connection: only from a kept one that gave nothing back."""
        request = self.request
        if not self.reused or self.answered or request.body is None:
            return False
        return not self.sent or request.method in _SAFE
