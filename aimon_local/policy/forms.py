"""Queries and form bodies (application/x-www-form-urlencoded) as OpenResty reads and writes them.

Text is ``str`` in latin-1 (one character is one byte). A name without "=" is True, a name that comes several times
a list.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote_from_bytes, unquote_to_bytes

Value = str | bool | list[str | bool]

_SAFE = "!'()*"  # besides letters, digits, "_.-~"; the rest goes as %XX
_SPACES = re.compile(r"\+")


def decode(source: str) -> dict[str, Value]:
    """Names and values in their order; pairs without a name are dropped."""
    out: dict[str, Value] = {}
    for pair in source.split("&"):
        raw_name, equals, raw_value = pair.partition("=")
        name = _plain(raw_name)
        if not name:
            continue
        value: str | bool = _plain(raw_value) if equals else True
        held = out.get(name)
        if held is None:
            out[name] = value
        elif isinstance(held, list):
            held.append(value)
        else:
            out[name] = [held, value]
    return out


def encode(values: Mapping[str, Value]) -> str:
    """``a=1&b&c=x&c=y`` in the order of the mapping; False and empty lists are left out."""
    return "&".join(filter(None, (_pairs(name, value) for name, value in values.items())))


def encode_sorted(values: Mapping[str, Value]) -> str:
    """As ``encode``, sorted as text: Kong writes queries so."""
    return "&".join(sorted(filter(None, (_pairs(name, value) for name, value in values.items()))))


def _pairs(name: str, value: Value) -> str:
    each = value if isinstance(value, list) else [value]
    return "&".join(_quoted(name) if v is True else f"{_quoted(name)}={_quoted(v)}" for v in each if v is not False)


def _plain(source: str) -> str:
    return unquote_to_bytes(_SPACES.sub(" ", source).encode("latin-1")).decode("latin-1")


def _quoted(source: str | bool) -> str:
    return quote_from_bytes(str(source).encode("latin-1"), _SAFE)
