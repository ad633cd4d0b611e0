"""One request as the rules see it: facts that the shell has read, and what the rules made of them.

A rule reads facts (``now_ns``, ``fields``, ``consumer`` …), and works on the draft of the upstream request
(``upstream_*``, ``fields``) and on the fields that the answer will carry (``reply_fields``). It does no I/O: it gets
the identifiers and the signature check that it may need from ``tools``.

Bytes of a head are ``bytes``; a ``Header`` is (lower-case name, value, line) where line is ``Name: value`` as it
goes out. Paths are ``str`` in latin-1: one character is one byte, so that any byte survives.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from aimon_local.model.usage import Touched
    from aimon_local.policy.queueing import Lane
    from aimon_local.policy.snapshot import Consumer, Credential, Match, Snapshot
    from aimon_local.policy.state import LimitState

Header = tuple[bytes, bytes, bytes]


class Lines(NamedTuple):
    """Field lines for the answer, ready to go out, and the lower-case names that they take the place of."""

    names: frozenset[bytes]
    lines: list[bytes]

    def and_(self, more: "Lines") -> "Lines":
        """These, then others."""
        return Lines(self.names | more.names, self.lines + more.lines)


class Tools(Protocol):
    """What rules need from outside, made by the gateway and by tests."""

    @property
    def node_id(self) -> str:
        """This gateway's UUID, the same after a restart."""
        ...

    @property
    def hostname(self) -> str:
        """This machine's name."""
        ...

    def uuid(self) -> str:
        """A random UUID, lower-case."""
        ...

    def verify_signature(self, algorithm: str, key: str, message: bytes, signature: bytes) -> bool:
        """Check an asymmetric JWT signature (RS, ES, PS, EdDSA) by a PEM public key; False where it does not hold.

        Raises ValueError for a key that can't be read, ConfigError where this install has no cryptography.
        """
        ...


def header(name: str, value: str | bytes) -> Header:
    """A Header from a name and a value; raises ValueError for a value that would break out of its line."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    if b"\r" in raw or b"\n" in raw or b"\0" in raw:
        raise ValueError(f"{name}: a field value can't hold CR, LF or NUL")
    title = name.encode("latin-1")
    return title.lower(), raw, title + b": " + raw


@dataclass(slots=True)
class Call:
    """The facts of one request and the drafts that the rules work on."""

    # facts, set by the shell before ROUTE
    now_ns: int
    request_id: str
    client_ip: str
    client_port: int
    server_port: int  # the port that we listen on
    scheme: str  # "http"
    method: str
    raw_path: str  # the target's path as received, without the query
    path: str  # normalised: routed and forwarded
    query: str | None  # the raw query without "?"; None where there is no "?"
    host: str  # the Host field as received, port and letter case included: routes compare it so
    fields: list[Header]  # the client's, already without hop-by-hop and identity fields; rules edit this list
    content_length: int | None
    chunked: bool
    expects_continue: bool
    tools: Tools
    state: "LimitState"
    snapshot: "Snapshot"
    connection: int = 0  # ordinal of the client connection, and of the request on it: for correlation-id's tracker
    connection_requests: int = 1
    server_ip: str = "127.0.0.1"  # the address that the client connected to
    process_id: int = 0

    # ROUTE
    match: "Match | None" = None
    # set by rules with ``needs_body``'s wish granted: the whole request body
    body: bytes | None = None

    # IDENTIFY
    consumer: "Consumer | None" = None
    credential: "Credential | None" = None
    anonymous: bool = False  # the consumer is an ``anonymous`` fallback
    groups: tuple[str, ...] | None = None  # ACL groups as ``authenticated_groups``, None: look them up by consumer

    # ADMIT: seconds until the answer's head, and in all, that a rule gives the upstream; None: the service's own
    patience: tuple[float | None, float | None] | None = None
    # ADMIT: the queue for a busy service; None: the caller has no tier
    lane: "Lane | None" = None
    # set by the shell: the client left while it waited there, so the upstream has not heard of it
    unsent: bool = False

    # drafts: the upstream request
    upstream_method: str = ""
    upstream_path: str = ""  # as it goes out, percent-encoded
    upstream_query: str | None = None
    upstream_host: bytes = b""
    # drafts: fields for the answer, on success and on refusal, in order
    reply_fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    # the same as lines that a rule has made at one go, behind those
    reply_lines: "Lines | None" = None
    # counters changed by this request: stored with its ledger row
    touched: "list[Touched]" = field(default_factory=list)
    # free room for a rule to carry facts from access to response and log, by its name
    notes: dict[str, object] = field(default_factory=dict)

    def get(self, name: bytes) -> bytes | None:
        """The first value of a request field, by lower-case name."""
        for low, value, _ in self.fields:
            if low == name:
                return value
        return None

    def get_all(self, name: bytes) -> list[bytes]:
        """All values of a request field, by lower-case name."""
        return [value for low, value, _ in self.fields if low == name]

    def remove(self, name: bytes) -> None:
        """Drop a request field from what goes upstream."""
        self.fields = [f for f in self.fields if f[0] != name]

    def set(self, name: str, value: str | bytes) -> None:
        """Replace a request field in what goes upstream."""
        new = header(name, value)
        self.fields = [f for f in self.fields if f[0] != new[0]]
        self.fields.append(new)

    def add(self, name: str, value: str | bytes) -> None:
        """Append a request field to what goes upstream."""
        self.fields.append(header(name, value))


@dataclass(frozen=True, slots=True)
class Refuse:
    """A refusal in the gateway's own words: rendered by the error template that the client's Accept asks for."""

    status: int
    message: str
    reason: str  # the deny reason, a stable word: no_key, rate_limited, …
    fields: tuple[tuple[bytes, bytes], ...] = ()
    failure: bool = False  # worded as an upstream's failure: ``pages.failure_form`` picks its form
    proxied: bool = False  # an upstream was asked: Via and the two latencies of a proxied answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer sent as it is, in place of the upstream's."""

    status: int
    body: bytes = b""
    content_type: bytes | None = None
    fields: tuple[tuple[bytes, bytes], ...] = ()
    reason: str | None = None  # a deny reason where this refuses; None where it serves (cache hit, preflight)
    proxied: bool = False  # looks like an upstream's answer: Via and the two latencies of one (Kong's cache hits do)


class NeedBody:
    """The type of NEED_BODY."""


NEED_BODY = NeedBody()
"""Returned by a rule's access when it must see ``call.body`` first: the shell gathers it and calls again."""

Outcome = Refuse | Answer | NeedBody | None


@dataclass(slots=True)
class ResponseDraft:
    """The head of an answer on its way to the client, for the rules' ``response`` phase."""

    status: int
    fields: list[Header]  # without hop-by-hop fields
    from_upstream: bool  # False: made by the gateway (refusal, rule's answer, upstream failure)
    reason: str | None = None  # the upstream's reason phrase

    def get(self, name: bytes) -> bytes | None:
        """The first value of a field, by lower-case name."""
        for low, value, _ in self.fields:
            if low == name:
                return value
        return None

    def remove(self, name: bytes) -> None:
        """Drop a field."""
        self.fields = [f for f in self.fields if f[0] != name]

    def set(self, name: str, value: str | bytes) -> None:
        """Replace a field."""
        new = header(name, value)
        self.fields = [f for f in self.fields if f[0] != new[0]]
        self.fields.append(new)

    def add(self, name: str, value: str | bytes) -> None:
        """Append a field."""
        self.fields.append(header(name, value))


BodyFilter = Callable[[bytes], bytes]
