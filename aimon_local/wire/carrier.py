"""The life of a connection to an upstream: requests out, deadlines, ends, and the verdict on reuse.

A connection serves again only after an answer that ended well, with the request sent whole and not a byte too many;
everything else is closed. Answers are read by ``wire.upstream``; which connection a request gets, and a second try,
are the pool's and its user's.
"""

import asyncio
import select
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aimon_local.wire.chunks import ChunkDecoder
from aimon_local.wire.deadlines import NEVER
from aimon_local.wire.message import FailureKind

if TYPE_CHECKING:
    from aimon_local.wire.exchange import UpstreamExchange
    from aimon_local.wire.lane import Lane
    from aimon_local.wire.pool import Pool

_PEEK_AFTER = 0.02  # seconds idle after which a connection is looked at once more before it is used

# What the next byte of the upstream is:
IDLE = 0  # not allowed
HEAD = 1  # of an answer
FIXED = 2  # of a body with a length
CHUNKED = 3
UNTIL_CLOSE = 4  # of a body that ends with the connection
TUNNEL = 5  # of another protocol
DEAD = 6


class Carrier(asyncio.Protocol):
    """A connection to an origin but for its reading; serves one exchange at a time."""

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

    def __init__(self, pool: "Pool", lane: "Lane[Carrier]") -> None:
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        peer = transport.get_extra_info("peername") or ("", 0)
        self.ip, self.port = peer[0], peer[1]
        self.deadline = self._pool.deadlines.now() + self._pool.idle_seconds  # should nobody come to use it
        self._pool.opened(self)

    # ---- the upstream's pace

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

    @property
    def congested(self) -> bool:
        """Whether the send buffer is full."""
        return self._write_paused

    # ---- the pool's and the exchange's calls

    @property
    def usable(self) -> bool:
        """Open and silent; one idle for a while is looked at once more, as the loop may not have seen its end."""
        if self._state != IDLE or self._transport.is_closing():
            return False
        idle_since = self.deadline - self._pool.idle_seconds
        return self._pool.deadlines.now() - idle_since < _PEEK_AFTER or not self._readable()

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
        deadlines = self._pool.deadlines
        self.deadline = at = deadlines.now() + seconds
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

    def on_deadline(self, now: float) -> None:
        """Too long between two steps of an exchange, or idle for long enough."""
        self.deadline = NEVER
        if self._exchange is None:
            self._retire()
        else:
            kind = FailureKind.WRITE_TIMEOUT if self._write_paused else FailureKind.READ_TIMEOUT
            self._fail(kind, "")

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

    def _end_tunnel(self, exchange: "UpstreamExchange") -> None:
        """Both sides have ended: the connection closes once everything is out."""
        exchange.done = True
        self._exchange = None
        self._state = DEAD
        self.deadline = NEVER
        self._transport.close()

    def _fail(self, kind: FailureKind, detail: str) -> None:
        """The exchange did not end well; the connection is of no use any more."""
        exchange, self._exchange = self._exchange, None
        self._state = DEAD
        self._chunks = None
        self._buffer = b""
        self._transport.abort()
        if exchange is not None:
            exchange.fail(kind, detail)
