"""Form fields and query arguments to typed data: first the nesting that names spell, then types by the schema.

``a.b=v`` nests, ``a[]=x``, ``a[1]=x`` and repeats make lists, ``h[key]=v`` a map entry. Tables are Lua's here: a list
is a mapping with the keys 1, 2, …; one with gaps stays a mapping, and the schema then refuses it, as Kong does. JSON
never comes this way.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.model import lua
from aimon_local.model.schema import Field, Schema, Shorthand, string
from aimon_local.model.validate import fields_of

_INDEXED = re.compile(r"(.+)\[(\d*)\]\Z", re.ASCII | re.DOTALL)
_KEYED = re.compile(r"(.+?)\[([^\[\]]+)\]\Z", re.DOTALL)
_Table = dict[str | int, Any]


def decode_args(pairs: Sequence[tuple[str, str | bool]]) -> dict[str, Any]:
    """Nested data of the pairs in their order; values stay text (True: a name without ``=``)."""
    grouped: dict[str, list[str | bool]] = {}
    for name, value in pairs:
        if name:
            grouped.setdefault(name, []).append(value)
    table: _Table = {}
    for name, values in grouped.items():
        _combine(table, _branch(name, values[0] if len(values) == 1 else dict(enumerate(values, 1))))
    return {str(name): _plain(value) for name, value in table.items()}


def _branch(name: str, value: Any) -> _Table:
    """One field as a table that holds nothing else."""
    if name.startswith(".") or name.endswith("."):
        return {name: value}
    root: _Table = {}
    bucket = root
    *path, last = [part for part in name.split(".") if part]
    for part in path:
        bucket = _place(bucket, part, {})
    _place(bucket, last, value)
    return root


def _place(bucket: _Table, name: str, value: Any) -> _Table:
    """Put ``value`` where ``name`` with its brackets points, and give the table that is there."""
    indexes: list[int | str | None] = []
    while match := _INDEXED.match(name):
        name = match[1]
        indexes.insert(0, int(match[2]) if match[2] else None)
    if not indexes and (match := _KEYED.match(name)):
        name = match[1]
        indexes = [match[2]]
    if not indexes:
        bucket[name] = value
        return value if isinstance(value, dict) else bucket
    inner: _Table = {}
    bucket[name] = inner
    for index in indexes[:-1]:
        deeper: _Table = {}
        inner[1 if index is None else index] = deeper
        inner = deeper
    return _append(inner, indexes[-1], value)


def _append(table: _Table, index: int | str | None, value: Any) -> _Table:
    if index is not None:
        table[index] = value
        return value if isinstance(value, dict) else table
    if isinstance(value, dict) and value:
        table.update(value)
    elif isinstance(value, dict):
        table[len(table) + 1] = value
        return value
    else:
        table[len(table) + 1] = value
    return table


def _combine(into: _Table, branch: _Table) -> None:
    """Join a branch into the table; what stands in one place twice becomes a list."""
    for key, value in branch.items():
        if key not in into:
            into[key] = value
            continue
        there = into[key]
        if not isinstance(there, dict):
            there = {1: there}
            into[key] = there
        if isinstance(value, dict):
            _combine(there, value)
        else:
            there[len(there) + 1] = value


def _plain(value: Any) -> Any:
    """A table as list if its keys are 1 to n, else as mapping."""
    if not isinstance(value, dict):
        return value
    inner = {key: _plain(item) for key, item in value.items()}
    if inner and set(inner) == set(range(1, len(inner) + 1)):
        return [inner[at] for at in range(1, len(inner) + 1)]
    return inner


def coerce(schema: Schema, nested: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """Text to the types that the fields of the schema want; what does not fit stays text and is refused later."""
    fields = fields_of(schema, _as_lists(nested, schema))
    return _record(fields, schema.shorthands, nested, schemas or {})


def _as_lists(nested: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The data with the variant's field as the list that it will be."""
    key = schema.variant_key
    value = nested.get(key) if key is not None else None
    return dict(nested) if key is None or value is None or isinstance(value, list) else {**nested, key: [value]}


def _record(
    fields: Sequence[Field], shorthands: Sequence[Shorthand], data: Mapping[Any, Any], schemas: Mapping[str, Schema]
) -> dict[Any, Any]:
    known = {field.name: field for field in fields}
    known |= {item.name: item.field or string(item.name) for item in shorthands}
    return {name: _value(known[name], value, schemas) if name in known else value for name, value in data.items()}


def _value(field: Field, value: Any, schemas: Mapping[str, Schema]) -> Any:
    if value == "":
        return None
    if field.type in ("number", "integer"):
        number = lua.tonumber(value) if isinstance(value, str) else None
        return value if number is None else number
    if field.type == "boolean":
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if field.elements is not None:
        items = value if isinstance(value, list) else [value] if not isinstance(value, dict) else None
        return value if items is None else [_value(field.elements, item, schemas) for item in items]
    if not isinstance(value, dict):
        return value
    if field.type == "map" and field.values is not None:
        return {key: _value(field.values, item, schemas) for key, item in value.items()}
    if field.type == "record" and not field.attrs.get("abstract"):
        return _record(field.fields, field.shorthands, value, schemas)
    if field.type == "foreign" and (other := schemas.get(str(field.attrs["reference"]))) is not None:
        return _record(other.fields, (), value, schemas)
    return value
