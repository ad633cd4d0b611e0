"""What an endpoint answers, as a value: waiting is data here, the adapter (``server``) does it.

To add a kind of answer: one function that returns a Reply.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

Pairs = tuple[tuple[str, str], ...]
Parts = Iterable[bytes | float]
"""A streamed body: bytes to send, and between them pauses in seconds."""

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before the common fields (Date, Server, CORS) are added."""

    status: int = 200
    body: bytes | Parts = b""
    fields: Pairs = ()
    wait: float = 0.0  # seconds before the head goes out
    length: int | None = None  # of a streamed body where it is known

    def add(self, *pairs: tuple[str, str]) -> "Reply":
        """The same answer with more fields at its end."""
        return replace(self, fields=(*self.fields, *pairs))

    def but(self, status: int) -> "Reply":
        """The same answer under another status."""
        return replace(self, status=status)


def typed(content_type: str, body: bytes | str, status: int = 200) -> Reply:
    """A whole body of a media type; text goes out as UTF-8."""
    raw = body.encode() if isinstance(body, str) else body
    return Reply(status, raw, (("Content-Type", content_type),))


def dump(value: Any) -> bytes:
    """JSON as httpbin writes it: sorted keys, two blanks of indent, ASCII, a newline at the end."""
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def jsonify(value: Mapping[str, Any], status: int = 200) -> Reply:
    """A JSON object."""
    return typed(JSON, dump(value), status)


def empty(status: int) -> Reply:
    """No body, with the media type that httpbin names even so."""
    return typed(HTML, b"", status)


def page(status: int, title: str, text: str) -> Reply:
    """A small HTML page in plain words."""
    html = (
        f"<!doctype html>\n<title>{status} {escape(title)}</title>\n<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n"
    )
    return typed(HTML, html, status)


def refuse(text: str) -> Reply:
    """400 for an argument that can't be used (httpbin itself fails with 500 on most of them)."""
    return typed(TEXT, text + "\n", 400)


def redirect(location: str, status: int = 302) -> Reply:
    """A redirection, with a page for people whose client stays."""
    target = escape(location)
    html = f'<!doctype html>\n<title>{status}</title>\n<p>The answer is at <a href="{target}">{target}</a>.</p>\n'
    return typed(HTML, html, status).add(("Location", location))
