"""From input to a whole entity: shorthands spread, defaults and automatic values filled in, sets without repeats.

Nothing is judged here but shorthands; a value of the wrong type passes through as it is, for ``model.validate`` to
name. ``None`` is JSON's null; a field that is not there is absent from the mapping.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aimon_local.model import lua
from aimon_local.model.schema import Field, Shorthand, string
from aimon_local.model.validators import check_value
from aimon_local.model.violation import Fault

SECOND_NS = 1_000_000_000


class Ids(Protocol):
    """Where fresh names come from; the shell has chance, this room has none."""

    def uuid(self) -> str:
        """A new UUID."""
        ...

    def token32(self) -> str:
        """32 letters and digits that nobody can guess."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """When and with which fresh names an entity is made. ``now`` is nanoseconds since the epoch."""

    now: int
    ids: Ids


class ShorthandFault(Exception):
    """A shorthand that can't be spread ends the filling; ``faults`` are then the only ones reported, as Kong does."""

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        super().__init__("unusable shorthand")
        self.faults = faults


def fill(
    fields: Sequence[Field],
    shorthands: Sequence[Shorthand],
    data: Mapping[Any, Any],
    mode: str,
    moment: Moment | None,
) -> dict[Any, Any]:
    """``data`` with everything filled in that ``mode`` (insert, update, upsert) fills; raises ShorthandFault."""
    out = _spread(shorthands, data)
    for field in fields:
        if mode != "update" and field.attrs.get("auto") and field.name not in out and moment is not None:
            _automatic(field, out, moment)
        if moment is not None and field.attrs.get("auto"):
            _stamp(field, out, mode, moment)
        if field.name in out:
            out[field.name] = _inner(field, out[field.name], mode, moment)
        elif mode != "update":
            _default(field, out, mode, moment)
    return out


def _automatic(field: Field, out: dict[Any, Any], moment: Moment) -> None:
    if field.attrs.get("uuid"):
        out[field.name] = moment.ids.uuid()
    elif field.type == "string":
        out[field.name] = moment.ids.token32()


def _stamp(field: Field, out: dict[Any, Any], mode: str, moment: Moment) -> None:
    """``created_at`` once, ``updated_at`` always; integer seconds, or milliseconds as a fraction."""
    created = field.name == "created_at" and mode != "update" and out.get("created_at") is None
    if not created and field.name != "updated_at":
        return
    whole = field.type == "integer"
    out[field.name] = moment.now // SECOND_NS if whole else moment.now // 1_000_000 / 1000


def _inner(field: Field, value: Any, mode: str, moment: Moment | None) -> Any:
    """A given value with its inside filled; numbers in their JSON form."""
    if isinstance(value, float):
        return lua.whole(value)
    if field.type == "record" and isinstance(value, dict | list):
        return fill(field.fields, field.shorthands, as_table(value), mode, moment)
    if field.type in ("array", "set") and isinstance(value, dict) and not value:
        return []  # Lua knows one kind of empty table
    if field.elements is not None and isinstance(value, list):
        items = [_inner(field.elements, item, mode, moment) for item in value]
        return without_repeats(items) if field.type == "set" else items
    if field.type == "map" and field.values is not None and isinstance(value, dict | list):
        return {key: _inner(field.values, item, mode, moment) for key, item in as_table(value).items()}
    return value


def _default(field: Field, out: dict[Any, Any], mode: str, moment: Moment | None) -> None:
    if field.attrs.get("default") is not None:
        default = copy.deepcopy(field.attrs["default"])
        default = list(default) if isinstance(default, tuple) else default
        out[field.name] = _inner(field, default, mode, moment)
    elif not field.attrs.get("required"):
        out[field.name] = None
    elif field.type == "record" and not field.attrs.get("abstract"):
        out[field.name] = fill(field.fields, field.shorthands, {}, "insert", moment)


def as_table(value: Mapping[Any, Any] | Sequence[Any]) -> dict[Any, Any]:
    """A list where a structure is due, as Lua sees it: its positions are the keys."""
    return dict(value) if isinstance(value, Mapping) else dict(enumerate(value, 1))


def without_repeats(items: list[Any]) -> list[Any]:
    """The first of each equal items; true is not 1."""
    out: list[Any] = []
    for item in items:
        if not any(type(item) is type(other) and item == other for other in out):
            out.append(item)
    return out


def _spread(shorthands: Sequence[Shorthand], data: Mapping[Any, Any]) -> dict[Any, Any]:
    out = dict(data)
    faults: dict[str, Fault] = {}
    for shorthand in shorthands:
        if shorthand.name not in out:
            continue
        value = out[shorthand.name]
        fault = _refused(shorthand, value, out)
        if fault is not None:
            faults[shorthand.name] = fault
            continue
        del out[shorthand.name]
        expanded = shorthand.expand(value)
        if isinstance(expanded, str):
            faults[shorthand.name] = expanded
        else:
            _merge(out, expanded, keep=shorthand.deprecated)
    if faults:
        raise ShorthandFault(faults)
    return out


def _refused(shorthand: Shorthand, value: Any, data: Mapping[Any, Any]) -> Fault | None:
    fault = check_value(shorthand.field or string(shorthand.name), value, lambda field, inner: None)
    if fault is not None or value is None or not (shorthand.deprecated and shorthand.shown):
        return fault
    other = at_path(data, shorthand.shown)
    if other is None or other == value:
        return None
    name = ".".join(shorthand.shown)
    return (
        "both deprecated and new field are used but their values mismatch: "
        f"{shorthand.name} = {lua.text(value)} vs {name} = {lua.text(other)}"
    )


def at_path(data: Any, path: Sequence[str]) -> Any:
    """The value at the end of ``path``; None when it is not there."""
    for part in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(part)
    return data


def _merge(out: dict[Any, Any], expanded: Mapping[str, Any], *, keep: bool) -> None:
    """Spread values into the data; with ``keep`` only where it holds nothing yet."""
    for name, value in expanded.items():
        there = out.get(name)
        if isinstance(value, Mapping):
            inner = dict(there) if isinstance(there, Mapping) else {}
            _merge(inner, value, keep=keep)
            out[name] = inner
        elif not keep or there is None:
            out[name] = value
