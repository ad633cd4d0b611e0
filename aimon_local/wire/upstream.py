"""One connection to an upstream: a request out, an answer in, and whether it is clean enough for another.

Owns the framing of both, deadlines, and the verdict on reuse: only after an answer that ended well, with the request
sent whole and not a byte too many; everything else is closed. Which connection a request gets, and a second try, are
the pool's and its user's.
"""

import asyncio
import logging
import os
import select
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, cast

from aimon_local.wire.chunks import ChunkDecoder, LawfulChunkDecoder
from aimon_local.wire.deadlines import NEVER
from aimon_local.wire.law import read_response
from aimon_local.wire.message import FailureKind, ResponseHead
from aimon_local.wire.scanner import scan_response
from aimon_local.wire.strict import Malformed, bad

if TYPE_CHECKING:
    from aimon_local.wire.exchange import UpstreamExchange
    from aimon_local.wire.lane import Lane
    from aimon_local.wire.pool import Pool

_log = logging.getLogger(__name__)

_FAULT = "fault of our own"
_INTERIM = 16  # interim answers before the final one; more is a broken upstream
_SALVAGE = 256 * 1024  # bytes of an early answer that are read from a connection which broke while we wrote
_PEEK_AFTER = 0.02  # seconds idle after which a connection is looked at once more before it is used

# What the next byte of the upstream is:
IDLE = 0  # not allowed
HEAD = 1  # of an answer
FIXED = 2  # of a body with a length
CHUNKED = 3
UNTIL_CLOSE = 4  # of a body that ends with the connection
TUNNEL = 5  # of another protocol
DEAD = 6


class UpstreamConnection(asyncio.Protocol):
    """A connection to an origin; serves one exchange at a time."""

    __slots__ = (
        "_buffer",
        "_chunks",
        "_eof",
        "_exchange",
        "_interim",
        "_left",
        "_pool",
        "_read_paused",
        "_state",
        "_transport",
        "_upload",
        "_upload_left",
        "_write",
        "_write_paused",
        "deadline",
        "ip",
        "lane",
        "port",
        "served",
    )

    _transport: asyncio.Transport
    _write: Callable[[bytes], None]

    def __init__(self, pool: "Pool", lane: "Lane[UpstreamConnection]") -> None:
        self._pool = pool
        self.lane = lane
        self._state = IDLE
        self._exchange: UpstreamExchange | None = None
        self._buffer = b""
        self._chunks: ChunkDecoder | None = None
        self._left = 0
        self._eof = False  # the upstream's half of a tunnel has ended
        self._interim = 0
        self._upload = False  # the request's body is not out as a whole
        self._upload_left: int | None = None  # bytes of it, where its length is declared
        self._read_paused = False
        self._write_paused = False
        self.deadline = NEVER
        self.served = 0  # requests before this one
        self.ip = ""
        self.port = 0

    # ---- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        peer = transport.get_extra_info("peername") or ("", 0)
        self.ip, self.port = peer[0], peer[1]
        self._pool.deadlines.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        exchange = self._exchange
        if exchange is None:
            self._retire()  # bytes that nobody asked for reach nobody
            return
        try:
            self._receive(data)
        except Malformed as error:
            self._fail(FailureKind.BAD_ANSWER if self._state == HEAD else FailureKind.CUT, str(error))
        except Exception:
            _log.exception("the user of an upstream answer failed")
            if self._exchange is exchange:
                self._fail(FailureKind.CUT, _FAULT)
            else:
                exchange.break_off(_FAULT)

    def eof_received(self) -> bool:
        """The upstream sends no more."""
        state = self._state
        exchange = self._exchange
        if state == TUNNEL and exchange is not None:
            self._eof = True
            exchange.events.on_data(b"", True)
            if not self._upload:
                self._end_tunnel(exchange)
            return True
        self._ended(clean=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._exchange is not None and exc is not None and self._state in (HEAD, FIXED, CHUNKED):
            self._salvage()
        self._ended(clean=exc is None)
        self._state = DEAD
        self._pool.lost(self)

    def pause_writing(self) -> None:
        """The upstream takes less than we send."""
        self._write_paused = True
        exchange = self._exchange
        if exchange is not None:
            self._set_deadline(exchange.request.timeouts.write)
            exchange.events.on_writable(False)

    def resume_writing(self) -> None:
        """It has caught up."""
        self._write_paused = False
        exchange = self._exchange
        if exchange is not None:
            self._renew()
            exchange.events.on_writable(True)

    def on_deadline(self, now: float) -> None:
        """Too long between two steps of an exchange, or idle for long enough."""
        self.deadline = NEVER
        if self._exchange is None:
            self._retire()
        else:
            kind = FailureKind.WRITE_TIMEOUT if self._write_paused else FailureKind.READ_TIMEOUT
            self._fail(kind, "")

    # ---- the pool's and the exchange's calls

    @property
    def usable(self) -> bool:
        """Open and silent; one idle for a while is looked at once more, as the loop may not have seen its end."""
        if self._state != IDLE or self._transport.is_closing():
            return False
        idle_since = self.deadline - self._pool.idle_seconds
        return monotonic() - idle_since < _PEEK_AFTER or not self._readable()

    @property
    def congested(self) -> bool:
        """Whether the send buffer is full."""
        return self._write_paused

    def _readable(self) -> bool:
        socket = self._transport.get_extra_info("socket")
        if socket is None:
            return False
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(socket.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([socket.fileno()], [], [], 0)[0])

    def begin(self, exchange: "UpstreamExchange") -> None:
        """Send a request: whole in one write, or the head of one whose body streams."""
        request = exchange.request
        body = request.body
        self._exchange = exchange
        self._state = HEAD
        self._interim = 0
        if body is not None:
            self._upload = False
            if body or request.content_length is not None:
                self._write(b"%bContent-Length: %d\r\n\r\n%b" % (request.head, len(body), body))
            else:
                self._write(request.head + b"\r\n")
            if not self._write_paused:
                self._set_deadline(request.timeouts.read)
        else:
            self._upload = True
            self._upload_left = length = request.content_length
            framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
            self._write(b"%b%b\r\n\r\n" % (request.head, framing))
            self.deadline = NEVER
        exchange.sent = not self._transport.is_closing()  # a failed first write: nothing can have arrived

    def send_body(self, data: bytes) -> None:
        """Bytes of a streaming request, or into a tunnel."""
        if self._state == TUNNEL:
            self._write(data)
            self._renew()
        elif self._upload and data:
            if self._upload_left is None:
                self._write(b"%x\r\n%b\r\n" % (len(data), data))
                return
            self._upload_left -= len(data)
            if self._upload_left < 0:
                raise RuntimeError("more bytes than the declared length")
            self._write(data)

    def end_body(self) -> None:
        """The streaming request is complete; or our half of a tunnel."""
        exchange = self._exchange
        if self._state == TUNNEL and exchange is not None:
            self._upload = False
            if self._eof:
                self._end_tunnel(exchange)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
        elif self._upload:
            if self._upload_left:
                raise RuntimeError("fewer bytes than the declared length")
            self._upload = False
            if self._upload_left is None:
                self._write(b"0\r\n\r\n")
            self._renew()

    def pause(self) -> None:
        """Stop reading."""
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

    def abort(self) -> None:
        """Close hard; nothing is told."""
        self._exchange = None
        self._state = DEAD
        self._transport.abort()

    def close(self) -> None:
        """Close; an exchange that runs hears of a failure."""
        if self._exchange is not None:
            self._fail(FailureKind.CUT, "stopped")
        else:
            self._retire()

    # ---- time

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = at = monotonic() + seconds
        deadlines = self._pool.deadlines
        if at < deadlines.next:
            deadlines.note(at)

    def _renew(self) -> None:
        """The deadline that the state asks for."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._write_paused:
            self._set_deadline(exchange.request.timeouts.write)
        elif self._read_paused or (self._upload and self._state == HEAD):
            self.deadline = NEVER
        else:
            self._set_deadline(exchange.request.timeouts.read)

    # ---- reading

    def _receive(self, data: bytes) -> None:
        state = self._state
        if state == HEAD:
            self._take_head(self._buffer + data if self._buffer else data)
        elif state == FIXED:
            self._take_fixed(data)
        elif state == CHUNKED:
            self._take_chunked(data)
        else:
            self._pass(data, last=False)

    def _take_head(self, data: bytes) -> None:
        """Read heads until the final one; its body begins in the same bytes."""
        exchange = self._exchange
        assert exchange is not None
        pool = self._pool
        while True:
            exchange.answered = True
            end = data.find(b"\r\n\r\n")
            if end < 0 or end > pool.limits.head_bytes:
                self._wait_for_head(data)
                return
            raw = data[:end]
            method = exchange.request.method
            found = scan_response(raw, method) if pool.fast else None
            head, reusable = found or read_response(raw, method)
            if len(head.fields) > pool.limits.fields:
                bad("too many fields")
            data = data[end + 4 :]
            if head.status >= 200:
                self._buffer = b""
                self._begin_answer(head, reusable, data)
                return
            if head.status == 101:
                self._switch(head, data)
                return
            self._interim += 1
            if self._interim > _INTERIM:
                bad("too many interim answers")
            exchange.events.on_informational(head.status, head.fields)
            if self._exchange is not exchange:
                return

    def _wait_for_head(self, data: bytes) -> None:
        if len(data) > self._pool.limits.head_bytes:
            bad("head too large")
        if data[:5] != b"HTTP/"[: len(data)]:
            bad("not an HTTP answer")
        if data.count(b"\n") != data.count(b"\r\n"):
            bad("bare LF in a head")
        self._buffer = data
        if not self._upload and not self._write_paused:
            self._renew()

    def _switch(self, head: ResponseHead, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or not exchange.request.upgrade:
            bad("101 without having asked")
        self._buffer = b""
        self._state = TUNNEL
        self._upload = True  # our half of it
        self._renew()  # as Kong's: a tunnel in which nothing comes back for the read timeout is closed
        exchange.events.on_head(head, data, False)

    def _begin_answer(self, head: ResponseHead, reusable: bool, data: bytes) -> None:
        """The final head is here, with ``data`` after it."""
        exchange = self._exchange
        assert exchange is not None
        length = head.content_length
        if not head.has_body or (length is not None and length <= len(data)):
            body = data[:length] if head.has_body else b""
            self._finish(reusable and len(body) == len(data))
            exchange.done = True
            exchange.events.on_head(head, body, True)
            return
        exchange.reusable = reusable
        if head.chunked:
            chunks = self._chunks = (ChunkDecoder if self._pool.fast else LawfulChunkDecoder)(self._pool.limits)
            data = chunks.feed(data)
            if chunks.done:
                self._finish_chunked(head, data)
                return
            self._state = CHUNKED  # a bad chunk above is a bad answer: nobody has heard of its head yet
        elif length is not None:
            self._state = FIXED
            self._left = length - len(data)
        else:
            self._state = UNTIL_CLOSE
        if not self._write_paused:
            self._set_deadline(exchange.request.timeouts.read)
        exchange.events.on_head(head, data, False)

    def _end_tunnel(self, exchange: "UpstreamExchange") -> None:
        """Both sides have ended: the connection closes once everything is out."""
        exchange.done = True
        self._exchange = None
        self._state = DEAD
        self.deadline = NEVER
        self._transport.close()

    def _pass(self, data: bytes, *, last: bool) -> None:
        """Body bytes on their way; the connection is given back before the last of them are told."""
        exchange = self._exchange
        if exchange is None:
            return
        if last:
            exchange.done = True
        elif not self._write_paused and not self._read_paused:
            self._set_deadline(exchange.request.timeouts.read)
        exchange.events.on_data(data, last)

    def _take_fixed(self, data: bytes) -> None:
        left = self._left - len(data)
        exchange = self._exchange
        assert exchange is not None
        if left > 0:
            self._left = left
            self._pass(data, last=False)
            return
        body = data if not left else data[:left]
        self._finish(exchange.reusable and not left)
        exchange.done = True
        exchange.events.on_data(body, True)

    def _take_chunked(self, data: bytes) -> None:
        chunks = self._chunks
        assert chunks is not None
        data = chunks.feed(data)
        if chunks.done:
            self._finish_chunked(None, data)
        elif data:
            self._pass(data, last=False)
        else:
            self._renew()

    def _finish_chunked(self, head: ResponseHead | None, data: bytes) -> None:
        """A chunked answer ended; ``head`` where it began in the same bytes."""
        exchange, chunks = self._exchange, self._chunks
        assert exchange is not None
        assert chunks is not None
        trailers = chunks.trailers if exchange.request.accept_trailers else []
        self._finish(exchange.reusable and not chunks.rest)
        exchange.done = True
        events = exchange.events
        if head is not None:
            if not trailers:
                events.on_head(head, data, True)
                return
            events.on_head(head, data, False)
            data = b""
        if trailers:
            events.on_trailers(trailers)
        events.on_data(data, True)

    # ---- ends

    def _finish(self, reusable: bool) -> None:
        """The answer ended well: back to the pool, or away."""
        self._chunks = None
        self._exchange = None
        self.served += 1
        if self._read_paused:
            self.resume()
        if not reusable or self._upload or self._write_paused or self._transport.is_closing():
            self._retire()
            return
        self._state = IDLE
        self._pool.release(self)
        self._set_deadline(self._pool.idle_seconds)

    def _retire(self) -> None:
        self._exchange = None
        self._state = DEAD
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def _ended(self, *, clean: bool) -> None:
        """No more bytes will come."""
        exchange, state = self._exchange, self._state
        if exchange is None:
            if state == IDLE:
                self._retire()
            return
        if state == TUNNEL or (state == UNTIL_CLOSE and clean):
            self._retire()
            exchange.done = True
            exchange.events.on_data(b"", True)
        elif state == HEAD:
            self._fail(FailureKind.RESET, "closed" if clean else "reset")
        else:
            self._fail(FailureKind.CUT, "closed" if clean else "reset")

    def _salvage(self) -> None:
        """A write failed, but an answer may stand in the kernel's buffer (an early 413 and a reset): read it."""
        socket = self._transport.get_extra_info("socket")
        if socket is None or self._transport.get_extra_info("ssl_object") is not None:
            return
        taken = 0
        with suppress(OSError, ValueError):
            while taken < _SALVAGE and self._exchange is not None:
                data = os.read(socket.fileno(), 65536)
                if not data:
                    return
                taken += len(data)
                self.data_received(data)

    def _fail(self, kind: FailureKind, detail: str) -> None:
        """The exchange did not end well; the connection is of no use any more."""
        exchange, self._exchange = self._exchange, None
        self._state = DEAD
        self._chunks = None
        self._buffer = b""
        self._transport.abort()
        if exchange is not None:
            exchange.fail(kind, detail)
