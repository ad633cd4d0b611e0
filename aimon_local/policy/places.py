"""The places of a request where a secret can stand: header fields, cookies, the query, fields of the body.

Names and values are bytes here, as they come over the wire. What is taken out of a place leaves all else of the
request as it was, but for the query: Kong writes that anew, in the form of a URLSearchParams object.
"""

import re
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from aimon_local.policy.call import Call
from aimon_local.policy.forms import decode, encode_sorted
from aimon_local.policy.jsonbody import parse, render
from aimon_local.policy.multipart import Multipart

FORM, JSON, MULTIPART = b"application/x-www-form-urlencoded", b"application/json", b"multipart/form-data"
_SPACES = re.compile(rb"\+")


def spellings(name: str) -> tuple[bytes, ...]:
    """The lower-case field names that a configured name means, in order: its own, and with "-" for each "_"."""
    low = name.lower()
    dashed = low.replace("_", "-")
    return (low.encode(),) if low == dashed else (low.encode(), dashed.encode())


def cookie_pattern(name: str) -> re.Pattern[bytes]:
    """Finds a cookie of this name, whose letter case does not count, in a Cookie line; group 1 is its value (nginx)."""
    return re.compile(rb"(?:^|[;,]) *" + re.escape(name.encode()) + rb" *= *([^;]*)", re.IGNORECASE)


def cookie(call: Call, pattern: re.Pattern[bytes]) -> bytes | None:
    """The value of the first cookie that the pattern finds."""
    for line in call.get_all(b"cookie"):
        if found := pattern.search(line):
            return found[1]
    return None


def without_argument(call: Call, name: bytes) -> None:
    """Take an argument out of the upstream's query; the others keep their order (WHATWG URL, section 5)."""
    if not call.upstream_query:
        return
    kept = [pair for pair in _pairs(call.upstream_query) if pair[0] != name]
    query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in kept)
    bare = call.query is not None and (not call.query or call.query.endswith("?"))
    call.upstream_query = query or ("" if bare else None)


def _pairs(query: str) -> list[tuple[bytes, bytes]]:
    split = (piece.partition("=") for piece in query.split("&") if piece)
    return [(_plain(name), _plain(value)) for name, _, value in split]


def _plain(source: str) -> bytes:
    return unquote_to_bytes(_SPACES.sub(b" ", source.encode("latin-1")))


def _quoted(source: bytes) -> str:
    return quote_from_bytes(source, "* ").replace("~", "%7E").replace(" ", "+")


def has_body(call: Call) -> bool:
    """Whether the request declares a body."""
    return call.chunked or bool(call.content_length)


def body_fields(call: Call) -> Any:
    """The gathered body as named values by its Content-Type: a dict, or a list for a JSON array.

    None where it is of another kind, or malformed. Text is latin-1 for forms, UTF-8 for JSON.
    """
    content_type = (call.get(b"content-type") or b"").lower()
    reader = next((read for kind, read in _READERS.items() if content_type.startswith(kind)), None)
    try:
        return None if reader is None else reader(call)
    except ValueError:
        return None


def _read_form(call: Call) -> Any:
    return decode((call.body or b"").decode("latin-1"))


def _read_json(call: Call) -> Any:
    value = parse(call.body or b"")
    return value if isinstance(value, dict | list) else None


def _read_multipart(call: Call) -> Any:
    parts = Multipart(call.body or b"", call.get(b"content-type") or b"").parts
    return {part.name.decode("latin-1"): part.content.decode("latin-1") for part in parts}


_READERS = {FORM: _read_form, JSON: _read_json, MULTIPART: _read_multipart}


def without_field(call: Call, name: str) -> None:
    """Take a field out of the gathered body, where it is there."""
    fields = body_fields(call)
    if not isinstance(fields, dict) or name not in fields:
        return
    content_type = call.get(b"content-type") or b""
    if content_type.lower().startswith(MULTIPART):
        form = Multipart(call.body or b"", content_type)
        form.delete(name.encode("latin-1"))
        call.body = form.render() or form.closing
        return
    del fields[name]
    if content_type.lower().startswith(JSON):
        call.body = render(fields)
    else:
        call.body = encode_sorted(fields).encode("latin-1")
