"""The variables of templates: the request as rules see it, as Kong lays it out for Lua.

Text is ``str`` in latin-1. To add a variable: one reader in ``_READERS``, its name in ``policy.expressions.VARIABLES``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aimon_local.policy.call import Call
from aimon_local.policy.edits import appended
from aimon_local.policy.forms import decode


class World(Mapping[str, Any]):
    """The variables, read from the call at their first use (an edit before it is seen, as in Kong)."""

    __slots__ = ("_call", "_known")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = _READERS[name](self._call)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_READERS)

    def __len__(self) -> int:
        return len(_READERS)


class _Headers(dict[str, Any]):
    """Request fields by lower-case name, found in any case and with "_" for "-", as OpenResty's table."""

    def get(self, name: Any, default: Any = None) -> Any:
        """The value, a list of several, or None."""
        if not isinstance(name, str):
            return default
        low = name.lower()
        found = super().get(low)
        return super().get(low.replace("_", "-"), default) if found is None else found


def _read_headers(call: Call) -> _Headers:
    out = _Headers(host=call.host)
    if call.content_length is not None:
        out["content-length"] = str(call.content_length)
    for low, raw, _ in call.fields:
        name, value = low.decode("latin-1"), raw.decode("latin-1")
        out[name] = appended(out[name], value) if name in out and name not in ("host", "content-length") else value
    return out


def _read_captures(call: Call) -> dict[Any, Any]:
    """Named groups, and numbered ones from 1 (0 is not among them, as in Kong)."""
    if call.match is None:
        return {}
    numbered = {number: text for number, text in enumerate(call.match.groups) if number and text is not None}
    return {**numbered, **call.match.captures}


_READERS: Mapping[str, Callable[[Call], Any]] = {
    "headers": _read_headers,
    "query_params": lambda call: decode(call.upstream_query or ""),
    "uri_captures": _read_captures,
    "shared": lambda call: {},
}
