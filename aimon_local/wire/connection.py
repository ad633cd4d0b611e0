"""The reading half of a client connection: from bytes to heads and bodies, one request at a time.

Owns the connection's life: which bytes mean what (``_State``), limits, deadlines, pipelining, the lingering close. Each
request gets its own handler; a request that comes while another is answered waits in the buffer. Exceptions of a
handler end here: logged once, answered with 500 where that is still possible.
"""

import asyncio
import logging
import struct
from socket import SO_LINGER, SOL_SOCKET
from time import monotonic
from typing import cast

from aimon_local.wire.answer import ABSENT, DONE, STARTED, Answering
from aimon_local.wire.chunks import ChunkDecoder, LawfulChunkDecoder
from aimon_local.wire.deadlines import NEVER
from aimon_local.wire.law import read_request
from aimon_local.wire.message import RequestHead
from aimon_local.wire.scanner import scan_request
from aimon_local.wire.shared import Shared
from aimon_local.wire.strict import HEAD_TOO_LARGE, TARGET_TOO_LONG, Malformed, check_beginning

_log = logging.getLogger(__name__)

# What the next byte of the client is:
HEAD = 0  # of a request
BODY = 1  # of the running request
BUSY = 2  # of the next request; the running one is whole
DISCARD = 3  # of a body whose request is answered
LINGER = 4  # of nothing any more
TUNNEL = 5  # of another protocol

_BODIES = (BODY, DISCARD)

_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: close sends a reset


class ServerConnection(Answering):
    """One client connection; the ``Client`` of its handlers."""

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

    # ---- the transport's calls

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
        self.deadline = monotonic() + shared.limits.head_seconds
        crowded = len(shared.connections) >= shared.limits.connections
        shared.connections.add(self)
        shared.deadlines.add(self)
        if crowded:
            self._refuse(Malformed(503, "Too many connections"))
            return
        shared.counts.handled += 1

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        state = self._state
        if state == HEAD:
            if self._buffer:
                data = self._buffer + data
                self._buffer = b""
            self._pump(data)
        elif state in _BODIES:
            self._pump(data)
        elif state == BUSY:
            self._buffer += data
            if len(self._buffer) > self._shared.limits.pipeline_bytes:
                self._transport.pause_reading()
        elif state == TUNNEL:
            self._tell(data, last=False)
        else:
            self._body_left -= len(data)
            if self._body_left < 0:
                self._transport.abort()

    def eof_received(self) -> bool:
        """The client sends no more: a whole request is still answered, a part of one is never completed."""
        self._eof = True
        state = self._state
        if state == BUSY:
            self._close = True
            return True
        if state == TUNNEL:
            self._tell(b"", last=True)
            return True
        if state == BODY:
            self._drop_handler()
            self._transport.abort()
        elif state == HEAD and self._buffer and self._answer == DONE:
            self._refuse(Malformed(400, "Bad request", "closed within a head"))
            return True
        return bool(self._transport.get_write_buffer_size())

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

    # ---- time

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = at = monotonic() + seconds
        deadlines = self._shared.deadlines
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

    # ---- reading

    def _pump(self, data: bytes) -> None:
        """Take what can be taken of ``data``; whatever a handler does on the way happens inside."""
        self._pumping = True
        try:
            while data:
                state = self._state
                if state == HEAD:
                    data = self._take_head(data)
                elif state in _BODIES:
                    data = self._take_body(data)
                else:
                    if state == BUSY:
                        self._buffer = data
                    elif state == TUNNEL:
                        self._tell(data, last=False)
                    return
        except Malformed as refusal:
            self._drop_handler()
            self._refuse(refusal)
        except Exception:
            _log.exception("a handler failed")
            self._fail()
        finally:
            self._pumping = False

    def _take_head(self, data: bytes) -> bytes:
        """Read one head and begin its request; returns what is left to read."""
        limits = self._shared.limits
        if self._write_paused:  # a client that reads no answers gets no more of them
            self._buffer = data
            self._transport.pause_reading()
            return b""
        while data[:2] == b"\r\n":  # RFC 9112 §2.2: empty lines before a request are ignored
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._wait_for_head(data)
            return b""
        if end > limits.head_bytes:
            self._check_target(data)
            raise Malformed(431, HEAD_TOO_LARGE)
        raw = data[:end]
        head = scan_request(raw) if self._shared.fast else None
        if head is None:
            self._check_target(data)
            head = read_request(raw)
        if len(head.target) > limits.target_bytes:
            raise Malformed(414, TARGET_TOO_LONG)
        if len(head.fields) > limits.fields:
            raise Malformed(431, HEAD_TOO_LARGE, "too many fields")
        return self._begin(head, data[end + 4 :])

    def _wait_for_head(self, data: bytes) -> None:
        """A head is not complete: refuse what can't become one, else wait, within the time for a whole head."""
        self._buffer = data
        if not data:
            return
        limits = self._shared.limits
        self._check_target(data)
        if len(data) > limits.head_bytes:
            raise Malformed(431, HEAD_TOO_LARGE)
        check_beginning(data)
        if not self._partial:
            self._partial = True
            self._set_deadline(limits.head_seconds)

    def _check_target(self, data: bytes) -> None:
        limit = self._shared.limits.target_bytes
        if len(data) > limit:
            _, _, rest = data.partition(b" ")
            target, _, _ = rest[: limit + 2].partition(b" ")
            if len(target) > limit and b"\r" not in target and b"\n" not in target:
                raise Malformed(414, TARGET_TOO_LONG)

    def _begin(self, head: RequestHead, rest: bytes) -> bytes:
        """Give the request its handler; returns what follows what was read."""
        shared = self._shared
        limits = shared.limits
        self._partial = False
        self.deadline = NEVER
        self._request = head
        self._answer = ABSENT
        self._waits = head.expect_continue and not rest
        self.requests += 1
        shared.counts.requests += 1
        length = head.content_length
        if head.chunked:
            self._chunks = ChunkDecoder(limits) if shared.fast else LawfulChunkDecoder(limits)
            self._body_left = 0
            self._state = BODY
        elif length:
            if limits.max_body is not None and length > limits.max_body:
                raise Malformed(413, "Payload too large")
            self._body_left = length
            self._state = BODY
        else:
            self._state = BUSY
        handler = self._handler = shared.factory(self)
        handler.on_request(head)
        if self._handler is not handler:  # answered already
            return rest
        if self._state == BUSY:
            handler.on_body(b"", True)
        elif length and len(rest) >= length:  # the whole body came with the head, as small ones do
            self._state = BUSY
            self._waits = False
            if len(rest) == length:
                handler.on_body(rest, True)
                return b""
            handler.on_body(rest[:length], True)
            return rest[length:]
        elif not rest and self._state == BODY and not self._read_paused:
            self._set_deadline(limits.body_seconds)
        return rest

    def _take_body(self, data: bytes) -> bytes:
        """Pass body bytes on (or drop them, once the request is answered); returns what follows the body."""
        chunks = self._chunks
        rest = b""
        if chunks is not None:
            data = chunks.feed(data)
            last = chunks.done
            rest = chunks.rest
            self._count_chunked(len(data))
        else:
            left = self._body_left
            if len(data) > left:
                data, rest = data[:left], data[left:]
            self._body_left = left = left - len(data)
            last = not left
        if self._state == DISCARD:
            self._discard(len(data), last=last)
            return rest
        if last:
            self._state = BUSY
            self._chunks = None
            self._waits = False
            self.deadline = NEVER if not self._write_paused else self.deadline
        elif not self._write_paused:
            self._set_deadline(self._shared.limits.body_seconds)
        if data or last:
            self._tell(data, last=last)
        return rest

    def _count_chunked(self, count: int) -> None:
        """Hold a chunked body to the bound; ``_body_left`` counts up for it."""
        limit = self._shared.limits.max_body
        self._body_left += count
        if limit is not None and self._body_left > limit and self._state == BODY:
            raise Malformed(413, "Payload too large")

    def _discard(self, count: int, *, last: bool) -> None:
        if last:
            self._chunks = None
            self._body_left = 0
            self._state = HEAD
            self._request = None
            self._renew()
        elif self._chunks is not None and self._body_left > self._shared.limits.discard_bytes:
            self._transport.abort()

    # ---- the handler

    def _tell(self, data: bytes, *, last: bool) -> None:
        handler = self._handler
        if handler is not None:
            handler.on_body(data, last)

    def _tell_writable(self, writable: bool) -> None:
        handler = self._handler
        if handler is not None and (self._answer != DONE or self._tunnel):
            handler.on_client_writable(writable)

    def _drop_handler(self) -> None:
        """The client is gone for the handler, if it still works on a request."""
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                handler.on_gone()
            except Exception:
                _log.exception("a handler failed when its client went")

    def _fail(self) -> None:
        """A handler failed: 500 where no answer has begun, else a visible cut."""
        self._drop_handler()
        self._refuse(Malformed(500, "An unexpected error occurred"))

    # ---- ends

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

    def _go_on(self) -> None:
        """Read what waits in the buffer."""
        data, self._buffer = self._buffer, b""
        self._transport.resume_reading()
        self._pump(data)

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

    # ---- tunnels

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

    # ---- flow and state, for the handler and the listener

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
