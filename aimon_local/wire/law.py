"""Heads read by h11, the law of HTTP/1.1 here, and held to the rules that it leaves open (``strict``).

Pure: bytes of one whole head in, a head or ``Malformed`` out. h11 is used message by
message: connection state (keep-alive, pipelining, time) is ours, the grammar is its.
"""

import re

import h11

from aimon_local.wire.message import Header, RequestHead, ResponseHead
from aimon_local.wire.strict import (
    BAD_REQUEST,
    Malformed,
    bad,
    check_bytes,
    encode_high_bytes,
    request_head,
    response_head,
)

_LENGTHS = re.compile(rb"\ncontent-length:", re.IGNORECASE)
_LENGTH_LIST = re.compile(rb"\ncontent-length:[^\r\n]*,", re.IGNORECASE)
_ROOM = 1 << 20  # our own limits are tighter and were asked before


def read_request(raw: bytes) -> RequestHead:
    """The head of a request from its bytes, the empty line left out."""
    check_bytes(raw)
    raw = encode_high_bytes(raw)
    connection = h11.Connection(h11.SERVER, _ROOM)
    event = _read(connection, raw)
    if not isinstance(event, h11.Request):
        bad("not a request")
    _check_raw_lengths(raw)
    return request_head(event.method, event.target, event.http_version, _fields(event.headers))


def read_response(raw: bytes, method: bytes) -> tuple[ResponseHead, bool]:
    """(head, its connection may be used again) of an answer to ``method``."""
    check_bytes(raw)
    connection = h11.Connection(h11.CLIENT, _ROOM)
    if raw[9:10] == b"1":  # interim answers are read only after a request
        connection.send(h11.Request(method="GET", target="/", headers=[("host", "a"), ("upgrade", "a")]))
        connection.send(h11.EndOfMessage())
    event = _read(connection, raw)
    if not isinstance(event, h11.Response | h11.InformationalResponse):
        bad("not an answer")
    if event.status_code >= 200 and event.status_code != 204:
        _check_raw_lengths(raw)
    return response_head(method, event.status_code, event.reason, event.http_version, _fields(event.headers))


def _read(connection: h11.Connection, raw: bytes) -> object:
    """The one event of a head."""
    connection.receive_data(raw + b"\r\n\r\n")
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as error:
        status = error.error_status_hint
        raise Malformed(status, "Not implemented" if status == 501 else BAD_REQUEST, str(error)) from None


def _fields(headers: h11._headers.Headers) -> list[Header]:
    return [(name.lower(), value, name + b": " + value) for name, value in headers.raw_items()]


def _check_raw_lengths(raw: bytes) -> None:
    """Content-Length as it was sent: h11 folds equal ones, and lists of equal ones, into one, and we refuse two."""
    if len(_LENGTHS.findall(raw)) > 1 or _LENGTH_LIST.search(raw) is not None:
        bad("two Content-Lengths")
