"""Request bodies to data: JSON, urlencoded and multipart forms, by Kong's rules. Bytes in, data or a refusal out.

JSON is taken as it is; form fields stay text and are nested here (``model.coerce`` types them later, by a schema).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from aimon_local.model import violation
from aimon_local.model.coerce import decode_args
from aimon_local.model.violation import Violation
from aimon_local.policy.multipart import Multipart

MOST_ARGUMENTS = 1000  # of a form or a query (Kong's admin_api limit)
MOST_LEVELS = 64
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"

NO_JSON = violation.plain(400, "Cannot parse JSON body")
TOO_MANY = violation.plain(400, "Too many arguments")
_NO_TEXT = violation.plain(400, "the form's names and values must be UTF-8")


@dataclass(frozen=True, slots=True)
class Body:
    """What came: ``data`` nested; ``form``: its values are text still."""

    data: Mapping[Any, Any]
    form: bool = False


EMPTY = Body({})
UNSUPPORTED = "unsupported"  # answered 415 with an empty body


def decode(raw: bytes, content_type: str | None, length: str | None) -> Body | Violation | str:
    """The body of a POST, PUT or PATCH, a violation, or ``UNSUPPORTED``. ``length``: the Content-Length field.

    Without body and type: empty input. A body without a type, or of another type: unsupported.
    """
    if content_type is None:
        return EMPTY if not raw or length == "0" else UNSUPPORTED
    low = content_type.lower()
    if low.startswith(JSON):
        return parse_json(raw)
    if low.startswith(FORM):
        return _pairs_to_body(urlencoded(raw))
    if low.startswith(MULTIPART):
        return _pairs_to_body(multipart(raw, content_type))
    return UNSUPPORTED


def parse_json(raw: bytes) -> Body | Violation:
    """A JSON document. A list is a table with the keys 1, 2, … (Kong's Lua sees it so); a bare scalar is no input."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        if b"\\u" in raw:  # only an escape can give half of a surrogate pair, which is no text
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return NO_JSON
    if value is False or too_deep(value):  # Kong takes ``false`` for nothing parsed
        return NO_JSON
    if isinstance(value, list):
        return Body(dict(enumerate(value, 1)))
    return Body(value) if isinstance(value, dict) else EMPTY


def too_deep(value: Any) -> bool:
    """Whether a document nests deeper than any entity does; nobody has to walk such a one then."""
    level = [value]
    for _ in range(MOST_LEVELS):
        tables = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in tables for inner in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return True


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


Pairs = list[tuple[str, str | bool]]


def urlencoded(raw: bytes) -> Pairs | Violation:
    """Names and values in their order; True for a name without ``=``."""
    pieces = [piece for piece in raw.replace(b"+", b" ").split(b"&") if piece]
    if len(pieces) > MOST_ARGUMENTS:
        return TOO_MANY
    pairs: Pairs = []
    try:
        for piece in pieces:
            name, equals, value = piece.partition(b"=")
            text = unquote_to_bytes(value).decode("utf-8") if equals else True
            pairs.append((unquote_to_bytes(name).decode("utf-8"), text))
    except UnicodeDecodeError:
        return _NO_TEXT
    return pairs


def multipart(raw: bytes, content_type: str) -> Pairs | Violation:
    """The parts as names and values; without a boundary there are none (Kong)."""
    try:
        parts = Multipart(raw, content_type.encode("latin-1")).parts
    except ValueError:
        return []
    if len(parts) > MOST_ARGUMENTS:
        return TOO_MANY
    try:
        return [(part.name.decode("utf-8"), part.content.decode("utf-8")) for part in parts]
    except UnicodeDecodeError:
        return _NO_TEXT


def _pairs_to_body(pairs: Pairs | Violation) -> Body | Violation:
    if isinstance(pairs, Violation):
        return pairs
    if any(name.count(".") + name.count("[") > MOST_LEVELS for name, _ in pairs):
        return TOO_MANY
    return Body(decode_args(pairs), form=True)
