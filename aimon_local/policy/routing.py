"""ROUTE: which route a request means. Kong's default router, made for few routes and quick with many.

Candidates are laid on shelves by exact host, on each shelf by path prefix. A request takes the few that can match from
its host's shelf and the common one, and tests them in the order of ``criteria.rank``. What depends on method, host and
path alone is remembered, in a bounded table, so that a plain request costs one look-up.

To change what matches or what is preferred: ``policy.criteria``. To change what goes upstream: ``policy.paths``.
"""

from collections.abc import Iterable, Mapping, Sequence

from aimon_local.policy import reasons
from aimon_local.policy.call import Answer, Call, Header
from aimon_local.policy.criteria import Candidate, Pattern, compile_route, compiled, split_host
from aimon_local.policy.nouns import Match, Route, Service
from aimon_local.policy.paths import encode, forwarded_prefix, join

_MEMO_ENTRIES = 2048
_MEMO_TEXT = 256  # longer targets are not remembered: strangers must not fill the memory

_HTTP_PROTOCOLS = frozenset(("http", "https", "grpc", "grpcs"))

Placed = tuple[int, Candidate]


class Shelf:
    """Candidates by path: those of a prefix by that prefix, the others in a row."""

    __slots__ = ("_by_prefix", "_lengths", "_others")

    def __init__(self) -> None:
        self._by_prefix: dict[str, list[Placed]] = {}
        self._lengths: list[int] = []
        self._others: list[Placed] = []

    def put(self, placed: Placed) -> None:
        """Add a candidate; all are put in the order of their rank."""
        prefix = placed[1].prefix
        if prefix is None:
            self._others.append(placed)
            return
        self._by_prefix.setdefault(prefix, []).append(placed)
        if len(prefix) not in self._lengths:
            self._lengths.append(len(prefix))

    def take(self, path: str) -> list[Placed]:
        """Those whose prefix the path has, and those that look at the path otherwise."""
        out = list(self._others)
        for length in self._lengths:
            found = self._by_prefix.get(path[:length])
            if found is not None:
                out.extend(found)
        return out


class Router:
    """All routes, compiled. Immutable but for its memory of what it has found."""

    __slots__ = ("_common", "_memo", "_shelves", "patterns")

    def __init__(
        self,
        routes: Iterable[Route],
        services: Mapping[str, Service],
        known: Mapping[str, Pattern] | None = None,
    ) -> None:
        """``services`` are the enabled ones: a route of another does not take part. ``known``: patterns to reuse."""
        self.patterns: dict[str, Pattern] = {}
        self._memo: dict[tuple[str, str, str, str], Match | None] = {}
        self._common = Shelf()
        self._shelves: dict[str, Shelf] = {}
        earlier = known or {}
        for placed in enumerate(sorted(self._compile(routes, services, earlier), key=lambda each: each.rank)):
            self._place(placed)

    def _compile(
        self, routes: Iterable[Route], services: Mapping[str, Service], known: Mapping[str, Pattern]
    ) -> list[Candidate]:
        def pattern_of(text: str) -> Pattern:
            pattern = self.patterns.get(text) or known.get(text) or compiled(text)
            self.patterns[text] = pattern
            return pattern

        out: list[Candidate] = []
        for route in routes:
            if route.service_id is not None and route.service_id not in services:
                continue
            if _HTTP_PROTOCOLS.isdisjoint(route.protocols):
                continue
            service = services[route.service_id] if route.service_id is not None else None
            out += compile_route(route, service, pattern_of)
        return out

    def _place(self, placed: Placed) -> None:
        hosts = placed[1].hosts
        if not hosts or any(test.wildcard for test in hosts):
            self._common.put(placed)
            return
        for name in {test.text for test in hosts}:
            self._shelves.setdefault(name, Shelf()).put(placed)

    def route(self, method: str, host: str, path: str, fields: Sequence[Header], scheme: str = "http") -> Match | None:
        """The match of a request, or None. ``host`` is the Host field as received, ``path`` is normalised."""
        key = (method, host, path, scheme)
        memo = self._memo
        try:
            return memo[key]
        except KeyError:
            pass
        found, by_headers = self._search(method, host, path, fields, scheme)
        if not by_headers and len(path) + len(host) + len(method) <= _MEMO_TEXT:
            if len(memo) >= _MEMO_ENTRIES:
                memo.clear()
            memo[key] = found
        return found

    def _search(
        self, method: str, host: str, path: str, fields: Sequence[Header], scheme: str
    ) -> tuple[Match | None, bool]:
        """The match, and whether header fields had a say in it."""
        name, port = split_host(host, scheme)
        by_headers = False
        for _, candidate in self._possible(name, path):
            if candidate.methods and method not in candidate.methods:
                continue
            if candidate.hosts and not any(test.holds(name, port) for test in candidate.hosts):
                continue
            match = _match(candidate, path)
            if match is None:
                continue
            if not candidate.headers:
                return match, by_headers
            by_headers = True
            if all(test.holds(fields) for test in candidate.headers):
                return match, True
        return None, by_headers

    def _possible(self, name: str, path: str) -> list[Placed]:
        out = self._common.take(path)
        shelf = self._shelves.get(name)
        if shelf is not None:
            out += shelf.take(path)
        out.sort(key=_place_of)
        return out


def _place_of(placed: Placed) -> int:
    return placed[0]


def _match(candidate: Candidate, path: str) -> Match | None:
    """The match by path, with all that follows from it; None where the path is another."""
    prefix, captures, groups = candidate.prefix or "", _NO_CAPTURES, _NO_GROUPS
    if candidate.pattern is not None:
        found = _find(candidate.pattern, path)
        if found is None:
            return None
        prefix, captures, groups = found
    route, service = candidate.route, candidate.service
    base = service.path if service is not None else None
    return Match(
        route,
        service,
        prefix,
        captures,
        groups,
        encode(join(base, path, prefix, route.strip_path)),
        forwarded_prefix(prefix) if route.strip_path else None,
    )


_NO_CAPTURES: Mapping[str, str] = {}
_NO_GROUPS: Sequence[str | None] = ()


def _find(pattern: Pattern, path: str) -> tuple[str, Mapping[str, str], Sequence[str | None]] | None:
    """What a regular expression matches from the start of a path, as text of the path's own (latin-1) kind."""
    if path.isascii():
        found = pattern.match(path)
        if found is None:
            return None
        named = {name: text for name, text in found.groupdict().items() if text is not None}
        return found[0], named, (found[0], *found.groups())
    # Expressions are about characters, not about bytes of UTF-8.
    found = pattern.match(path.encode("latin-1").decode("utf-8", "surrogateescape"))
    if found is None:
        return None
    named = {name: _bytes_view(text) for name, text in found.groupdict().items() if text is not None}
    groups = (None if text is None else _bytes_view(text) for text in (found[0], *found.groups()))
    return _bytes_view(found[0]), named, tuple(groups)


def _bytes_view(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


_JSON = b"application/json; charset=utf-8"


def _upgrade(message: str, protocol: bytes) -> Answer:
    body = b'{"message":"' + message.encode("ascii") + b'"}'
    return Answer(426, body, _JSON, ((b"Connection", b"Upgrade"), (b"Upgrade", protocol)), reasons.WRONG_PROTOCOL)


_USE_HTTPS = _upgrade("Please use HTTPS protocol", b"TLS/1.2, HTTP/1.1")
_USE_HTTP2 = _upgrade("Please use HTTP2 protocol", b"HTTP/2")
_NOT_GRPC = Answer(415, b'{"message":"Non-gRPC request matched gRPC route"}', _JSON, (), reasons.WRONG_PROTOCOL)


def wrong_protocol(call: Call, route: Route) -> Answer | None:
    """The answer where the route is not for the way the request came (Kong, before any plugin); None: go on."""
    protocols = route.protocols
    if call.scheme in protocols:
        return None
    if "grpc" in protocols or "grpcs" in protocols:
        kind = call.get(b"content-type") or b""
        return _USE_HTTP2 if kind.startswith(b"application/grpc") else _NOT_GRPC
    if call.scheme != "http":
        return None  # a route for plain HTTP alone serves HTTPS as well
    status = route.https_redirect_status_code
    if status == 426:
        return _USE_HTTPS
    target = call.raw_path if call.query is None else f"{call.raw_path}?{call.query}"
    location = f"https://{split_host(call.host, 'http')[0].lower()}{target}"
    return Answer(status, b"", None, ((b"Location", location.encode("latin-1")),), reasons.WRONG_PROTOCOL)
