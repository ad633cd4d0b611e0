"""Which fields pass from one side to the other: hygiene of requests on their way up, of answers on their way down.

Pure: lists of ``Header`` in, lists out; what is not touched keeps its line. Three laws: fields of one connection
stay on it (RFC 9110 §7.6.1), nobody but the gateway says who the caller is, and framing and Host can't be nominated
away. A further identity field is one entry of ``_IDENTITY`` or ``_IDENTITY_PREFIXES``, in its spelling with dashes.
"""

from dataclasses import dataclass

from aimon_local.wire.message import Header
from aimon_local.wire.strict import HOP_BY_HOP

_OWN_BREAKS = 9  # line breaks within the items that ``upstream_head`` writes in one piece, beyond one per item
_REMEMBERED = 1024  # verdicts on names, so that a client can't make us remember without bound

# What only the gateway says about the caller. On open routes Kong passes these from a client; we don't.
_IDENTITY = frozenset(
    (
        b"x-anonymous-consumer",
        b"x-kong-request-id",
        b"x-kong-proxy-latency",
        b"x-kong-upstream-latency",
        b"x-kong-response-latency",
    )
)
_IDENTITY_PREFIXES = (b"x-consumer-", b"x-credential-", b"x-authenticated-")
# What the gateway says about the way; dropped here in odd spellings only, ``upstream_head`` replaces the plain ones.
_WAY = (b"x-forwarded-", b"x-real-ip")
# ``proxy`` becomes HTTP_PROXY in a CGI's environment; HTTP2-Settings belongs to an upgrade that we don't offer; Expect
# is answered by ourselves.
_HARMFUL = frozenset((b"proxy", b"http2-settings", b"expect"))
_NEVER_NOMINATED = frozenset((b"host", b"content-length", b"transfer-encoding", b"te"))

# Fields that ``upstream_head`` writes itself or that the connection frames.
_WRITTEN = HOP_BY_HOP | {b"host", b"content-length", b"via", b"x-real-ip", b"x-kong-request-id"} | _HARMFUL


class _Verdicts(dict[bytes, bool]):
    """Whether a field of this name may pass; worked out once per name."""

    def __missing__(self, name: bytes) -> bool:
        verdict = _may_pass(name)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[name] = verdict
        return verdict


def _may_pass(name: bytes) -> bool:
    plain = name.replace(b"_", b"-")
    if plain in HOP_BY_HOP:
        return name == b"te"
    if plain in _IDENTITY or plain in _HARMFUL or plain.startswith(_IDENTITY_PREFIXES):
        return False
    return plain == name or not plain.startswith(_WAY)


class _Written(dict[bytes, bool]):
    """Whether ``upstream_head`` replaces a field of this name."""

    def __missing__(self, name: bytes) -> bool:
        verdict = name in _WRITTEN or name.startswith(b"x-forwarded-")
        if len(self) >= _REMEMBERED:
            self.clear()
        self[name] = verdict
        return verdict


_verdicts = _Verdicts()
_written = _Written()


def clean_request(fields: list[Header], connection_tokens: tuple[bytes, ...] = ()) -> list[Header]:
    """A client's fields without those of its connection, those it nominates and those that say who it is.

    Host, framing fields, Via, X-Forwarded-* and TE stay, for ``upstream_head`` to replace.
    """
    verdicts = _verdicts
    if not connection_tokens:
        return [each for each in fields if verdicts[each[0]]]
    nominated = set(connection_tokens) - _NEVER_NOMINATED
    return [each for each in fields if verdicts[each[0]] and each[0] not in nominated]


@dataclass(slots=True)  # one per request, and frozen ones are slow to make
class Hop:
    """What the gateway says upstream about the way of a request, in Kong's fields."""

    peer: bytes  # the client's address
    host: bytes  # the Host value for the upstream
    forwarded_host: bytes  # as the client named it, without the port
    port: int  # the port that the client connected to
    path: bytes  # the raw path of the client, without query
    prefix: bytes | None  # what strip_path took away; None: no X-Forwarded-Prefix
    request_id: bytes
    via: bytes  # "1.1 name/version"
    scheme: bytes = b"http"
    upgrade: bytes | None = None  # RequestHead.upgrade


def upstream_head(method: bytes, target: bytes, fields: list[Header], hop: Hop) -> bytes:
    """``UpstreamRequest.head``: the request line, the fields that pass and the gateway's own; framing is the wire's.

    As Kong: the first X-Forwarded-For line is continued with the peer, Via is continued, all other fields of the way
    are overwritten, TE passes as ``trailers`` only. Raises ValueError for a line break or a blank where none may be.
    """
    written = _written
    peers, trailers, said = hop.peer, False, False
    lines = [b"%b %b HTTP/1.1\r\nHost: %b" % (method, target, hop.host)]
    add = lines.append
    vias: list[bytes] = []
    for name, value, line in fields:
        if not written[name]:
            add(line)
        elif name == b"via":
            vias.append(value)
        elif name == b"x-forwarded-for" and not said:
            said = True
            peers = b"%b, %b" % (value, peers) if value else peers
        elif name == b"te":
            trailers = trailers or b"trailers" in value.lower()
    if trailers:
        add(b"TE: trailers")
    if hop.prefix is not None:
        add(b"X-Forwarded-Prefix: " + hop.prefix)
    if hop.upgrade is not None:
        add(b"Upgrade: " + hop.upgrade)
    add(
        b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Port: %d\r\n"
        b"X-Forwarded-Path: %b\r\nX-Real-IP: %b\r\nX-Kong-Request-Id: %b\r\nVia: %b\r\nConnection: %b\r\n"
        % (
            peers,
            hop.scheme,
            hop.forwarded_host,
            hop.port,
            hop.path,
            hop.peer,
            hop.request_id,
            b", ".join([*vias, hop.via]) if vias else hop.via,
            b"keep-alive" if hop.upgrade is None else b"upgrade",
        )
    )
    head = b"\r\n".join(lines)
    breaks = len(lines) + _OWN_BREAKS
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b" " in target or b" " in method:
        raise ValueError("a line break or a blank inside a head")
    return head


def accepts_trailers(fields: list[Header]) -> bool:
    """Whether the sender of these fields takes trailers (TE: trailers)."""
    return any(name == b"te" and b"trailers" in value.lower() for name, value, _ in fields)


def continue_via(fields: list[Header], via: bytes) -> list[Header]:
    """Fields of an answer with our Via: one line, after whatever the upstream's say (RFC 9110 §7.6.3)."""
    earlier = [value for name, value, _ in fields if name == b"via"]
    kept = fields if not earlier else [each for each in fields if each[0] != b"via"]
    value = b", ".join([*earlier, via])
    return [*kept, (b"via", value, b"Via: " + value)]


def safe_trailers(fields: list[Header]) -> list[Header]:
    """Trailers that may pass to a client: nothing that frames, routes or names anyone (RFC 9110 §6.5.1)."""
    verdicts = _verdicts
    return [each for each in fields if verdicts[each[0]] and not _written[each[0]] and each[0] != b"set-cookie"]
