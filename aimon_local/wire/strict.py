"""What h11 leaves open and we don't: the rules that a head must keep beyond the grammar.

Pure: bytes and parsed fields in, a head or ``Malformed`` out. Both readers (h11's and the scanner's) end here or keep
the same rules by construction; the differential test holds them together. Rules of requests and of answers stand side
by side, since a gateway that is strict on one side only can be fooled from the other.
"""

import re
from typing import NoReturn

from aimon_local.wire.message import Header, RequestHead, ResponseHead

MAX_LENGTH = (1 << 63) - 1  # what every peer can hold in a signed 64-bit number

# RFC 9110 §7.6.1, and what its predecessors and practice add: fields of one connection, never passed on.
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)

# Fields that make sense once (nginx refuses two of them); Host and the framing fields have rules of their own.
ONCE = frozenset(
    (
        b"authorization",
        b"content-range",
        b"expect",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
    )
)

# CR and LF only as a pair, no fold, no control byte but HT.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n|\n[ \t]")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_HIGH = re.compile(rb"[\x80-\xff]")
_FIRST_BYTES = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+(?: [^\x00-\x20\x7f]*(?: [HTP/0-9.]*\r?)?)?")
_FRAMED_TWICE = "both Content-Length and Transfer-Encoding"


class Malformed(Exception):
    """A message that is not passed on; ``status`` is for the client (an upstream's is 502), ``message`` Kong's."""

    def __init__(self, status: int, message: str, detail: str = "") -> None:
        super().__init__(detail or message)
        self.status = status
        self.message = message


BAD_REQUEST = "Bad request"
HEAD_TOO_LARGE = "Request header or cookie too large"
TARGET_TOO_LONG = "URI too long"


def bad(detail: str) -> NoReturn:
    """Refuse as ambiguous or broken; the detail is for logs and tests, never for the peer."""
    raise Malformed(400, BAD_REQUEST, detail)


def check_bytes(raw: bytes) -> None:
    """The bytes of a whole head (without its empty line): exact line ends, no fold, no control bytes."""
    found = _FORBIDDEN.search(raw)
    if found is not None:
        bad(f"byte {found[0]!r} in a head")


def check_beginning(raw: bytes) -> None:
    """The first bytes of a request whose head is not complete: refuse now what can't become one."""
    line, end, _ = raw.partition(b"\r\n")
    if _FIRST_BYTES.fullmatch(line) is None or (end and line.count(b" ") != 2):
        bad("not a request line")
    found = _FORBIDDEN.search(raw.rstrip(b"\r"))
    if found is not None:
        bad(f"byte {found[0]!r} in a head")


def encode_high_bytes(raw: bytes) -> bytes:
    """Percent-encode what is not ASCII in the request line: the same URI (RFC 3986 §2.5), as nginx takes it."""
    end = raw.find(b"\r\n")
    line = raw if end < 0 else raw[:end]
    if line.isascii():
        return raw
    return _HIGH.sub(lambda found: b"%%%02X" % found[0][0], line) + raw[len(line) :]


def content_length(value: bytes) -> int:
    """The value of Content-Length: digits, below 2^63 (RFC 9110 §8.6)."""
    if _LENGTH.fullmatch(value) is None or int(value) > MAX_LENGTH:
        bad("bad Content-Length")
    return int(value)


def framing(fields: list[Header], *, http11: bool) -> tuple[int | None, bool]:
    """(Content-Length, chunked) of a message; anything that two readers could take differently is refused."""
    length: int | None = None
    chunked = False
    for name, value, _ in fields:
        if name == b"content-length":
            if length is not None:
                bad("two Content-Lengths")
            length = content_length(value)
        elif name == b"transfer-encoding":
            if chunked or value.lower() != b"chunked":
                raise Malformed(501, "Not implemented", "Transfer-Encoding is not one chunked")
            chunked = True
    if chunked and length is not None:
        bad(_FRAMED_TWICE)
    if chunked and not http11:
        bad("Transfer-Encoding in HTTP/1.0")
    return length, chunked


def tokens(fields: list[Header], wanted: bytes) -> list[bytes]:
    """The lower-case members of a list field, over all its lines."""
    return [
        token
        for name, value, _ in fields
        if name == wanted
        for part in value.lower().split(b",")
        if (token := part.strip(b" \t"))
    ]


def keeps_alive(connection: list[bytes], *, http11: bool) -> bool:
    """Whether the sender means to go on (RFC 9112 §9.3)."""
    if b"close" in connection:
        return False
    return http11 or b"keep-alive" in connection


def is_authority(value: bytes) -> bool:
    """Whether a Host value names one host, with an optional port (RFC 9110 §7.2), and nothing else."""
    return _AUTHORITY.fullmatch(value) is not None


def destination(method: bytes, target: bytes, host: bytes | None) -> tuple[bytes, bytes]:
    """(host, path) of a target in any form that a gateway takes (RFC 9112 §3.2); an absolute-form's authority wins."""
    if method == b"CONNECT":
        raise Malformed(405, "Method not allowed", "CONNECT")
    if b"#" in target:
        bad("fragment in a target")
    if target[:1] == b"/":
        return host or b"", target
    if target == b"*" and method == b"OPTIONS":
        return host or b"", target
    found = _ABSOLUTE.fullmatch(target)
    if found is None or not is_authority(found[1]):
        bad("target of no known form")
    path = found[2]
    return found[1], path if path[:1] == b"/" else b"/" + path


def request_head(method: bytes, target: bytes, version: bytes, fields: list[Header]) -> RequestHead:
    """A request's head from its parsed parts, held to all rules."""
    if version[:2] != b"1.":
        raise Malformed(505, "HTTP version not supported", "version")
    http11 = version != b"1.0"
    hosts = [value for name, value, _ in fields if name == b"host"]
    if len(hosts) > 1 or (http11 and not hosts):
        bad("not one Host")
    if hosts and not is_authority(hosts[0]):
        bad("bad Host")
    length, chunked = framing(fields, http11=http11)
    host, path = destination(method, target, hosts[0] if hosts else None)
    connection = tokens(fields, b"connection")
    return RequestHead(
        method,
        target,
        http11,
        fields,
        host,
        path,
        length,
        chunked,
        keeps_alive(connection, http11=http11),
        http11 and b"100-continue" in tokens(fields, b"expect"),
        _upgrade(method, fields, connection, http11=http11, body=chunked or bool(length)),
        nominated(connection),
    )


def nominated(connection: list[bytes]) -> tuple[bytes, ...]:
    """The fields that a Connection list names."""
    return tuple(token for token in connection if token not in (b"close", b"keep-alive"))


def _upgrade(method: bytes, fields: list[Header], connection: list[bytes], *, http11: bool, body: bool) -> bytes | None:
    """The protocol asked for, where we tunnel it: WebSocket alone (an h2c tunnel would escape every rule)."""
    if not http11 or body or method != b"GET" or b"upgrade" not in connection:
        return None
    values = [value for name, value, _ in fields if name == b"upgrade"]
    return values[0] if len(values) == 1 and values[0].lower() == b"websocket" else None


def has_body(method: bytes, status: int, length: int | None) -> bool:
    """Whether body bytes can follow an answer's head (RFC 9112 §6.3); a body of length 0 doesn't count."""
    return method != b"HEAD" and status not in (204, 304) and length != 0


def response_head(
    method: bytes, status: int, reason: bytes, version: bytes, fields: list[Header]
) -> tuple[ResponseHead, bool]:
    """(head, its connection may be used again) of an answer to ``method``, hop-by-hop and framing fields taken out."""
    if version[:2] != b"1." or status < 100:
        bad("not an HTTP/1 answer")
    http11 = version != b"1.0"
    connection = tokens(fields, b"connection")
    if status < 200 or status == 204:
        length, chunked = None, False
    else:
        length, chunked = framing(fields, http11=http11)
    dropped = HOP_BY_HOP.union(nominated(connection)) - ({b"upgrade"} if status == 101 else frozenset())
    kept = [each for each in fields if each[0] not in dropped and each[0] != b"content-length"]
    body = has_body(method, status, length)
    head = ResponseHead(status, reason, http11, kept, length, chunked and body, body)
    delimited = not body or chunked or length is not None
    return head, http11 and delimited and b"close" not in connection
