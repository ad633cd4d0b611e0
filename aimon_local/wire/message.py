"""The nouns of HTTP/1.1 on the wire, and who calls whom.

    client bytes → ServerConnection → Handler      (one per request, made by the connection's ``factory``)
    Handler → ServerConnection                      (respond, start, write, end, abort, pause, resume)
    Handler → Pool.send → Upstream → UpstreamEvents (usually the same object as the Handler)

All calls are plain synchronous calls on the event loop's thread. Field names are lower-case bytes; ``line`` is what
goes out, so a head is one join of lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

Header = tuple[bytes, bytes, bytes]  # (lower-case name, value, line)


@dataclass(slots=True)
class RequestHead:
    """A request's head, validated: one Host at most, unambiguous framing."""

    method: bytes
    target: bytes  # as received, of any form that is allowed
    http11: bool  # False: HTTP/1.0
    fields: list[Header]  # all of them, in order, hop-by-hop too
    host: bytes  # the Host value, b"" for HTTP/1.0 without; an absolute-form target's authority wins
    path: bytes  # origin-form path and query ("/a?b"), also of an absolute-form target; b"*" for OPTIONS *
    content_length: int | None
    chunked: bool
    keep_alive: bool
    expect_continue: bool
    upgrade: bytes | None  # the Upgrade value where Connection nominates it
    connection_tokens: tuple[
        bytes, ...
    ]  # lower-case names that Connection nominates ("close" and "keep-alive" left out)
    # The scanner read it: no TE, no Upgrade, no Expect, none of ``strict.ONCE`` twice.
    plain: bool = field(default=False, compare=False)


@dataclass(slots=True)
class ResponseHead:
    """An upstream's final head (status ≥ 200, or 101)."""

    status: int
    reason: bytes
    http11: bool
    fields: list[Header]  # without hop-by-hop and framing fields; Content-Length is in ``content_length``
    content_length: int | None
    chunked: bool
    has_body: bool  # False: HEAD, 204, 304, or length 0


class FailureKind(Enum):
    """How an upstream exchange failed."""

    RESOLVE = "name resolution failed"
    CONNECT = "connection refused or unreachable"
    CONNECT_TIMEOUT = "connect timed out"
    TLS = "TLS failed"
    WRITE_TIMEOUT = "write timed out"
    READ_TIMEOUT = "read timed out"
    RESET = "closed or reset before the answer's head"
    BAD_ANSWER = "the answer is not HTTP"
    CUT = "closed or reset within the answer's body"


@dataclass(frozen=True, slots=True)
class Failure:
    """An upstream exchange that did not end well."""

    kind: FailureKind
    reused: bool  # on a kept-alive connection that had served before
    sent: bool  # some byte of the request was written to an open connection
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a pool of upstream connections leads."""

    scheme: str  # "http" or "https"
    host: str
    port: int
    verify: bool = True  # the certificate, for https
    server_name: str | None = None  # SNI and the name that is verified, where it is not ``host``


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; each is between two events of its kind, as Kong's (nginx's) are."""

    connect: float = 60.0
    write: float = 60.0
    read: float = 60.0


@dataclass(slots=True)
class UpstreamRequest:
    """A request to send. ``head`` is complete up to the framing fields, without the empty line."""

    head: bytes  # "GET /x HTTP/1.1\r\nhost: …\r\n…" without framing fields and final CRLFs
    method: bytes
    body: bytes | None  # the whole body, sent with its length in one write; None: it streams
    # Of a streaming body: its length, None: chunked. Of an empty whole one, None: no length goes out, as none came.
    content_length: int | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    upgrade: bool = False  # a 101 is welcome
    accept_trailers: bool = False


class UpstreamEvents(Protocol):
    """Who hears of an upstream exchange."""

    def on_informational(self, status: int, fields: Sequence[Header]) -> None:
        """An interim answer (1xx but 101) came."""

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        """The final head came, with the first body bytes (may be b""); ``last``: the message is complete."""

    def on_data(self, data: bytes, last: bool) -> None:
        """Body bytes, decoded from their framing; ``last`` (data may be b""): the message is complete."""

    def on_trailers(self, fields: Sequence[Header]) -> None:
        """Trailer fields came; before the call with ``last``."""

    def on_failure(self, failure: Failure) -> None:
        """It failed; nothing else follows."""

    def on_writable(self, writable: bool) -> None:
        """The upstream's send buffer is full (False) or drained (True)."""

    def on_sent(self, ip: str, port: int) -> None:
        """A connection was taken; ip and port of the upstream."""


class Exchange(Protocol):
    """One upstream exchange, as its user holds it."""

    def write(self, data: bytes) -> None:
        """Send body bytes of a streaming request."""

    def end(self) -> None:
        """The streaming request's body is complete."""

    def pause(self) -> None:
        """Stop reading the answer."""

    def resume(self) -> None:
        """Go on reading."""

    def cancel(self) -> None:
        """Give up: the connection is closed, no event follows."""


class Handler(Protocol):
    """What a client connection drives, one per request."""

    def on_request(self, head: RequestHead) -> None:
        """The head is complete."""

    def on_body(self, data: bytes, last: bool) -> None:
        """Body bytes; ``last`` comes exactly once per request received whole (with b"" where there is no body)."""

    def on_gone(self) -> None:
        """The client is gone (or broke the protocol) before the answer was complete; nothing else follows."""

    def on_client_writable(self, writable: bool) -> None:
        """The client's send buffer is full (False) or drained (True)."""


class Client(Protocol):
    """The client connection, as its handler holds it (wire.server.ServerConnection)."""

    peer: tuple[str, int]
    local_port: int
    ordinal: int  # of the connection, since the start
    requests: int  # on this connection, this one included

    def respond(
        self, status: int, lines: list[bytes], body: bytes, *, reason: bytes = b"", length: int | None = None
    ) -> None:
        """The whole answer in one write; Content-Length, Connection and (by HEAD, 204, 304) no body are the wire's.

        ``length``: what is declared where no body goes out (HEAD, 304), in place of the body's.
        """

    def start(
        self, status: int, lines: list[bytes], length: int | None, data: bytes = b"", *, reason: bytes = b""
    ) -> None:
        """The head of a streamed answer, with the first bytes; length None: chunked, or closed at the end for 1.0.

        101 makes a tunnel: ``Connection: upgrade`` is added, ``write`` and ``on_body`` pass bytes unframed, ``end``
        and ``last`` are each side's half-close.
        """

    def write(self, data: bytes) -> None:
        """Body bytes of a streamed answer."""

    def end(self, data: bytes = b"", trailers: Sequence[Header] = ()) -> None:
        """The streamed answer is complete, with its last bytes."""

    def informational(self, status: int, lines: list[bytes]) -> None:
        """An interim answer; dropped for HTTP/1.0."""

    def want_body(self) -> None:
        """The body is wanted now: sends 100 Continue if the client waits for it."""

    def abort(self) -> None:
        """Cut the connection visibly: the answer can't be completed."""

    def close_after(self) -> None:
        """Close once the answer is out."""

    def pause(self) -> None:
        """Stop reading the body."""

    def resume(self) -> None:
        """Go on reading."""
