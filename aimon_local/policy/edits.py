"""What both transformers share: lists of ``name:value``, checks of their schema, values that stay in their line."""

import re
from collections.abc import Iterable
from typing import Any

_PAIR = re.compile(r"([^:]+):*(.*)", re.DOTALL)
_HEADER = re.compile(r"[A-Za-z0-9_-]+")
_BREAKS = {0: "%00", 10: "%0A", 13: "%0D"}

PAIR_PATTERN = "^[^:]+:.*$"
"""The Lua pattern that Kong's schema asks of a ``name:value``."""

FRAMING = frozenset(
    b"connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)
"""Fields that say where a message ends, or that are for one hop only: the gateway's own, no edit sets them."""


def split(pairs: Iterable[str]) -> list[tuple[str, str | None]]:
    """Names and values of a list of ``name:value``; None where nothing follows the colons."""
    found = [_PAIR.fullmatch(pair) for pair in pairs]
    return [(match[1], match[2] or None) for match in found if match is not None]


def one_line(value: str) -> str:
    """A field value that can't break out of its line: CR, LF and NUL are written as %XX, as OpenResty does."""
    return value.translate(_BREAKS)


def appended(held: Any, value: Any) -> Any:
    """What ``append`` makes of a value: text and lists grow, anything else gives way to a list of the new one."""
    if isinstance(held, str):
        return [held, value]
    if isinstance(held, list):
        return [*held, value]
    if isinstance(held, dict):
        return {**held, "1": value}  # Kong appends to the table's list part
    return [value]


def check_header(pair: str) -> str | None:
    """A ``name:value`` whose name must be one of a header field."""
    return _checked(split([pair])[0][0])


def check_header_names(pair: str) -> str | None:
    """An ``old:new``, both of them names of header fields."""
    old, new = split([pair])[0]
    return _checked(old) or _checked(new or "")


def _checked(name: str) -> str | None:
    return None if _HEADER.fullmatch(name) else f"'{name}' is not a valid header"
