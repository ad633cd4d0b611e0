"""The reading half of a connection to an upstream: answers, whole, streamed, interim, broken or cut.

Owns what is accepted as an answer and how its end is known. An exchange that ended lets its user go (``NOBODY``), so
that both are freed at once: as a cycle they would fill the memory until the collector comes, which takes a tenth of the
processor at full load. The connection's life is ``wire.carrier``'s. Exceptions
of the answer's user end here: logged once, told to it as a failure.
"""

import logging
import os
from contextlib import suppress

from aimon_local.wire.carrier import CHUNKED, DEAD, FIXED, HEAD, IDLE, TUNNEL, UNTIL_CLOSE, Carrier
from aimon_local.wire.chunks import ChunkDecoder, LawfulChunkDecoder
from aimon_local.wire.exchange import NOBODY
from aimon_local.wire.law import read_response
from aimon_local.wire.message import FailureKind, ResponseHead
from aimon_local.wire.scanner import scan_response
from aimon_local.wire.strict import Malformed, bad

_log = logging.getLogger(__name__)

_FAULT = "fault of our own"
_INTERIM = 16  # interim answers before the final one; more is a broken upstream
_SALVAGE = 256 * 1024  # bytes of an early answer that are read from a connection which broke while we wrote


class UpstreamConnection(Carrier):
    """A connection to an origin."""

    __slots__ = ()

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
            exchange.events = NOBODY
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
        if last:
            exchange.events = NOBODY

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
        exchange.events = NOBODY

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
        if head is not None:
            if not trailers:
                exchange.events.on_head(head, data, True)
                exchange.events = NOBODY
                return
            exchange.events.on_head(head, data, False)
            data = b""
        if trailers:
            exchange.events.on_trailers(trailers)  # of whoever still listens: the head may have been enough
        exchange.events.on_data(data, True)
        exchange.events = NOBODY

    # ---- when nothing more comes

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
