"""Rules over several fields of one entity (Kong's entity checks): which kinds there are, when they run, what they say.

A rule sees the entity after defaults. It reports under ``@entity``, and a conditional one at its field as well. Names
may be dotted (``config.minute``). To add a kind: one function and one line in ``_KINDS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aimon_local.model.schema import EntityRule, Field
from aimon_local.model.validators import REQUIRED, Nested, check_value, quoted
from aimon_local.model.violation import ENTITY, Faults

_ABSENT = object()  # Lua's nil: the field is not there at all, as an unset field of a partial entity


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule looks at: the entity, its fields by name, the faults so far (rules add to them), the moment."""

    entity: Mapping[Any, Any]
    fields: Mapping[str, Field]
    faults: Faults
    nested: Nested
    full: bool  # the entity must be complete (insert, replace); False for a partial update


def run(rules: Sequence[EntityRule], scene: Scene) -> None:
    """Run every rule; what they find goes into ``scene.faults``."""
    for rule in rules:
        _KINDS[rule.kind](rule, scene)


def value_at(entity: Any, name: str) -> Any:
    """The value of a dotted name; ``_ABSENT`` when there is none on the way."""
    for part in name.split("."):
        if not isinstance(entity, Mapping):
            return _ABSENT
        entity = entity.get(part, _ABSENT)
    return entity


def _filled(scene: Scene, names: Sequence[str]) -> list[str]:
    """Those of the names that hold something: not null, not empty."""
    return [name for name in names if value_at(scene.entity, name) not in (_ABSENT, None, "", [], {})]


def _all_absent(scene: Scene, names: Sequence[str]) -> bool:
    return all(value_at(scene.entity, name) is _ABSENT for name in names)


def _say(scene: Scene, text: str) -> None:
    scene.faults.setdefault(ENTITY, []).append(text)


def _mark(scene: Scene, name: str, text: Any) -> None:
    """Put a fault at a dotted name, unless an outer field is at fault as a whole."""
    table: Any = scene.faults
    *path, last = name.split(".")
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return
    table[last] = text


def _at_least_one_of(rule: EntityRule, scene: Scene) -> None:
    if (_all_absent(scene, rule.body) and not scene.full) or _filled(scene, rule.body):
        return
    when = "" if scene.full else "when updating, "
    _say(scene, f"{when}at least one of these fields must be non-empty: {quoted(rule.body)}")


def _missing(scene: Scene, names: Sequence[str]) -> bool:
    """Mark those of the names that are absent where the rule needs them all."""
    absent = [name for name in names if value_at(scene.entity, name) is _ABSENT]
    when = "" if scene.full else " when updating"
    for name in absent:
        _mark(scene, name, f"field required for entity check{when}")
    return bool(absent)


def _only_one_of(rule: EntityRule, scene: Scene) -> None:
    if _all_absent(scene, rule.body) or _missing(scene, rule.body):
        return
    if len(_filled(scene, rule.body)) != 1:
        _say(scene, f"exactly one of these fields must be non-empty: {quoted(rule.body)}")


def _distinct(rule: EntityRule, scene: Scene) -> None:
    if _all_absent(scene, rule.body) or _missing(scene, rule.body):
        return
    values = [value_at(scene.entity, name) for name in _filled(scene, rule.body)]
    if any(value in values[:at] for at, value in enumerate(values)):
        _say(scene, f"values of these fields must be distinct: {quoted(rule.body)}")


def _at_fault(scene: Scene, names: Sequence[str]) -> bool:
    return any(name in scene.faults for name in names)


def _mutually_required(rule: EntityRule, scene: Scene) -> None:
    if _at_fault(scene, rule.body) or (_all_absent(scene, rule.body) and not scene.full):
        return
    if 0 < len(_filled(scene, rule.body)) < len(rule.body):
        _say(scene, f"all or none of these fields must be set: {quoted(rule.body)}")


def _mutually_exclusive(rule: EntityRule, scene: Scene) -> None:
    if _at_fault(scene, rule.body) or (_all_absent(scene, rule.body) and not scene.full):
        return
    if len(_filled(scene, rule.body)) > 1:
        _say(scene, f"only one or none of these fields must be set: {quoted(rule.body)}")


def _field_at(scene: Scene, name: str) -> Field | None:
    fields: Mapping[str, Field] = scene.fields
    field = None
    for part in name.split("."):
        field = fields.get(part)
        if field is None:
            return None
        fields = {inner.name: inner for inner in field.fields}
    return field


def _fits(scene: Scene, name: str, match: Mapping[str, Any]) -> Any:
    """What is wrong with the value at ``name`` under its own field's attributes overlaid with ``match``."""
    field = _field_at(scene, name)
    if field is None:
        return None
    overlay = dict(match)
    elements = overlay.pop("elements", None)
    if elements is not None:
        attrs = {key: value for key, value in elements.items() if key != "type"}
        field = replace(field, elements=Field("", elements["type"], attrs))
    value = value_at(scene.entity, name)
    overlaid = replace(field, attrs={**field.attrs, **overlay})
    return check_value(overlaid, None if value is _ABSENT else value, scene.nested)


def _conditional(rule: EntityRule, scene: Scene) -> None:
    body = rule.body
    if _all_absent(scene, (body["if_field"], body["then_field"])) or _missing(scene, (body["if_field"],)):
        return
    if _fits(scene, body["if_field"], body["if_match"]):
        return
    then = body["then_match"]
    empty = value_at(scene.entity, body["then_field"]) in (_ABSENT, None)
    fault = REQUIRED if then.get("required") and empty else _fits(scene, body["then_field"], then)
    if not fault:
        return
    _mark(scene, body["then_field"], fault)
    usual = f"failed conditional validation given value of field '{body['if_field']}'"
    _say(scene, body.get("then_err", usual))


def _conditional_at_least_one_of(rule: EntityRule, scene: Scene) -> None:
    body = rule.body
    if value_at(scene.entity, body["if_field"]) is _ABSENT:
        return
    prefix = ""
    if _fits(scene, body["if_field"], body["if_match"]):
        if "else_match" not in body or _fits(scene, body["if_field"], body["else_match"]):
            return
        prefix = "else_"
    names = body[f"{prefix}then_at_least_one_of"]
    if _filled(scene, names):
        return
    usual = "at least one of these fields must be non-empty: %s"
    _say(scene, body.get(f"{prefix}then_err", usual).replace("%s", quoted(names)))


def _custom(rule: EntityRule, scene: Scene) -> None:
    body = rule.body
    sources = body.get("field_sources", ()) if isinstance(body, Mapping) else tuple(body or ())
    lenient = isinstance(body, Mapping) and body.get("run_with_missing_fields")
    if rule.check is None or _at_fault(scene, sources):
        return
    if sources and _all_absent(scene, sources):
        return
    if not lenient and _missing(scene, sources):
        return
    found = rule.check(scene.entity)
    if isinstance(found, str):
        _say(scene, found)
    elif found:
        for name, fault in found.items():
            _mark(scene, name, fault)


_KINDS: dict[str, Callable[[EntityRule, Scene], None]] = {
    "at_least_one_of": _at_least_one_of,
    "only_one_of": _only_one_of,
    "distinct": _distinct,
    "mutually_required": _mutually_required,
    "mutually_exclusive": _mutually_exclusive,
    "conditional": _conditional,
    "conditional_at_least_one_of": _conditional_at_least_one_of,
    "custom_entity_check": _custom,
}
