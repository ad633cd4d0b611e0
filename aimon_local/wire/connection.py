"""The reading half of a client connection: from bytes to heads and bodies, one request at a time.

Owns what is accepted as a request, limits and pipelining: each request gets its own handler; one that comes while
another is answered waits in the buffer. Exceptions of a handler end here: logged once, answered with 500 where that
is still possible. When and how the connection ends is decided in ``wire.lifetime``.
"""

import logging
import re

from aimon_local.wire.answer import ABSENT, DONE
from aimon_local.wire.chunks import ChunkDecoder, LawfulChunkDecoder
from aimon_local.wire.deadlines import NEVER
from aimon_local.wire.law import read_request
from aimon_local.wire.lifetime import BODY, BUSY, DISCARD, HEAD, TUNNEL, Lifetime
from aimon_local.wire.message import RequestHead
from aimon_local.wire.scanner import scan_request
from aimon_local.wire.strict import HEAD_TOO_LARGE, TARGET_TOO_LONG, Malformed, check_beginning

_log = logging.getLogger(__name__)

_CR = 13
_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")  # in one step: a flood of them must cost no more than other bytes
_BODIES = (BODY, DISCARD)


class ServerConnection(Lifetime):
    """One client connection; the ``Client`` of its handlers."""

    __slots__ = ()

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

    def _go_on(self) -> None:
        """Read what waits in the buffer."""
        data, self._buffer = self._buffer, b""
        self._transport.resume_reading()
        self._pump(data)

    def _take_head(self, data: bytes) -> bytes:
        """Read one head and begin its request; returns what is left to read."""
        limits = self._shared.limits
        if self._write_paused:  # a client that reads no answers gets no more of them
            self._buffer = data
            self._transport.pause_reading()
            return b""
        if data[0] == _CR:
            data = _EMPTY_LINES.sub(b"", data, 1)  # RFC 9112 §2.2: they are ignored before a request
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
        if end > limits.target_bytes < len(head.target):
            raise Malformed(414, TARGET_TOO_LONG)
        if len(head.fields) > limits.fields:
            raise Malformed(431, HEAD_TOO_LARGE, "too many fields")
        return self._begin(head, data[end + 4 :])

    def _wait_for_head(self, data: bytes) -> None:
        """A head is not complete: refuse what can't become one, else wait, within the time for a whole head."""
        self._buffer = data
        if data in (b"", b"\r"):  # nothing yet, or half an empty line
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

    def _tell(self, data: bytes, *, last: bool) -> None:
        handler = self._handler
        if handler is not None:
            handler.on_body(data, last)
