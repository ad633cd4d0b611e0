"""What a route asks of a request, compiled: one Candidate per path of a route, and the order in which they are tried.

A route matches when every kind of criterion that it sets holds; values within one kind are alternatives. ``rank`` is
the whole law of preference (Kong's default router): kinds set, plain hosts, header names, regular expressions, their
priority, length of the prefix; then the older route. Hosts compare by letter case, as recorded from a real Kong.

To add a kind of criterion: a field of Candidate, a line in ``compile_route``, and its weight in ``rank``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aimon_local.errors import ConfigError
from aimon_local.model.regex import compile_pcre
from aimon_local.policy.call import Header
from aimon_local.policy.nouns import Route, Service

Pattern = re.Pattern[str]
Rank = tuple[int, bool, int, bool, int, int, int]

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostTest:
    """One value of ``hosts``. ``text`` is the name without port; of a wildcard, what is left without the ``*``."""

    text: str
    wildcard: str  # "": the name itself; "left": ``*.text``; "right": ``text.*``
    port: int | None  # None: any

    def holds(self, name: str, port: int) -> bool:
        """Whether a request's host is meant."""
        if self.port is not None and self.port != port:
            return False
        if not self.wildcard:
            return name == self.text
        return name.endswith(self.text) if self.wildcard == "left" else name.startswith(self.text)


@dataclass(frozen=True, slots=True)
class HeaderTest:
    """One name of ``headers``: a request field with one of the values, or that one of the patterns finds."""

    name: bytes
    values: frozenset[str]
    patterns: tuple[Pattern, ...]

    def holds(self, fields: Sequence[Header]) -> bool:
        """Whether some field of the name has a value that is meant; letter case does not count."""
        for name, raw, _ in fields:
            if name == self.name:
                value = raw.decode("utf-8", "replace").lower()
                if value in self.values or any(pattern.search(value) for pattern in self.patterns):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route with one of its paths. ``prefix`` and ``pattern`` None: any path."""

    rank: Rank
    route: Route
    service: Service | None
    hosts: tuple[HostTest, ...]
    methods: frozenset[str]
    headers: tuple[HeaderTest, ...]
    prefix: str | None
    pattern: Pattern | None


def split_host(host: str, scheme: str) -> tuple[str, int]:
    """Name and port of a Host field; without a port it is the scheme's."""
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return name, int(port)
    return host, _PORTS.get(scheme, 80)


def compile_route(route: Route, service: Service | None, pattern_of: Callable[[str], Pattern]) -> list[Candidate]:
    """The candidates of a route, one per path; one alone where it has no paths."""
    hosts = tuple(_host_test(host) for host in route.hosts)
    headers = tuple(_header_test(name, values, pattern_of) for name, values in route.headers)
    methods = frozenset(route.methods)
    out = []
    for path in route.paths or (None,):
        regex = path is not None and path.startswith("~")
        out.append(
            Candidate(
                rank(route, path),
                route,
                service,
                hosts,
                methods,
                headers,
                None if regex else path,
                pattern_of(path[1:]) if regex and path is not None else None,
            )
        )
    return out


def rank(route: Route, path: str | None) -> Rank:
    """Where a route with one of its paths stands: the smaller is tried first."""
    kinds = sum(map(bool, (route.methods, route.hosts, route.headers, route.paths, route.snis)))
    plain_hosts = bool(route.hosts) and not any("*" in host for host in route.hosts)
    regex = path is not None and path.startswith("~")
    priority = route.regex_priority if regex else 0
    length = 0 if path is None or regex else len(path)
    return (-kinds, not plain_hosts, -len(route.headers), not regex, -priority, -length, route.created_at)


def _host_test(host: str) -> HostTest:
    name, colon, digits = host.rpartition(":")
    port = int(digits) if colon and digits.isascii() and digits.isdigit() else None
    if port is None:
        name = host
    if name.startswith("*"):
        return HostTest(name[1:], "left", port)
    return HostTest(name[:-1], "right", port) if name.endswith("*") else HostTest(name, "", port)


def _header_test(name: str, values: Sequence[str], pattern_of: Callable[[str], Pattern]) -> HeaderTest:
    plain = frozenset(value.lower() for value in values if not value.startswith("~*"))
    patterns = tuple(pattern_of("(?i)" + value[2:]) for value in values if value.startswith("~*"))
    return HeaderTest(name.encode("latin-1"), plain, patterns)


def compiled(text: str) -> Pattern:
    """A pattern of a stored route; raises ConfigError for one that is none."""
    pattern = compile_pcre(text)
    if isinstance(pattern, str):
        raise ConfigError(f"route: the regular expression {text!r} can't be used: {pattern}")
    return pattern
