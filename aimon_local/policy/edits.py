"""The edits of the transformers: lists of ``name:value``, what they do to named values, and the checks of their schema.

Kong's order is remove, rename, replace, add, append; to it, all is there but what is missing and false.
Text is ``str`` in latin-1 (one character is one byte) but for JSON.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aimon_local.policy.multipart import Multipart
from aimon_local.policy.templates import Template, compile_template

Variables = Mapping[str, Any]
Entries = list[tuple[str, Template | None]]
"""Names (latin-1) and the templates of their values; None where there is no value."""

Values = dict[str, Any]
"""Fields of a query, a form or a JSON object."""

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


def entries(pairs: list[str]) -> Entries:
    """A list of ``name:value`` made ready; raises TemplateError."""
    return [
        (name.encode("utf-8", "surrogateescape").decode("latin-1"), None if value is None else compile_template(value))
        for name, value in split(pairs)
    ]


def rendered(ready: Entries, world: Variables) -> Iterator[tuple[str, str | None]]:
    """Names and values for one request; raises TemplateError."""
    for name, template in ready:
        yield name, None if template is None else template.render(world)


def edit_values(
    values: Values, edits: Mapping[str, Entries], world: Variables, *, empty: bool = False, utf8: bool = False
) -> bool:
    """Edit named values; says whether anything was, in Kong's sense: removing what is not there counts.

    ``empty``: there was nothing to begin with, so there is only adding. ``utf8``: the values are text, not bytes.
    """

    def pairs(edit: str) -> list[tuple[str, Any]]:
        found = rendered(edits[edit], world)
        return [(_text(name), _text(value)) for name, value in found] if utf8 else list(found)

    changed = False
    if not empty:
        for name, _ in pairs("remove"):
            values.pop(name, None)
            changed = True
        for old, new in pairs("rename"):
            _rename_value(values, old, new)
            changed = True
        for name, value in pairs("replace"):
            if _there(values, name):
                _put(values, name, value)
                changed = True
    for name, value in pairs("add"):
        if not _there(values, name):
            _put(values, name, value)
            changed = True
    for name, value in pairs("append"):
        if value is not None:
            values[name] = appended(values.get(name), value)
        changed = True
    return changed


def _there(values: Values, name: str) -> bool:
    """Lua's truth: only false and what is missing are not; null of JSON is."""
    return values.get(name, False) is not False


def _put(values: Values, name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value


def _rename_value(values: Values, old: str, new: str | None) -> None:
    """Kong overwrites the new name also by nothing: renaming what is not there removes what is."""
    if new is None:
        return
    if old in values:
        values[new] = values[old]
    else:
        values.pop(new, None)
    values.pop(old, None)


def edit_parts(form: Multipart, edits: Mapping[str, Entries], world: Variables) -> bool:
    """Rename, remove and replace parts of a multipart body, in this order; says whether anything was edited."""
    changed = False
    for old, new in rendered(edits["rename"], world):
        content = form.get(old.encode("latin-1"))
        if content is not None and new is not None:
            form.set(new.encode("latin-1"), content)
            form.delete(old.encode("latin-1"))
            changed = True
    for name, _ in edits["remove"]:
        form.delete(name.encode("latin-1"))
        changed = True
    for name, value in rendered(edits["replace"], world):
        if form.get(name.encode("latin-1")) is not None:
            form.delete(name.encode("latin-1"))
            if value is not None:
                form.set(name.encode("latin-1"), value.encode("latin-1"))
            changed = True
    return changed


def _text(raw: str | None) -> Any:
    """Bytes as text of JSON; what is no UTF-8 survives."""
    return None if raw is None else raw.encode("latin-1").decode("utf-8", "surrogateescape")


# ---- checks of the schemas


def check_header(pair: str) -> str | None:
    """A ``name:value`` whose name must be one of a header field."""
    return _checked(split([pair])[0][0])


def check_header_names(pair: str) -> str | None:
    """An ``old:new``, both of them names of header fields."""
    old, new = split([pair])[0]
    return _checked(old) or _checked(new or "")


def _checked(name: str) -> str | None:
    return None if _HEADER.fullmatch(name) else f"'{name}' is not a valid header"
