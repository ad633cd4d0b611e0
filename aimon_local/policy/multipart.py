"""multipart/form-data bodies (RFC 7578) as a list of parts that can be edited and written again, all of it bytes.

A part that is not touched keeps its header lines and its content byte for byte. Parts without a name are dropped when
the body is written again, as Kong's library does.
"""

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(rb';\s*boundary=("[^"]+"|\'[^\']+\'|[^\s;]+)', re.IGNORECASE)
_NAME = re.compile(rb';\s*name=(?:"([^"]*)"|([^\s;]+))', re.IGNORECASE)


@dataclass(slots=True)
class Part:
    """One field: its name, its header lines without line ends, its content."""

    name: bytes
    lines: list[bytes]
    content: bytes


class Multipart:
    """A body, opened by the boundary that its Content-Type names."""

    __slots__ = ("_boundary", "parts")

    def __init__(self, body: bytes, content_type: bytes) -> None:
        """Raises ValueError for a Content-Type without a boundary."""
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise ValueError("multipart without a boundary")
        self._boundary = found[1].strip(b"\"'")
        self.parts = [part for piece in self._pieces(body) if (part := _part(piece)) is not None]

    def _pieces(self, body: bytes) -> list[bytes]:
        """What stands between one delimiter line and the next."""
        delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(self._boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
        pieces, begin = [], None
        for found in delimiter.finditer(body):
            if begin is not None:
                pieces.append(body[begin : found.start()])
            if found[1]:
                break
            begin = found.end()
        return pieces

    def get(self, name: bytes) -> bytes | None:
        """The content of the first part of a name."""
        return next((part.content for part in self.parts if part.name == name), None)

    def set(self, name: bytes, content: bytes) -> None:
        """Replace the first part of a name by a plain field, or append it."""
        new = Part(name, [b'Content-Disposition: form-data; name="' + _quoted(name) + b'"'], content)
        for place, part in enumerate(self.parts):
            if part.name == name:
                self.parts[place] = new
                return
        self.parts.append(new)

    def delete(self, name: bytes) -> None:
        """Drop all parts of a name."""
        self.parts = [part for part in self.parts if part.name != name]

    @property
    def closing(self) -> bytes:
        """The line that ends a body: a form without fields."""
        return b"--" + self._boundary + b"--\r\n"

    def render(self) -> bytes:
        """The body; empty where no part is left."""
        if not self.parts:
            return b""
        delimiter = b"--" + self._boundary
        out = [b"\r\n".join([delimiter, *part.lines, b"", part.content, b""]) for part in self.parts]
        return b"".join([*out, self.closing])


def _part(piece: bytes) -> Part | None:
    head, _, content = re.sub(rb"\A\r?\n", b"", piece, count=1).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for line in lines:
        if line.lower().startswith(b"content-disposition:"):
            named = _NAME.search(line)
            return Part(named[1] if named[1] is not None else named[2], lines, content) if named else None
    return None


def _quoted(name: bytes) -> bytes:
    """A name that can't break out of its quotes (WHATWG form encoding)."""
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
