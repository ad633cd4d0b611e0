"""The nouns between the dispatcher and its handlers: what is asked, what is answered. No behaviour beyond reading both.

A handler takes an ``Ask`` and gives a ``Reply``; it is asynchronous only where it waits for storage.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from aimon_local.gateway.admin.body import EMPTY, Body
from aimon_local.gateway.admin.context import AdminContext
from aimon_local.model.violation import Violation
from aimon_local.wire.app import Request

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, without the fields that all answers share."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""  # an iterator's pieces go out as they come
    content_type: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one endpoint. ``path`` is raw, without a trailing slash; ``params`` are decoded segments."""

    context: AdminContext
    request: Request
    path: str
    params: Mapping[str, str]
    query: "Query"
    body: Body = EMPTY


Handler = Callable[[Ask], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Query:
    """Query arguments as Kong reads them: ``+`` is a space, a name without ``=`` has an empty value."""

    pairs: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @classmethod
    def of(cls, raw: str | None) -> "Query":
        """The arguments of a raw query."""
        pieces = (piece.partition("=") for piece in (raw or "").split("&") if piece)
        return cls([(decoded(name), decoded(value)) for name, _, value in pieces])

    def first(self, name: str) -> str | None:
        """The first value of a name; None where it is not there."""
        return next((value for found, value in self.pairs if found == name), None)

    def flag(self, name: str) -> bool:
        """Whether a switch is on: there, and not "0" or "false"."""
        return self.first(name) not in (None, "0", "false")


def decoded(text: str) -> str:
    """A piece of a path or a query as text; what is no UTF-8 is replaced, for such a name is never found."""
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")


def json_reply(status: int, value: Any, fields: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A compact JSON answer, as Kong's."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Reply(status, text.encode("utf-8", "backslashreplace"), JSON_TYPE, fields)


def message(status: int, text: str) -> Reply:
    """An answer that is a message alone."""
    return json_reply(status, {"message": text})


def refused(violation: Violation) -> Reply:
    """The answer that a violation of the model stands for."""
    return json_reply(violation.status, violation.body)


NOT_FOUND = message(404, "Not found")
NOT_ALLOWED = message(405, "Method not allowed")
NO_CONTENT = Reply(204)
