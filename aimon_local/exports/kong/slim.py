"""Plugin configurations without what goes without saying: defaults of the schema, and old names of renamed fields.

A reader with the same schema fills them in again; so the same configuration is the same text however it was given.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.schema import Field
from aimon_local.policy.plugins import BY_NAME


def slim(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of the plugin ``name``, slim; that of a plugin unknown here as it is."""
    kind = BY_NAME.get(name)
    return dict(config) if kind is None else _record(kind.config, config)


def unknown(name: str, config: Mapping[str, Any]) -> list[str]:
    """Fields of a known plugin's config that this version has not."""
    kind = BY_NAME.get(name)
    if kind is None:
        return []
    known = {field.name for field in kind.config.fields} | {old.name for old in kind.config.shorthands}
    return sorted(set(config) - known)


def _record(schema: Field, value: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in schema.fields:
        if field.name not in value:
            continue
        given = value[field.name]
        if field.type == "record" and isinstance(given, Mapping):
            given = _record(field, given)
            if given:
                out[field.name] = given
        elif given != field.attrs.get("default"):
            out[field.name] = given
    return out
