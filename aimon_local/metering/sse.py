"""Server-sent events, cut out of a stream of bytes without changing one (WHATWG HTML, "event stream").

``Splitter`` gives whole events as they stood, so that what is passed on is byte-exact; ``parse`` reads one. Any split
of the bytes gives the same events (a property test holds it). An event that outgrows ``MOST`` is passed on unread.
"""

import re
from dataclasses import dataclass

MOST = 1 << 20  # bytes of one event that are kept back to be read

# An event ends with an empty line; lines end with CRLF, LF or CR.
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n|\n\r(?!\n)|\r\n\r(?!\n)")
_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name ("message" where none is given) and its data lines joined by LF."""

    name: str
    data: bytes


class Splitter:
    """Takes bytes, gives whole raw events; the rest waits. ``overflow`` says that a giant was let through unread."""

    __slots__ = ("_buffer", "_searched", "overflow")

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0  # no end lies before this offset
        self.overflow = False

    def feed(self, data: bytes) -> list[bytes]:
        """The raw events, with their empty line, that are complete with these bytes."""
        buffer = self._buffer + data if self._buffer else data
        events: list[bytes] = []
        start, search = 0, max(0, self._searched - 4)
        while (end := _END.search(buffer, search)) is not None:
            stop = end.end()
            if buffer[stop - 1 : stop] == b"\r" and stop == len(buffer):
                break  # a CR at the very end may be half of a CRLF
            events.append(buffer[start:stop])
            start = search = stop
        rest = buffer[start:]
        if len(rest) > MOST:
            self.overflow = True
            events.append(rest)
            rest = b""
        self._buffer, self._searched = rest, len(rest)
        return events

    def rest(self) -> bytes:
        """What was left when the stream ended: an event without its empty line."""
        rest, self._buffer, self._searched = self._buffer, b"", 0
        return rest


def parse(raw: bytes) -> Event:
    """One raw event; comment lines and unknown fields are skipped."""
    name, data = "message", []
    for line in _LINE.split(raw):
        field, colon, value = line.partition(b":")
        if not colon and not field:
            continue
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event" and value:
            name = value.decode("utf-8", "replace")
    return Event(name, b"\n".join(data))
