"""From a path to the endpoints of the table: a tree of segments, in which a literal one wins over a parameter. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aimon_local.gateway.admin.ask import decoded
from aimon_local.gateway.admin.table import Endpoint


@dataclass(slots=True)
class _Node:
    literals: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    methods: dict[str, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """The endpoints of a path by method, and its parameters in order, decoded (a ``+`` is a space there too: Kong)."""

    methods: Mapping[str, Endpoint]
    values: tuple[str, ...]

    def params(self, endpoint: Endpoint) -> dict[str, str]:
        """The parameters under the names that the endpoint's path gives them."""
        names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
        return dict(zip(names, self.values, strict=True))

    def allowed(self) -> str:
        """The value of Allow: sorted, with HEAD where there is GET, and OPTIONS."""
        implied = ("HEAD", "OPTIONS") if "GET" in self.methods else ("OPTIONS",)
        return ", ".join(sorted({*self.methods, *implied}))


class Router:
    """All rows of a table, ready to be asked."""

    def __init__(self, rows: Iterable[Endpoint]) -> None:
        self._root = _Node()
        for row in rows:
            node = self._root
            for part in _segments(row.path):
                node = self._step(node, part)
            if row.method in node.methods:
                raise ValueError(f"two rows for {row.method} {row.path}")
            node.methods[row.method] = row

    def match(self, path: str) -> Match | None:
        """The endpoints of a raw path; one slash at its end does not count, any other empty segment does."""
        return _walk(self._root, _segments(trimmed(path)), ()) if path.startswith("/") else None

    @staticmethod
    def _step(node: _Node, part: str) -> _Node:
        if part.startswith("{"):
            node.parameter = node.parameter or _Node()
            return node.parameter
        return node.literals.setdefault(part, _Node())


def trimmed(path: str) -> str:
    """A path without the slash at its end."""
    return path[:-1] if path.endswith("/") and path != "/" else path


def _segments(path: str) -> tuple[str, ...]:
    return () if path == "/" else tuple(path.split("/")[1:])


def _walk(node: _Node, parts: tuple[str, ...], values: tuple[str, ...]) -> Match | None:
    if not parts:
        return Match(node.methods, values) if node.methods else None
    first, *rest = parts
    literal = node.literals.get(first)
    found = None if literal is None else _walk(literal, tuple(rest), values)
    if found is not None or node.parameter is None or not first:
        return found
    return _walk(node.parameter, tuple(rest), (*values, decoded(first)))
