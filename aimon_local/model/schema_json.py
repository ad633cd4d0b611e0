"""``GET /schemas/*``: the tables as Kong prints them. A rendering only; hidden fields and checks in code stay out."""

from collections.abc import Sequence
from typing import Any

from aimon_local.model.schema import EntityRule, Field, Schema

_OWN = ("consumer", "protocols", "config")  # what a plugin's schema says beyond the generic entity, in this order


def entity_schema(schema: Schema) -> dict[str, Any]:
    """The body of ``GET /schemas/ENTITY``."""
    return {"entity_checks": _checks(schema.checks), "fields": _fields(schema.fields)}


def plugin_schema_json(schema: Schema) -> dict[str, Any]:
    """The body of ``GET /schemas/plugins/NAME``: only what this kind of plugin defines itself."""
    by_name = {field.name: field for field in schema.fields}
    own = [by_name[name] for name in _OWN if name != "consumer" or "eq" in by_name[name].attrs]
    return {"entity_checks": _checks(schema.checks), "fields": _fields(own)}


def config_schema(schema: Schema) -> dict[str, Any]:
    """The body of ``GET /plugins/schema/NAME`` (deprecated by Kong): the config record alone."""
    config = next(field for field in schema.fields if field.name == "config")
    return {"entity_checks": _checks(config.checks), "fields": _fields(config.fields)}


def _fields(fields: Sequence[Field]) -> list[dict[str, Any]]:
    return [{field.name: _field(field)} for field in fields if not field.hidden]


def _field(field: Field) -> dict[str, Any]:
    out: dict[str, Any] = {"type": field.type, **field.attrs}
    if field.elements is not None:
        out["elements"] = _field(field.elements)
    if field.keys is not None:
        out["keys"] = _field(field.keys)
    if field.values is not None:
        out["values"] = _field(field.values)
    if field.type == "record" and not field.attrs.get("abstract"):
        out["fields"] = _fields(field.fields)
    if field.checks:
        out["entity_checks"] = _checks(field.checks)
    if field.shorthands:
        out["shorthand_fields"] = [
            {item.name: _field(item.field) if item.field else {"type": "string"}} for item in field.shorthands
        ]
    return out


def _checks(rules: Sequence[EntityRule]) -> list[dict[str, Any]]:
    return [{rule.kind: rule.body} for rule in rules]
