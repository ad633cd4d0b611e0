"""From an Ask to its Reply: finds the row of the table, answers HEAD, OPTIONS, 404 and 405, adds the common fields.

No I/O: the server sends what comes out of here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from aimon_local import __version__
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.caching import http_date
from aimon_local.mock.httpbin.reply import Pairs, Reply, empty, page, redirect
from aimon_local.mock.httpbin.table import TABLE, Endpoint, Row

SERVER = f"aimon-local-httpbin/{__version__}"
STATS = "/_mock/stats"

PREFLIGHT: Pairs = (
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, PATCH, OPTIONS"),
    ("Access-Control-Max-Age", "3600"),
)
_PART = re.compile(r"\{(\w+)(?::(\w+))?\}")
_KINDS = {None: r"[^/]+", "int": r"[0-9]{1,4000}", "path": r"[^/].*"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One path of the table with the functions of its methods."""

    regex: re.Pattern[str]
    numbers: frozenset[str]  # parts that are numbers
    functions: dict[str, Endpoint]

    @property
    def allow(self) -> str:
        """The Allow field's value."""
        return ", ".join(sorted({*self.functions, "OPTIONS"}))


def _patterns(table: tuple[Row, ...]) -> Iterator[Pattern]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for methods, path, function, _ in table:
        functions = by_path.setdefault(path, {})
        functions |= dict.fromkeys(methods.split(), function)
        if "GET" in functions:
            functions["HEAD"] = functions["GET"]
    for path, functions in by_path.items():
        pieces = _PART.split(path)  # text, name, kind, text, name, kind, …, text
        source = re.escape(pieces[0])
        for name, kind, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            source += f"(?P<{name}>{_KINDS[kind]}){re.escape(text)}"
        numbers = frozenset(name for name, kind in zip(pieces[1::3], pieces[2::3], strict=True) if kind == "int")
        yield Pattern(re.compile(source, re.DOTALL), numbers, functions)


_ALL = tuple(_patterns(TABLE))
_FIXED = {pattern.regex.pattern: pattern for pattern in _ALL if not pattern.regex.groups}
_OPEN = tuple(pattern for pattern in _ALL if pattern.regex.groups)

Found = tuple[Pattern, dict[str, str | int]]


def find(path: str) -> Found | None:
    """The pattern that matches a decoded path, with the values of its parts."""
    fixed = _FIXED.get(re.escape(path))
    if fixed:
        return fixed, {}
    for pattern in _OPEN:
        match = pattern.regex.fullmatch(path)
        if match:
            return pattern, {k: int(v) if k in pattern.numbers else v for k, v in match.groupdict().items()}
    return None


def answer(ask: Ask) -> Reply:
    """The complete reply to a request; counts it."""
    reply = _common(ask, _endpoint_reply(ask))
    if ask.path != STATS:
        ask.world.tally.count(ask.path, reply.status)
    return reply


def _endpoint_reply(ask: Ask) -> Reply:
    found = find(ask.path)
    if found is None:
        return _not_found(ask)
    pattern, parts = found
    function = pattern.functions.get(ask.method)
    if function is not None:
        return function(ask, **parts)
    if ask.method == "OPTIONS":
        return empty(200).add(("Allow", pattern.allow))
    text = f"This path does not know {ask.method}; it knows {pattern.allow}."
    return page(405, "Method Not Allowed", text).add(("Allow", pattern.allow))


def _not_found(ask: Ask) -> Reply:
    """404; but where a path is known once its doubled slashes are single, 308 to that."""
    merged = re.sub("/{2,}", "/", ask.path)
    if merged != ask.path and find(merged):
        query = f"?{ask.query}" if ask.query else ""
        return redirect(ask.base + quote(merged, safe="!$&'()*+,/:;=@") + query, 308)
    return page(404, "Not Found", "There is nothing here: / lists what there is.")


def _common(ask: Ask, reply: Reply) -> Reply:
    """Date, Server and CORS on everything: any origin may read what this server says."""
    cors = _cors(ask)
    ruled = {name.lower() for name, _ in cors}
    kept = (pair for pair in reply.fields if pair[0].lower() not in ruled)
    return replace(reply, fields=(("Date", http_date(ask)), ("Server", SERVER), *kept, *cors))


def _cors(ask: Ask) -> Pairs:
    """The fields of the CORS protocol (Fetch standard); those of a preflight go with every OPTIONS, as httpbin's do."""
    basic = (
        ("Access-Control-Allow-Origin", ask.headers.get("Origin", "*")),
        ("Access-Control-Allow-Credentials", "true"),
    )
    if ask.method != "OPTIONS":
        return basic
    wanted = ask.header("Access-Control-Request-Headers")
    return (*basic, *PREFLIGHT, *([] if wanted is None else [("Access-Control-Allow-Headers", wanted)]))
