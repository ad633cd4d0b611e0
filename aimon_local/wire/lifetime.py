"""The life of a client connection: its deadlines, what an answer leads to, and its ends.

Owns the states (what the next byte of the client is), the lingering close, tunnels and the client's pace. Bytes are
read by ``wire.connection``, answers are framed by ``wire.answer``. A new end is a method here that leaves the state
LINGER.
"""

import asyncio
import logging
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import cast

from aimon_local.wire.answer import ABSENT, DONE, STARTED, Answering
from aimon_local.wire.chunks import ChunkDecoder
from aimon_local.wire.deadlines import NEVER
from aimon_local.wire.shared import Shared
from aimon_local.wire.strict import Malformed

_log = logging.getLogger(__name__)

# What the next byte of the client is:
HEAD = 0  # of a request
BODY = 1  # of the running request
BUSY = 2  # of the next request; the running one is whole
DISCARD = 3  # of a body whose request is answered
LINGER = 4  # of nothing any more
TUNNEL = 5  # of another protocol

_TOLD = 100  # connections over the cap that are told so, at one time; further ones are just closed
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: close sends a reset


class Lifetime(Answering):
    """A client connection but for its reading."""

    __slots__ = (
        "_body_left",
        "_buffer",
        "_chunks",
        "_eof",
        "_partial",
        "_pumping",
        "_read_paused",
        "_shared",
        "_stall",
        "_state",
        "deadline",
        "local_port",
        "ordinal",
        "peer",
        "requests",
    )

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._state = HEAD
        self._buffer = b""  # what came and is not read yet
        self._chunks: ChunkDecoder | None = None
        self._body_left = 0  # bytes; of a body with a length, or that lingering may still take
        self._eof = False  # the client has closed its sending side
        self._partial = False  # some bytes of a head are here
        self._pumping = False
        self._read_paused = False  # by the handler
        self._stall = 0  # bytes unsent at the last look, while the client takes nothing
        self.deadline = NEVER
        self.peer: tuple[str, int] = ("", 0)
        self.local_port = 0
        self.ordinal = 0
        self.requests = 0
        self._reset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        shared = self._shared
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.peer = (peer[0], peer[1]) if peer else ("", 0)
        self.local_port = local[1] if local else 0
        shared.counts.accepted += 1
        self.ordinal = shared.counts.accepted
        self.deadline = shared.deadlines.now() + shared.limits.head_seconds
        over = len(shared.connections) - shared.limits.connections
        shared.connections.add(self)
        shared.deadlines.add(self)
        if over >= _TOLD:
            self.cut()
            return
        if over >= 0:
            self._refuse(Malformed(503, "Too many connections"))
            return
        shared.counts.handled += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        shared = self._shared
        self.deadline = NEVER
        self._answer = DONE
        self._state = LINGER
        self._buffer = b""
        shared.deadlines.discard(self)
        shared.connections.discard(self)
        self._drop_handler()
        if not shared.connections and shared.on_last is not None:
            shared.on_last()

    def _go_on(self) -> None:
        """Read what waits in the buffer."""
        raise NotImplementedError

    # ---- the client's pace

    def pause_writing(self) -> None:
        """The client takes less than we send."""
        self._write_paused = True
        self._stall = self._transport.get_write_buffer_size()
        self._set_deadline(self._shared.limits.stalled_seconds)
        self._tell_writable(False)

    def resume_writing(self) -> None:
        """It has caught up."""
        self._write_paused = False
        self._renew()
        self._tell_writable(True)
        if self._state == HEAD and self._buffer and not self._pumping:
            self._go_on()

    def _tell_writable(self, writable: bool) -> None:
        handler = self._handler
        if handler is not None and (self._answer != DONE or self._tunnel):
            handler.on_client_writable(writable)

    # ---- time

    def _set_deadline(self, seconds: float) -> None:
        deadlines = self._shared.deadlines
        self.deadline = at = deadlines.now() + seconds
        if at < deadlines.next:
            deadlines.note(at)

    def _renew(self) -> None:
        """The deadline that the state asks for."""
        state, limits = self._state, self._shared.limits
        if self._write_paused:  # the one of a stalled reader stands
            return
        if state == HEAD:
            self._set_deadline(limits.head_seconds if self._partial else limits.idle_seconds)
        elif state == DISCARD or (state == BODY and not self._read_paused):
            self._set_deadline(limits.body_seconds)
        elif state == LINGER:
            self._set_deadline(limits.linger_seconds)
        else:
            self.deadline = NEVER

    def on_deadline(self, now: float) -> None:
        """The time is over that the client had for its next step."""
        transport = self._transport
        self.deadline = NEVER
        unsent = transport.get_write_buffer_size()
        if self._write_paused and unsent < self._stall:
            self._stall = unsent
            self._set_deadline(self._shared.limits.stalled_seconds)
            return
        if self._state == LINGER and not unsent:
            transport.close()
        elif self._write_paused or self._state in (LINGER, DISCARD) or unsent:
            self._drop_handler()
            transport.abort()
        elif self._state == BODY or self._partial:
            self._drop_handler()
            self._refuse(Malformed(408, "Request timeout"))
        else:
            self._state = LINGER
            transport.close()

    # ---- what an answer leads to

    def _may_go_on(self) -> bool:
        request = self._request
        if request is None or not request.keep_alive or self._shared.draining or self._eof:
            return False
        if self._state == BODY:  # an unread body is read to its end, if that is known to be near
            return self._chunks is None and not self._waits and self._body_left <= self._shared.limits.discard_bytes
        return True

    def _answered(self) -> None:
        """The answer is out: on to the next request, the rest of this one's body, or the end."""
        if self._tunnel:
            self._end_tunnel()
            return
        self._handler = None
        if self._read_paused:
            self.resume()
        if self._close:
            self._shut()
        elif self._state == BODY:
            self._state = DISCARD
            self._renew()
        else:
            self._state = HEAD
            self._request = None
            if not self._write_paused:
                self._set_deadline(self._shared.limits.idle_seconds)
            if self._buffer and not self._pumping:
                self._go_on()

    def _refuse(self, refusal: Malformed) -> None:
        """Answer a broken request by ourselves and close; cut, if an answer is on its way."""
        if self._answer == DONE and self._state == HEAD:
            self._answer = ABSENT
        if self._answer != ABSENT:
            self.abort()
            return
        self._close = True
        self._waits = False
        if self._state == BUSY:
            self._state = BODY  # whatever comes is not read as a request
        try:
            lines, body = self._shared.render_error(refusal.status, refusal.message, self._request)
        except Exception:
            _log.exception("the error page failed")
            lines, body = [], b""
        self.respond(refusal.status, lines, body)

    def _fail(self) -> None:
        """A handler failed: 500 where no answer has begun, else a visible cut."""
        self._drop_handler()
        self._refuse(Malformed(500, "An unexpected error occurred"))

    def _drop_handler(self) -> None:
        """The client is gone for the handler, if it still works on a request."""
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                handler.on_gone()
            except Exception:
                _log.exception("a handler failed when its client went")

    # ---- ends

    def _shut(self) -> None:
        """Close, so that the answer arrives: half first, then for a while take what still comes (RFC 9112 §9.6)."""
        request, transport = self._request, self._transport
        limits = self._shared.limits
        unread = self._state in (HEAD, BODY, DISCARD) or bool(self._buffer)
        asked = request is not None and not request.keep_alive
        self._state = LINGER
        self._buffer = b""
        if self._eof or (asked and not unread):
            transport.close()
            self._set_deadline(limits.stalled_seconds)
            return
        self._body_left = limits.linger_bytes
        transport.write_eof()
        transport.resume_reading()
        self._set_deadline(limits.linger_seconds if not transport.get_write_buffer_size() else limits.stalled_seconds)

    def _cut(self, *, framed: bool) -> None:
        self._handler = None
        self._state = LINGER
        if framed and not self._write_paused:
            self._transport.close()  # what passed arrives; its frame shows that the rest is missing
            self._set_deadline(self._shared.limits.linger_seconds)
        else:
            self._reset_connection()

    def _reset_connection(self) -> None:
        """End it with a reset: where no frame shows that something is missing, a mere close would look like the end."""
        socket = self._transport.get_extra_info("socket")
        if socket is not None and not self._transport.is_closing():
            socket.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def _switched(self) -> None:
        self._state = TUNNEL
        self.deadline = NEVER
        if self._buffer and not self._pumping:
            self._go_on()

    def _end_tunnel(self) -> None:
        """The other side sends no more; the client may, until it ends as well."""
        if self._eof:
            self._handler = None
            self._state = LINGER
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write_eof()

    # ---- for the handler and the listener

    def pause(self) -> None:
        """Stop reading the body."""
        if not self._read_paused:
            self._read_paused = True
            self._transport.pause_reading()
            if not self._write_paused:
                self.deadline = NEVER

    def resume(self) -> None:
        """Go on reading."""
        if self._read_paused:
            self._read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
            self._renew()

    def drain(self, grace: float) -> None:
        """The listener stops: close where nothing is in flight, else after the answer."""
        if self._state != HEAD:
            self._close = True
        elif self._buffer or not self.requests:
            self._set_deadline(grace)  # a request may be on its way on a fresh connection
        else:
            self._state = LINGER
            self._transport.close()

    def cut(self) -> None:
        """The listener's patience is over."""
        self._drop_handler()
        self._reset_connection()

    @property
    def activity(self) -> str:
        """Kong's word for what the connection does: reading, writing or waiting."""
        if self._state == HEAD and not self._partial:
            return "waiting"
        return "reading" if self._state in (HEAD, BODY, DISCARD) and self._answer != STARTED else "writing"
