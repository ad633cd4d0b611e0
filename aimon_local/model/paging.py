"""Query arguments of lists: size, offset, tags. What Kong accepts, what it answers otherwise, and how offsets look."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model import violation
from aimon_local.model.lua import tonumber
from aimon_local.model.violation import Violation

DEFAULT_SIZE = 100
MAX_SIZE = 1000
MAX_TAGS = 5
_TAG = r"[^\x00-\x1f,/\x7f]+"
_ALL_OF = re.compile(f"{_TAG}(,{_TAG})*,?\\Z")
_ANY_OF = re.compile(f"{_TAG}(/{_TAG})*/?\\Z")


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Entities that carry all of the tags (``a,b``) or any of them (``a/b``)."""

    tags: tuple[str, ...]
    every: bool

    def fits(self, tags: Collection[str] | None) -> bool:
        """Whether an entity with these tags passes."""
        held = tags or ()
        found = [tag in held for tag in self.tags]
        return all(found) if self.every else any(found)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list; ``next_offset`` opens the next page, None on the last."""

    rows: Sequence[dict[str, Any]]
    next_offset: str | None


def parse_size(text: str | None) -> int | Violation:
    """The ``size`` argument: an integer between 1 and 1000; absent: 100."""
    if text is None:
        return DEFAULT_SIZE
    number = tonumber(text)
    if number is None:
        return violation.invalid_size("size must be a number")
    if not isinstance(number, int) or not 1 <= number <= MAX_SIZE:
        return violation.invalid_size(f"size must be an integer between 1 and {MAX_SIZE}")
    return number


def parse_tags(text: str) -> TagFilter | Violation:
    """The ``tags`` argument: ``a,b`` (all) or ``a/b`` (any), at most five, never mixed."""
    if not text:
        return violation.invalid_options({"tags": "cannot be null"})
    every = _ALL_OF.match(text) is not None
    if not every and _ANY_OF.match(text) is None:
        return violation.invalid_options({"tags": "invalid filter syntax"})
    tags = tuple(tag for tag in text.split("," if every else "/") if tag)
    if len(tags) > MAX_TAGS:
        return violation.invalid_options({"tags": f"cannot query more than {MAX_TAGS} tags"})
    return TagFilter(tags, every)


def encode_offset(key: Sequence[str]) -> str:
    """The opaque offset of a list that goes on at ``key``."""
    text = json.dumps(list(key), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode_offset(offset: str, parts: int = 1) -> tuple[str, ...] | Violation:
    """The key in an offset of ``parts`` parts."""
    raw = offset.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(raw + "=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError):
        return violation.invalid_offset(offset, "bad base64 encoding")
    try:
        key = json.loads(data)
    except ValueError:
        return violation.invalid_offset(offset, "bad json encoding")
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        return violation.invalid_offset(offset, "bad json encoding")
    return tuple(key)
