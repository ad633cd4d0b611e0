"""How Kong's texts look: values, keys and patterns as Lua writes and reads them.

Kong renders keys (``{name="x",service={id="…"}}``) and nested errors by Penlight's ``pretty.write``, numbers by
``tostring``, and its schemas hold Lua patterns. All of that is text in error bodies, so it is part of the contract.
Must not know schemas. To support more of Lua's patterns: ``_ITEMS``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_KEYWORD = re.compile(
    r"(and|break|do|else|elseif|end|false|for|function|if|in|local|nil|not|or|repeat|return|then|true|until|while)\Z"
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)\Z")
_ITEMS = {
    "a": "A-Za-z",
    "d": "0-9",
    "l": "a-z",
    "u": "A-Z",
    "w": "A-Za-z0-9",
    "s": " \\t\\n\\r\\f\\v",
    "x": "0-9A-Fa-f",
    "c": "\\x00-\\x1f\\x7f",
    "p": "!-/:-@\\[-`{-~",
}


def text(value: Any) -> str:
    """``tostring``: true, 5, 0.5, the string itself; a whole float prints without a fraction."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.14g}"
    return str(value)


def tonumber(value: str) -> int | float | None:
    """``tonumber``: decimal or hexadecimal with blanks around, else None. Whole numbers come back as int."""
    stripped = value.strip(" \t\n\r\f\v")
    if match := _HEX.match(stripped):
        return int(match[1] + match[2], 16)
    if not _NUMBER.match(stripped):
        return None
    number = float(stripped)
    return whole(number) if abs(number) < 2**53 else number


def whole(number: int | float) -> int | float:
    """A float without a fraction as int: JSON prints 5, not 5.0."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def quote(value: str) -> str:
    """A Lua string literal: double quotes, or long brackets when it holds a line break or what looks like them."""
    levels = [len(equals) for _, equals in re.findall(r"([\[\]])(=*)\1", value + "]")]
    if ("\n" in value or levels) and "\r" not in value:
        equals = "=" * (max(levels, default=-1) + 1)
        first = "\n" if value.startswith("\n") else ""  # the first line break of a long string does not count
        return f"[{equals}[{first}{value}]{equals}]"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\\n")
    return '"' + escaped.replace("\r", "\\r").replace("\0", "\\0") + '"'


def compact(value: Any) -> str:
    """One line without blanks: ``{consumer=null,name="x"}``; keys sorted, null bare."""
    if isinstance(value, Mapping):
        parts = [f"{_key(key)}={compact(inner)}" for key, inner in _entries(value)]
        return "{" + ",".join(parts) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "{" + ",".join(_listed(value, compact, "=")) + "}"
    return quote(value) if isinstance(value, str) else text(value)


def pretty(value: Any, indent: str = "") -> str:
    """Several lines, two blanks per level, as nested errors show below the second level."""
    inner = indent + "  "
    if isinstance(value, Mapping):
        parts = [f"{_key(key)} = {pretty(item, inner)}" for key, item in _entries(value)]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        parts = _listed(value, lambda item: pretty(item, inner), " = ")
    else:
        return quote(value) if isinstance(value, str) else text(value)
    lines = ",\n".join(inner + part for part in parts)
    return "{\n" + (lines + "\n" if lines else "") + indent + "}"


def _listed(items: Sequence[Any], render: Any, sign: str) -> list[str]:
    """The elements of a list; after a gap (None) they carry their number, as Lua's tables do."""
    gap = next((at for at, item in enumerate(items) if item is None), len(items))
    plain = [render(item) for item in items[:gap]]
    numbered = [f"[{at + 1}]{sign}{render(items[at])}" for at in range(gap, len(items)) if items[at] is not None]
    return plain + numbered


def _entries(table: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return sorted(table.items(), key=lambda entry: (not isinstance(entry[0], str), str(entry[0])))


def _key(key: Any) -> str:
    if not isinstance(key, str):
        return f"[{text(key)}]"
    return key if _IDENTIFIER.match(key) and not _KEYWORD.match(key) else f"[{quote(key)}]"


def find(pattern: str, value: str) -> bool:
    """Whether a Lua pattern matches somewhere in ``value``."""
    return _compiled(pattern).search(value) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translate(pattern), re.DOTALL)


def _translate(pattern: str) -> str:
    out: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        char = pattern[at]
        if char == "^" and at == 0:
            out.append(r"\A")
            at += 1
        elif char == "$" and at == end - 1:
            out.append(r"\Z")
            at += 1
        elif char == "[":
            item, at = _class(pattern, at + 1)
            at = _repeat(pattern, at, item, out)
        elif char == "%":
            item = _escape(pattern[at + 1])
            at = _repeat(pattern, at + 2, item if len(item) <= 2 else f"[{item}]", out)
        elif char in "()":
            out.append(char)
            at += 1
        else:
            at = _repeat(pattern, at + 1, char if char == "." else re.escape(char), out)
    return "".join(out)


def _escape(char: str) -> str:
    """``%u`` as the inside of a character class; any other ``%x`` is the character x."""
    return _ITEMS.get(char) or "\\" + char


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The set that opens before ``at``: its regular expression and where it ends."""
    out = ["["]
    if pattern[at] == "^":
        out.append("^")
        at += 1
    first = at
    while pattern[at] != "]" or at == first:
        if pattern[at] == "%":
            out.append(_escape(pattern[at + 1]))
            at += 2
        else:
            out.append(pattern[at] if pattern[at] == "-" else re.escape(pattern[at]))
            at += 1
    return "".join(out) + "]", at + 1


def _repeat(pattern: str, at: int, item: str, out: list[str]) -> int:
    """Append ``item`` with the repetition that follows it; Lua's ``-`` is the lazy ``*``."""
    mark = pattern[at] if at < len(pattern) else ""
    if mark and mark in "*+?":
        out.append(item + mark)
        return at + 1
    if mark == "-":
        out.append(item + "*?")
        return at + 1
    out.append(item)
    return at
