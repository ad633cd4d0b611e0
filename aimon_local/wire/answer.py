"""The writing half of a client connection: answers, whole or streamed, in as few writes as they allow.

Owns the framing of answers: length, chunks or close, and what may have no body. What happens to the connection once an
answer is out (``_answered``) is the reading half's (``wire.connection``). Field lines come from above and are checked
here for line breaks, since nothing else stands between decoded data and the wire.
"""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from aimon_local.wire.message import Handler, Header, RequestHead

_REASONS = {each.value: each.phrase.encode() for each in HTTPStatus}
_REMEMBERED = 512  # first lines
_KEEP = b"Connection: keep-alive\r\n\r\n"
_CLOSE = b"Connection: close\r\n\r\n"
_SWITCH = b"Connection: upgrade\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

ABSENT, STARTED, DONE = range(3)  # what there is of an answer


def head_block(lines: list[bytes]) -> bytes:
    """Field lines as they go out; a line break inside one would be a field of somebody else's making."""
    if not lines:
        return b""
    block = b"\r\n".join(lines) + b"\r\n"
    count = len(lines)
    if block.count(b"\n") != count or block.count(b"\r") != count:
        raise ValueError("line break in a field line")
    return block


class _StatusLines(dict[tuple[int, bytes], bytes]):
    """First lines of answers, with their line ends, by status and reason; the usual reason where none is given."""

    def __missing__(self, key: tuple[int, bytes]) -> bytes:
        status, reason = key
        if b"\r" in reason or b"\n" in reason:
            raise ValueError("line break in a reason")
        line = b"HTTP/1.1 %d %b\r\n" % (status, reason or _REASONS.get(status, b""))
        if len(self) >= _REMEMBERED:
            self.clear()
        self[key] = line
        return line


status_lines = _StatusLines()


class Answering(asyncio.Protocol):
    """The ``Client`` that a handler answers; one request at a time."""

    __slots__ = (
        "_answer",
        "_chunked",
        "_close",
        "_handler",
        "_owed",
        "_request",
        "_silent",
        "_transport",
        "_tunnel",
        "_waits",
        "_write",
        "_write_paused",
    )

    _transport: asyncio.Transport
    _write: Callable[[bytes], None]

    def _reset(self) -> None:
        """Before the first request."""
        self._handler: Handler | None = None
        self._request: RequestHead | None = None
        self._answer = DONE
        self._close = False  # the connection, after the answer
        self._chunked = False
        self._silent = False  # no body bytes may follow the head
        self._owed: int | None = None  # bytes still to come of a declared length
        self._waits = False  # the client waits for 100 Continue
        self._tunnel = False
        self._write_paused = False

    # ---- what the reading half decides

    def _may_go_on(self) -> bool:
        """Whether the connection can carry another request after this one."""
        raise NotImplementedError

    def _answered(self) -> None:
        """The answer is out."""
        raise NotImplementedError

    def _cut(self, *, framed: bool) -> None:
        """The answer can't be completed."""
        raise NotImplementedError

    def _switched(self) -> None:
        """The connection is a tunnel from here on."""
        raise NotImplementedError

    # ---- answers

    def respond(
        self, status: int, lines: list[bytes], body: bytes, *, reason: bytes = b"", length: int | None = None
    ) -> None:
        """The whole answer in one write.

        ``length`` is declared in place of the body's where none goes out (HEAD, 304): what the body would have been.
        """
        if self._answer != ABSENT and not self._may_answer():
            return
        request = self._request
        first, block = status_lines[status, reason], head_block(lines)
        connection = self._connection_line()
        if request is not None and request.method == b"HEAD":
            length = len(body) if length is None else length
            framing = b"Content-Length: %d\r\n" % length if status not in (204, 304) or length else b""
            body = b""
        elif status in (204, 304):
            framing = b"Content-Length: %d\r\n" % length if length and status == 304 else b""
            body = b""
        else:
            framing = b"Content-Length: %d\r\n" % len(body)
        self._answer = DONE
        self._write(b"%b%b%b%b%b" % (first, block, framing, connection, body))
        self._answered()

    def start(
        self, status: int, lines: list[bytes], length: int | None, data: bytes = b"", *, reason: bytes = b""
    ) -> None:
        """The head of a streamed answer, with its first bytes. 101 makes the connection a tunnel."""
        if not self._may_answer():
            return
        head = status_lines[status, reason] + head_block(lines)
        self._answer = STARTED
        self._chunked = False
        self._owed = None
        request = self._request
        self._silent = status in (204, 304) or (request is not None and request.method == b"HEAD")
        if status == 101:
            self._tunnel = True
            self._write(head + _SWITCH + data)
            self._switched()
            return
        framing = self._frame(request, length, status)
        self._write(b"%b%b%b%b" % (head, framing, self._connection_line(), self._framed(data)))

    def _frame(self, request: RequestHead | None, length: int | None, status: int) -> bytes:
        """The framing field of a streamed answer; sets how its bytes are written."""
        if self._silent:
            return b"" if length is None or status == 204 else b"Content-Length: %d\r\n" % length
        if length is not None:
            self._owed = length
            return b"Content-Length: %d\r\n" % length
        if request is None or request.http11:
            self._chunked = True
            return b"Transfer-Encoding: chunked\r\n"
        self._close = True  # HTTP/1.0: the end of the connection is the end of the body
        return b""

    def _framed(self, data: bytes) -> bytes:
        """Body bytes as they go out."""
        if not data or self._silent:
            return b""
        if self._chunked:
            return b"%x\r\n%b\r\n" % (len(data), data)
        if self._owed is not None:
            self._owed -= len(data)
            if self._owed < 0:
                raise RuntimeError("more bytes than the declared length")
        return data

    def _may_answer(self) -> bool:
        """False: the client is gone, so the answer is dropped; a second answer is a fault of the handler."""
        if self._answer == ABSENT:
            return True
        if self._handler is None:
            return False
        raise RuntimeError("answered already")

    def write(self, data: bytes) -> None:
        """Body bytes of a streamed answer; dropped once the client is gone."""
        if self._answer == STARTED and data:
            framed = self._framed(data)
            if framed:
                self._write(framed)

    def end(self, data: bytes = b"", trailers: Sequence[Header] = ()) -> None:
        """The streamed answer is complete; a declared length that is not reached cuts the connection."""
        if self._answer != STARTED:
            return
        framed = self._framed(data)
        if self._chunked:
            block = head_block([each[2] for each in trailers])
            framed = b"%b0\r\n%b\r\n" % (framed, block)
        if framed:
            self._write(framed)
        if self._owed:
            self.abort()
            return
        self._answer = DONE
        self._answered()

    def informational(self, status: int, lines: list[bytes]) -> None:
        """An interim answer; dropped for HTTP/1.0 and once the final one began."""
        request = self._request
        if self._answer == ABSENT and request is not None and request.http11 and status != 101:
            self._write(b"%b%b\r\n" % (status_lines[status, b""], head_block(lines)))
            self._waits = self._waits and status != 100

    def want_body(self) -> None:
        """The body is wanted now: sends 100 Continue if the client waits for it."""
        if self._waits and self._answer == ABSENT:
            self._waits = False
            self._write(_CONTINUE)

    def abort(self) -> None:
        """Cut the connection visibly: the answer can't be completed."""
        framed = self._answer == STARTED and not self._tunnel and (self._chunked or self._owed is not None)
        self._answer = DONE
        self._cut(framed=framed)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are and close: for a mock of broken servers, never for a gateway."""
        if self._may_answer():
            self._answer = DONE
            if data:
                self._write(data)
            self._cut(framed=True)

    def close_after(self) -> None:
        """Close once the answer is out."""
        self._close = True

    def _connection_line(self) -> bytes:
        """Keep-alive or close, decided when the head goes out."""
        if not self._close and not self._may_go_on():
            self._close = True
        return _CLOSE if self._close else _KEEP
