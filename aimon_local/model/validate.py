"""The interpreter of the schema language: input of the Admin API to a stored entity, or to the refusal Kong gives.

``process`` is the door: shorthands, defaults, automatic fields, then every field and every rule, all faults at once.
It is pure: the moment and fresh names are arguments. What Kong does beside its schemas (password hashes, expiry) is
in ``model.special``; uniqueness and references are the catalog's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.model import rules, violation
from aimon_local.model.fill import Ids, Moment, ShorthandFault, as_table, at_path, fill
from aimon_local.model.schema import Field, Schema, Variant
from aimon_local.model.validators import REQUIRED, UNKNOWN, check_value
from aimon_local.model.violation import Fault, Faults, Violation

Schemas = Mapping[str, Schema]
_NO_SCHEMAS: Schemas = {}


def process(
    schema: Schema,
    data: Mapping[str, Any],
    *,
    mode: str,
    now: int,
    ids: Ids,
    current: Mapping[str, Any] | None = None,
    schemas: Schemas = _NO_SCHEMAS,
) -> dict[str, Any] | Violation:
    """The whole entity that ``data`` makes, or a code 2 violation.

    ``mode``: insert; update (``data`` over ``current``: records merge, lists are replaced, null clears); upsert (as
    insert, but ``created_at`` of ``current`` stays). ``now`` is nanoseconds. ``schemas`` lets references be judged by
    their own schema, as Kong does for a reference without id.
    """
    moment = Moment(now, ids)
    try:
        entity = _filled(schema, data, mode, moment, current)
    except ShorthandFault as error:
        return violation.schema_violation(error.faults)
    faults = validate(schema, entity, full=mode != "update", schemas=schemas)
    if faults:
        return violation.schema_violation(faults)
    return _shown(fields_of(schema, entity), schema.shorthands, entity)


def _filled(
    schema: Schema, data: Mapping[str, Any], mode: str, moment: Moment, current: Mapping[str, Any] | None
) -> dict[str, Any]:
    fields = fields_of(schema, data if mode != "update" or current is None else {**current, **data})
    given = fill(fields, schema.shorthands, data, mode, moment)
    if mode == "update" and current is not None:
        bare = _bare(fields, schema.shorthands, current)
        return _complete(fields, _merged(fields, given, bare), moment)
    if mode == "upsert" and current is not None and data.get("created_at") is None and "created_at" in current:
        given["created_at"] = current["created_at"]
    return given


def _complete(fields: Sequence[Field], entity: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """Records that an update has begun get the rest of their defaults."""
    for field in fields:
        value = entity.get(field.name)
        if field.type == "record" and isinstance(value, dict):
            entity[field.name] = fill(field.fields, field.shorthands, value, "insert", moment)
    return entity


def _merged(fields: Sequence[Field], top: Mapping[Any, Any], bottom: Mapping[Any, Any]) -> dict[Any, Any]:
    """``top`` over ``bottom``; records merge into each other, everything else is replaced."""
    out = {**bottom, **top}
    for field in fields:
        above, below = top.get(field.name), bottom.get(field.name)
        if field.type == "record" and isinstance(above, dict) and isinstance(below, Mapping):
            out[field.name] = _merged(field.fields, above, below)
    return out


def fields_of(schema: Schema, entity: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of the schema, those of the entity's variant in place of their namesakes."""
    variant = _variant(schema, entity)
    if variant is None or not variant.fields:
        return schema.fields
    special = {field.name: field for field in variant.fields}
    return tuple(special.get(field.name, field) for field in schema.fields)


def _variant(schema: Schema, entity: Mapping[str, Any]) -> Variant | None:
    if schema.variant_key is None:
        return None
    value = entity.get(schema.variant_key, _default_key(schema))
    if isinstance(value, list | tuple):
        known = (schema.variants[item] for item in value if isinstance(item, str) and item in schema.variants)
        return next(known, None)
    return schema.variants.get(value) if isinstance(value, str) else None


def _default_key(schema: Schema) -> Any:
    return next((field.attrs.get("default") for field in schema.fields if field.name == schema.variant_key), None)


def validate(schema: Schema, entity: Mapping[Any, Any], *, full: bool, schemas: Schemas = _NO_SCHEMAS) -> Faults:
    """All that is wrong with an entity whose defaults are filled in; empty when it is good."""
    variant = _variant(schema, entity)
    if schema.variant_key is not None and variant is None:
        return {schema.variant_key: _no_variant(schema, entity.get(schema.variant_key))}
    fields = {field.name: field for field in fields_of(schema, entity)}
    checks = schema.checks + (variant.checks if variant else ())
    return _judge(fields, schema.fields, checks, entity, full, schemas)


def _no_variant(schema: Schema, value: Any) -> Fault:
    if value is None:
        return REQUIRED
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, str):
        return f"unknown type: {first}"
    field = next(field for field in schema.fields if field.name == schema.variant_key)
    return check_value(field, value, lambda inner, item: None) or REQUIRED


def _judge(
    fields: Mapping[str, Field],
    declared: Sequence[Field],
    checks: Sequence[Any],
    entity: Mapping[Any, Any],
    full: bool,
    schemas: Schemas,
) -> Faults:
    def nested(field: Field, value: Any) -> Fault | None:
        return _reference(field, value, schemas) if field.type == "foreign" else _record(field, value, schemas)

    faults: Faults = {}
    for name, value in entity.items():
        field = fields.get(name)
        fault = UNKNOWN if field is None else check_value(field, value, nested)
        if fault:
            faults[name] = fault
    for field in declared:
        empty = entity.get(field.name) is None and (full or field.name in entity)
        if empty and field.attrs.get("required"):
            faults[field.name] = REQUIRED
    rules.run(checks, rules.Scene(entity, fields, faults, nested, full))
    return faults


def _record(field: Field, value: Mapping[Any, Any], schemas: Schemas) -> Fault | None:
    try:
        whole = fill(field.fields, field.shorthands, value, "insert", None)
    except ShorthandFault as error:
        return error.faults
    return _judge({f.name: f for f in field.fields}, field.fields, field.checks, whole, True, schemas) or None


def _reference(field: Field, value: Any, schemas: Schemas) -> Fault | None:
    """A reference ``{"id": uuid}``; without a usable id the referenced schema judges what is there."""
    table = as_table(value) if isinstance(value, dict | list) else {}
    id_ = table.get("id")
    if isinstance(id_, str) and check_value(_ID, id_, lambda inner, item: None) is None:
        return None
    other = schemas.get(str(field.attrs["reference"]))
    if table and other is not None:
        partial = {name: item for name, item in table.items() if item is not None}
        if faults := validate(other, partial, full=False, schemas={}):
            return faults
    if id_ is None:
        return {"id": REQUIRED if "id" in table else "missing primary key"}
    return {"id": check_value(_ID, id_, lambda inner, item: None) or REQUIRED}


_ID = Field("id", "string", {"uuid": True})


def _shown(fields: Sequence[Field], shorthands: Sequence[Any], entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity as it is stored and shown: fields in the schema's order, references bare, old names repeated."""
    out: dict[str, Any] = {}
    for field in fields:
        value = entity.get(field.name)
        if field.type == "foreign" and isinstance(value, dict):
            value = {"id": value["id"].lower()}
        elif field.type == "record" and isinstance(value, dict):
            value = _shown(field.fields, field.shorthands, value)
        elif field.attrs.get("uuid") and isinstance(value, str):
            value = value.lower()
        out[field.name] = value
    for shorthand in shorthands:
        if shorthand.shown:
            out[shorthand.name] = at_path(out, shorthand.shown)
    return out


def _bare(fields: Sequence[Field], shorthands: Sequence[Any], entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity without the old names that ``_shown`` repeats, ready to be changed."""
    hidden = {shorthand.name for shorthand in shorthands}
    out = {name: value for name, value in entity.items() if name not in hidden}
    for field in fields:
        value = out.get(field.name)
        if field.type == "record" and isinstance(value, Mapping):
            out[field.name] = _bare(field.fields, field.shorthands, value)
    return out
