"""Endpoints about caching and about fields of the answer: /cache, /etag, /response-headers.

Pure functions of an Ask; /cache reads the clock and draws its tag.
"""

import re
from email.utils import formatdate

from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.inspection import get
from aimon_local.mock.httpbin.redirects import of_status
from aimon_local.mock.httpbin.reply import JSON, Reply, dump, empty, refuse, typed

# fields that frame the message: shown, but not sent as somebody wishes
FRAMING = frozenset({"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_TOKEN = re.compile(r"[\w!#$%&'*+\-.^`|~]+", re.ASCII)
_TAG = re.compile(r'\s*(?:W/)?"?([^"]*)')


def http_date(ask: Ask) -> str:
    """Now, as fields carry it (RFC 9110, 5.6.7)."""
    return formatdate(ask.world.clock.now_ns() // 1_000_000_000, usegmt=True)


def cache(ask: Ask) -> Reply:
    """/cache: 304 to any conditional request, else 200 with a new tag."""
    if ask.header("If-Modified-Since") or ask.header("If-None-Match") is not None:
        return of_status(304)
    return get(ask).add(("Last-Modified", http_date(ask)), ("ETag", ask.world.uuid4().hex))


def cache_for(ask: Ask, seconds: int) -> Reply:
    """/cache/SECONDS: good for so long."""
    return get(ask).add(("Cache-Control", f"public, max-age={seconds}"))


def etag(ask: Ask, tag: str) -> Reply:
    """/etag/TAG: If-None-Match and If-Match against it (RFC 9110, 13.1)."""
    unless, only_if = _tags(ask.header("If-None-Match")), _tags(ask.header("If-Match"))
    if unless and (tag in unless or "*" in unless):
        return of_status(304).add(("ETag", tag))
    if not unless and only_if and tag not in only_if and "*" not in only_if:
        return empty(412)
    return get(ask).add(("ETag", tag))


def _tags(value: str | None) -> list[str]:
    """The tags of a list, weak or strong, quoted or bare."""
    matches = [_TAG.match(piece) for piece in value.split(",")] if value else []
    return [found[1] for found in matches if found]


def response_headers(ask: Ask) -> Reply:
    """/response-headers?NAME=VALUE: the answer carries those fields, and its JSON lists all of its own."""
    asked = [(name, value) for name, values in ask.args.items() for value in values]
    if not all(_TOKEN.fullmatch(name) and not re.search(r"[\x00\r\n]", value) for name, value in asked):
        return refuse("a field needs a token as its name and a value on one line")
    body = _listing(asked)
    sent = [(name, value) for name, value in asked if name.lower() not in FRAMING]
    return typed(JSON, body).add(*sent)


def _listing(asked: list[tuple[str, str]]) -> bytes:
    """The JSON of the fields, its own length included: repeated until the length says the truth."""
    length = 0
    while True:
        fields = [("Content-Type", JSON), ("Content-Length", str(length)), *asked]
        body = dump({name: _values(name, fields) for name, _ in fields})
        if len(body) == length:
            return body
        length = len(body)


def _values(name: str, fields: list[tuple[str, str]]) -> str | list[str]:
    values = [value for other, value in fields if other.lower() == name.lower()]
    return values[0] if len(values) == 1 else values
