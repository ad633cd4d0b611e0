"""What the Admin API answers when it refuses: Kong's error codes 1 to 14 as values.

A ``Violation`` is the status and the JSON body, ready to send; functions here build them, and only they know the
message texts around the field errors (the texts of the fields come from ``model.validators`` and the entities' checks).
Field errors (``Fault``) nest as the data does; positions in lists are the integers from 1, as in Lua.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model.lua import compact, pretty

Fault = str | Mapping[Any, Any]  # the text of one field, or faults by field name or position
Faults = dict[Any, Any]
ENTITY = "@entity"  # key of the errors that concern no single field; its value is a list of texts


@dataclass(frozen=True, slots=True)
class Violation:
    """A refusal: HTTP status and JSON body (``code``, ``name``, ``message``, ``fields``)."""

    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> int | None:
        """Kong's error code; None where the body is a plain message."""
        code = self.body.get("code")
        return code if isinstance(code, int) else None


def _coded(status: int, code: int, name: str, message: str, **more: Any) -> Violation:
    return Violation(status, {"code": code, "name": name, "message": message, **more})


def plain(status: int, message: str) -> Violation:
    """A body of a message alone, such as 404 ``Not found``."""
    return Violation(status, {"message": message})


def invalid_primary_key(key: Mapping[str, Any]) -> Violation:
    """Code 1: a path segment that must be a UUID is none; ``key`` maps the field to its error text."""
    return _coded(400, 1, "invalid primary key", f"invalid primary key: '{compact(key)}'", fields=dict(key))


def schema_violation(faults: Mapping[Any, Any]) -> Violation:
    """Code 2: entity errors first, then fields by name, one level of nesting spelled ``config.minute: …``."""
    parts = list(faults.get(ENTITY, ()))
    for name in _sorted(faults):
        if name != ENTITY:
            parts += _parts(name, faults[name])
    count = "schema violation" if len(parts) == 1 else f"{len(parts)} schema violations"
    return _coded(400, 2, "schema violation", f"{count} ({'; '.join(parts)})", fields=_json(faults))


def primary_key_violation(id_: str) -> Violation:
    """Code 3: an entity with this id is there already."""
    return _coded(
        400, 3, "primary key violation", f"primary key violation on key '{compact({'id': id_})}'", fields={"id": id_}
    )


def foreign_key_violation(field: str, reference: str, key: Mapping[str, Any]) -> Violation:
    """Code 4: ``field`` points to an entity of the kind ``reference`` that does not exist."""
    message = f"the foreign key '{compact(key)}' does not reference an existing '{reference}' entity."
    return _coded(400, 4, "foreign key violation", message, fields={field: dict(key)})


def still_referenced(kind: str, by: str) -> Violation:
    """Code 4: an entity of ``kind`` can't go while one of the kind ``by`` points to it."""
    message = f"an existing '{by}' entity references this '{kind}' entity"
    return _coded(400, 4, "foreign key violation", message, fields={"@referenced_by": by})


def unique_violation(key: Mapping[str, Any]) -> Violation:
    """Code 5 (409): another entity has these values; nulls are part of a composite key."""
    message = f"UNIQUE violation detected on '{compact(key)}'"
    return _coded(409, 5, "unique constraint violation", message, fields=dict(key))


def not_found(key: Mapping[str, Any]) -> Violation:
    """Code 6 (404), for PATCH: no entity with this ``id``, or with this value of its endpoint key."""
    by = "primary key " if "id" in key else ""
    return _coded(404, 6, "not found", f"could not find the entity with {by}'{compact(key)}'", fields=dict(key))


def invalid_offset(offset: str, why: str) -> Violation:
    """Code 7: the offset of a page can't be read."""
    return _coded(400, 7, "invalid offset", f"'{offset}' is not a valid offset: {why}")


def invalid_size(why: str) -> Violation:
    """Code 9: the size of a page is no integer between 1 and 1000."""
    return _coded(400, 9, "invalid size", why)


def invalid_unique(field: str, why: str) -> Violation:
    """Code 10: a path segment can't be a value of the endpoint key."""
    return _coded(400, 10, f"invalid unique {field}", why)


def invalid_options(options: Mapping[str, str]) -> Violation:
    """Code 11: an option of the call (``tags``, ``ttl``) is unusable."""
    parts = [f"{name}: {options[name]}" for name in sorted(options)]
    count = "invalid option" if len(parts) == 1 else f"{len(parts)} option violations"
    return _coded(400, 11, "invalid options", f"{count} ({'; '.join(parts)})", options=dict(options))


def unsupported(message: str) -> Violation:
    """Code 12 (405): the operation is not offered."""
    return _coded(405, 12, "operation unsupported", message)


def foreign_keys_unresolved(faults: Mapping[str, tuple[str, Any, str]]) -> Violation:
    """Code 13: by foreign field, (unique field, value, referenced kind) that names nobody."""
    fields: Faults = {}
    parts = []
    for name in sorted(faults):
        field, value, kind = faults[name]
        key = compact({field: value})
        text = f"the foreign key cannot be resolved with '{key}' for an existing '{kind}' entity"
        fields[name] = {field: text}
        parts.append(f"{name}.{field}: {text}")
    count = "foreign key unresolved" if len(parts) == 1 else f"{len(parts)} foreign keys unresolved"
    return _coded(400, 13, "foreign keys unresolved", f"{count} ({'; '.join(parts)})", fields=fields)


def invalid_declarative(faults: Mapping[Any, Any], flattened: Sequence[Any] | None = None) -> Violation:
    """Code 14: a declarative configuration is refused; ``faults`` by entity list and position."""
    fields = _json(faults)
    more = {} if flattened is None else {"flattened_errors": list(flattened)}
    message = f"declarative config is invalid: {compact(fields)}"
    return _coded(400, 14, "invalid declarative configuration", message, fields=fields, **more)


def _sorted(faults: Mapping[Any, Any]) -> list[Any]:
    return sorted(faults, key=lambda key: (isinstance(key, str), key))


def _parts(name: Any, fault: Any) -> list[str]:
    if not isinstance(fault, Mapping):
        return [f"{name}: {fault}"]
    return [f"{name}.{inner}: {_text(fault[inner])}" for inner in _sorted(fault)]


def _text(fault: Any) -> str:
    return fault if isinstance(fault, str) else pretty(_json(fault))


def _json(fault: Any) -> Any:
    """Faults as JSON shows them: those of a list's elements as a list, null where an earlier element is good."""
    if not isinstance(fault, Mapping):
        return list(fault) if isinstance(fault, list | tuple) else fault
    if fault and all(isinstance(key, int) for key in fault):
        return [_json(fault.get(at)) for at in range(1, max(fault) + 1)]
    return {key if isinstance(key, str) else str(key): _json(inner) for key, inner in fault.items()}
