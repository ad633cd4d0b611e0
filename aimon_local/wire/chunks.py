"""Bodies in the chunked transfer coding (RFC 9112 §7.1), decoded strictly.

Pure and incremental: bytes in, the body's bytes out; after ``done`` what follows the message is in ``rest``. Sizes are
one to sixteen hex digits, line ends are exact, extensions are dropped and bounded, trailers are parsed and never become
fields of the head.
"""

import re

import h11

from aimon_local.wire.limits import Limits
from aimon_local.wire.message import Header
from aimon_local.wire.strict import MAX_LENGTH, bad, check_bytes

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(;[\t\x20-\x7e\x80-\xff]*)?")
_FIELD = re.compile(rb"([-!#$%&'*+.^_`|~0-9a-zA-Z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")

_LINE, _DATA, _TRAILERS = range(3)


class ChunkDecoder:
    """One chunked body. ``trailers`` stands when ``done`` is true."""

    __slots__ = ("_buffer", "_extensions", "_left", "_limits", "_state", "done", "rest", "trailers")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = b""
        self._left = 0  # of the chunk and its line end
        self._extensions = 0
        self._state = _LINE
        self.done = False
        self.rest = b""
        self.trailers: list[Header] = []

    def feed(self, data: bytes) -> bytes:
        """The body bytes that ``data`` brings; raises ``Malformed``."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        pieces: list[bytes] = []
        at = 0
        while not self.done and at < len(data):
            if self._state == _DATA:
                at = self._take_data(data, at, pieces)
            elif self._state == _LINE:
                at = self._take_size(data, at)
            else:
                at = self._take_trailers(data, at)
            if at < 0:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take_data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        left = self._left
        if left > 2:
            piece = data[at : at + left - 2]
            pieces.append(piece)
            at += len(piece)
            self._left = left = left - len(piece)
        if left <= 2:
            end = data[at : at + left]
            if end != b"\r\n"[2 - left : 2 - left + len(end)]:
                bad("a chunk doesn't end where it should")
            at += len(end)
            self._left = left - len(end)
            if not self._left:
                self._state = _LINE
        return at

    def _take_size(self, data: bytes, at: int) -> int:
        limit = self._limits.chunk_line_bytes
        end = data.find(b"\r\n", at, at + limit)
        if end < 0:
            self._check_partial(data[at : at + limit + 1], limit)
            self._buffer = data[at:]
            return -1
        found = _SIZE.fullmatch(data, at, end)
        if found is None:
            bad("bad chunk size")
        if found[2]:
            self._extensions += len(found[2])
            if self._extensions > self._limits.chunk_extension_bytes:
                bad("too many chunk extensions")
        size = int(found[1], 16)
        if size > MAX_LENGTH:
            bad("chunk too large")
        self._left = size + 2
        self._state = _DATA if size else _TRAILERS
        return end + 2

    def _check_partial(self, line: bytes, limit: int) -> None:
        if len(line) > limit:
            bad("chunk line too long")
        if _SIZE.fullmatch(line.removesuffix(b"\r").rstrip(b" \t") or b"0") is None:
            bad("bad chunk size")

    def _take_trailers(self, data: bytes, at: int) -> int:
        limit = self._limits.trailer_bytes
        if data.startswith(b"\r\n", at):
            return self._finish(data, at + 2)
        end = data.find(b"\r\n\r\n", at, at + limit)
        if end < 0:
            if len(data) - at >= limit:
                bad("trailers too long")
            self._buffer = data[at:]
            check_bytes(self._buffer.removesuffix(b"\r"))
            return -1
        check_bytes(data[at:end])
        for line in data[at:end].split(b"\r\n"):
            found = _FIELD.fullmatch(line)
            if found is None:
                bad("bad trailer")
            self.trailers.append((found[1].lower(), found[2], found[1] + b": " + found[2]))
        return self._finish(data, end + 4)

    def _finish(self, data: bytes, at: int) -> int:
        self.done = True
        self.rest = data[at:]
        return at


class LawfulChunkDecoder(ChunkDecoder):
    """The same, with h11 decoding beside it (``http="h11"``): the bytes are h11's, and both must agree."""

    __slots__ = ("_law",)

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._law = h11.Connection(h11.SERVER, limits.chunk_line_bytes + limits.trailer_bytes)
        self._law.receive_data(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        self._law.next_event()

    def feed(self, data: bytes) -> bytes:
        """As above."""
        ours = super().feed(data)
        pieces: list[bytes] = []
        law = self._law
        if data:  # no bytes would mean the end of the connection
            law.receive_data(data)
        try:
            while isinstance(event := law.next_event(), h11.Data):
                pieces.append(bytes(event.data))
        except h11.RemoteProtocolError as error:
            bad(str(error))
        if b"".join(pieces) != ours or isinstance(event, h11.EndOfMessage) != self.done:
            bad("readers of a chunked body disagree")
        return ours
