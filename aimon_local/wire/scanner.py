"""The fast path: plain heads, read without h11.

Pure. It accepts only what has one meaning and nothing unusual: exact line ends, token names, one valid Host, at most
one framing field, HTTP/1.1, an origin-form target, no Upgrade, no Expect. Every other head is None: h11 decides. What
it accepts, h11 and ``strict`` read identically; a differential test holds that. Header lines are remembered by their
bytes, since most lines of a client never change.
"""

import re

from aimon_local.wire.message import Header, RequestHead, ResponseHead
from aimon_local.wire.strict import HOP_BY_HOP, ONCE, has_body, is_authority

_REMEMBERED = 4096  # lines
_NAMES = 512  # of fields
_FIRST_LINES = 512  # request lines, and status lines
_LINE_BYTES = 256  # longer lines are read each time
_VALUES = 256  # lines of one name, so that a name whose value always changes doesn't push the others out

_REQUEST = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x22\x24-\x7e]*) HTTP/1\.1")
_STATUS = re.compile(rb"HTTP/1\.1 ([2-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
# A value begins and ends with a visible byte; h11 counts \x80 and more as visible, and \x85 and \xa0 too.
_LINE = re.compile(
    rb"([-!#$%&'*+.^_`|~0-9a-zA-Z]+):[ \t]*"
    rb"((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*"
)
_DIGITS = 18  # of a Content-Length; below 2^63 in any case

# Fields of a request that mean something to the connection; ``_connection`` gives the verdict on them. With them those
# that come once: a head with two of one is not plain.
_SPECIAL = ONCE | {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"te", b"trailer"}
_HARMLESS = ONCE - {b"expect"}
_ANSWER_SPECIAL = HOP_BY_HOP | {b"content-length"}


_NOTHING: tuple[int | None, bool, bool] = (None, False, True)  # what no field at all says to the connection


class NotPlain(Exception):
    """A header line that h11 must read."""


class _Lines(dict[bytes, Header]):
    """Header lines taken apart, by their bytes; raises ``NotPlain``."""

    def __init__(self) -> None:
        self._values: dict[bytes, int] = {}  # lines that are remembered of a name
        self._names: dict[bytes, bytes] = {}  # lower-case names, by names as they came

    def __missing__(self, line: bytes) -> Header:
        title, _, value = line.partition(b": ")
        name = self._names.get(title, b"")
        # A number or an id under a known name is right without the expression; and of those each line is new.
        plain = name and value.replace(b"-", b"0").isalnum()
        field = (name, value, line) if plain else self._read(line)
        if len(line) <= _LINE_BYTES and self._values.get(field[0], 0) < _VALUES:
            self._remember(line, field)
        return field

    def _read(self, line: bytes) -> Header:
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotPlain
        title, value = found.groups()
        name = title.lower()
        if len(title) <= _LINE_BYTES:
            if len(self._names) >= _NAMES:
                self._names.clear()
            self._names[title] = name
        return name, value, title + b": " + value

    def _remember(self, line: bytes, field: Header) -> None:
        values = self._values
        if len(self) >= _REMEMBERED:
            self.clear()
            values.clear()
        values[field[0]] = values.get(field[0], 0) + 1
        self[line] = field


class _Hosts(dict[bytes, bool]):
    """Whether a Host value is one."""

    def __missing__(self, value: bytes) -> bool:
        verdict = is_authority(value)
        if len(value) <= _LINE_BYTES:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = verdict
        return verdict


class _Starts(dict[bytes, tuple[bytes, bytes]]):
    """Request lines taken apart, by their bytes: (method, target); raises ``NotPlain``."""

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        found = _REQUEST.fullmatch(line)
        if found is None or found[1] == b"CONNECT":
            raise NotPlain
        start = (found[1], found[2])
        if len(line) <= _LINE_BYTES:
            if len(self) >= _FIRST_LINES:
                self.clear()
            self[line] = start
        return start


class _Statuses(dict[bytes, tuple[int, bytes]]):
    """Status lines taken apart, by their bytes: (status, reason); raises ``NotPlain``."""

    def __missing__(self, line: bytes) -> tuple[int, bytes]:
        found = _STATUS.fullmatch(line)
        if found is None:
            raise NotPlain
        start = (int(found[1]), found[2] or b"")
        if len(line) <= _LINE_BYTES:
            if len(self) >= _FIRST_LINES:
                self.clear()
            self[line] = start
        return start


_read_start = _Starts().__getitem__
_read_status = _Statuses().__getitem__
_read_line = _Lines().__getitem__
_is_host = _Hosts().__getitem__


def scan_request(raw: bytes) -> RequestHead | None:
    """The head of a plain request from its bytes, the empty line left out; None: h11 decides."""
    first, *lines = raw.split(b"\r\n")
    try:
        method, target = _read_start(first)
        fields = list(map(_read_line, lines))
    except NotPlain:
        return None
    meaning: dict[bytes, bytes] = {}
    special = _SPECIAL
    for name, value, _ in fields:
        if name in special:
            if name in meaning:
                return None
            meaning[name] = value
    host = meaning.pop(b"host", None)
    if host is None or not _is_host(host):
        return None
    meaning.pop(b"authorization", None)
    found = _connection(meaning) if meaning else _NOTHING
    if found is None:
        return None
    length, chunked, keep_alive = found
    return RequestHead(method, target, True, fields, host, target, length, chunked, keep_alive, False, None, (), True)


def scan_response(raw: bytes, method: bytes) -> tuple[ResponseHead, bool] | None:
    """(head, its connection may be used again) of a plain answer to ``method``; None: h11 decides."""
    first, *lines = raw.split(b"\r\n")
    fields: list[Header] = []
    add = fields.append
    meaning: dict[bytes, bytes] = {}
    special = _ANSWER_SPECIAL
    try:
        status, reason = _read_status(first)
        for field in map(_read_line, lines):
            name = field[0]
            if name not in special:
                add(field)
            elif name in meaning:
                return None
            else:
                meaning[name] = field[1]
    except NotPlain:
        return None
    meaning.pop(b"keep-alive", None)
    if meaning.get(b"connection") == b"keep-alive":  # nginx says it, though HTTP/1.1 means it
        del meaning[b"connection"]
    found = _connection(meaning)
    if found is None:
        return None
    length, chunked, keep_alive = found
    if status == 204 and (chunked or length is not None):
        return None
    body = has_body(method, status, length)
    head = ResponseHead(status, reason, True, fields, length, chunked and body, body)
    return head, keep_alive and (not body or chunked or length is not None)


def _connection(meaning: dict[bytes, bytes]) -> tuple[int | None, bool, bool] | None:
    """(length, chunked, keep-alive) of a message whose fields say nothing else to the connection."""
    value = meaning.get(b"content-length")
    if value is not None and len(meaning) == 1 and value.isdigit() and len(value) <= _DIGITS:  # most of them
        return int(value), False, True
    length = None
    chunked = False
    keep_alive = True
    for name, value in meaning.items():
        if name == b"content-length":
            if not value.isdigit() or len(value) > _DIGITS:
                return None
            length = int(value)
        elif name == b"connection":
            token = value.lower()
            keep_alive = token == b"keep-alive"
            if not keep_alive and token != b"close":
                return None
        elif name == b"transfer-encoding" and value == b"chunked":
            chunked = True
        elif name not in _HARMLESS:
            return None
    return None if chunked and length is not None else (length, chunked, keep_alive)
