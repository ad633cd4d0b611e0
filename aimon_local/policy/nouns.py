"""What the data path knows of the entities: frozen records with only the fields that a request needs.

Kong's entities are wide and made of text; these are ready to use: header lines as bytes, timeouts in seconds,
credentials with their expiry. ``policy.snapshot`` builds them, ``policy.routing`` makes a ``Match``.

To carry another field to the rules: add it here and in the builder of the same name in ``policy.entities``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimon_local.policy.call import Header


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who calls."""

    id: str
    username: str | None
    custom_id: str | None
    tags: tuple[str, ...]
    groups: tuple[str, ...]  # ACL groups in the order of creation
    tiers: tuple[tuple[str, str], ...]  # (id, name) of its consumer groups, by name
    identity: tuple[Header, ...]  # X-Consumer-ID, X-Consumer-Username, X-Consumer-Custom-ID: those that are set


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller proves itself with. Whether it has expired is for the reader of the clock to say."""

    kind: str  # "key-auth" | "basic-auth" | "jwt"
    id: str
    consumer_id: str
    identifier: Header  # X-Credential-Identifier. key-auth: credential id, basic-auth: username, jwt: key
    expires: int | None  # Unix seconds from which it is void
    fields: Mapping[str, Any]  # the stored entity (password, secret, algorithm, rsa_public_key, …)


@dataclass(frozen=True, slots=True)
class Service:
    """Where requests go: Kong's service. Timeouts are seconds."""

    id: str
    name: str | None
    protocol: str
    host: str
    port: int
    path: str | None  # latin-1 view of its UTF-8, as all paths on the way of a request
    connect_timeout: float
    write_timeout: float
    read_timeout: float
    retries: int
    tls_verify: bool | None
    tags: tuple[str, ...]
    host_header: bytes  # the Host of its own: with the port where it is not the protocol's
    entity: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as stored


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests a service gets: Kong's route."""

    id: str
    name: str | None
    created_at: int
    service_id: str | None
    protocols: tuple[str, ...]
    methods: tuple[str, ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]  # latin-1 view of their UTF-8; "~" first: a regular expression
    headers: tuple[tuple[str, tuple[str, ...]], ...]
    snis: tuple[str, ...]
    regex_priority: int
    strip_path: bool
    preserve_host: bool
    path_handling: str
    https_redirect_status_code: int
    request_buffering: bool
    response_buffering: bool
    tags: tuple[str, ...]
    entity: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as stored


@dataclass(frozen=True, slots=True)
class Match:
    """What ROUTE found: the route, its service, and what the request's path means to them. Equal requests share one."""

    route: Route
    service: Service | None
    prefix: str = ""  # the matched path text; strip_path removes it. "" for routes without paths
    captures: Mapping[str, str] = field(default_factory=dict)  # $(uri_captures["name"]): named groups that took part
    groups: Sequence[str | None] = ()  # $(uri_captures[1]) is groups[1]; groups[0] is the whole match; () for prefixes
    upstream_path: str = "/"  # as it goes out, percent-encoded; without the query
    forwarded_prefix: str | None = None  # X-Forwarded-Prefix; None: there is none


@dataclass(frozen=True, slots=True)
class Target:
    """One place to which a balancer sends."""

    id: str
    name: str  # "host:port" as stored
    host: str
    port: int
    weight: int  # its share; 0: none


@dataclass(frozen=True, slots=True)
class Key:
    """What a request is hashed on: ``kind`` is Kong's ``hash_on``; ``name`` that of the header, cookie, … it means."""

    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Passive:
    """When a target's answers to requests take it out of the turn, and in again. 0 of a count: never."""

    successes: int
    healthy: frozenset[int]
    http_failures: int
    unhealthy: frozenset[int]
    tcp_failures: int
    timeouts: int


@dataclass(frozen=True, slots=True)
class Upstream:
    """A virtual host whose requests are shared among targets: Kong's upstream."""

    id: str
    name: str
    algorithm: str
    hash_on: Key
    hash_fallback: Key
    cookie_path: str
    host_header: str | None
    passive: Passive
    threshold: float  # percent of the weight that must be healthy
    targets: tuple[Target, ...]
