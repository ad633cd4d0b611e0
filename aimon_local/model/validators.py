"""One value against one field: types, then Kong's validators in Kong's order, with Kong's texts.

``check_value`` is the door; it calls back for records (``model.validate`` knows how to fill and validate those).
To add a validator: a function (value, argument) → text or None, and its place in ``_ORDER``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aimon_local.model import lua
from aimon_local.model.regex import compile_pcre
from aimon_local.model.schema import Field
from aimon_local.model.violation import Fault

REQUIRED = "required field missing"
UNKNOWN = "unknown field"
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_MISSING = object()

Nested = Callable[[Field, Mapping[Any, Any]], Fault | None]  # validates a record or a reference


def is_uuid(value: str) -> bool:
    """Whether a text has the form of a UUID (any version)."""
    return _UUID.match(value) is not None


def _between(value: Any, limits: Any) -> str | None:
    low, high = limits
    return None if low <= value <= high else f"value should be between {lua.text(low)} and {lua.text(high)}"


def _eq(value: Any, wanted: Any) -> str | None:
    return None if _same(value, wanted) else f"value must be {lua.text(wanted)}"


def _ne(value: Any, unwanted: Any) -> str | None:
    return f"value must not be {lua.text(unwanted)}" if _same(value, unwanted) else None


def _same(left: Any, right: Any) -> bool:
    """Equal and of one kind: in Python True == 1, in JSON not."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _one_of(value: Any, options: Sequence[Any]) -> str | None:
    if any(_same(value, option) for option in options):
        return None
    return f"expected one of: {', '.join(lua.text(option) for option in options)}"


def _not_one_of(value: Any, options: Sequence[Any]) -> str | None:
    if not any(_same(value, option) for option in options):
        return None
    return f"must not be one of: {', '.join(lua.text(option) for option in options)}"


def _length(value: Any) -> int:
    return len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else len(value)


def _match_all(value: str, rules: Sequence[Mapping[str, str]]) -> str | None:
    return next((str(rule["err"]) for rule in rules if not lua.find(rule["pattern"], value)), None)


def _match_none(value: str, rules: Sequence[Mapping[str, str]]) -> str | None:
    return next((str(rule["err"]) for rule in rules if lua.find(rule["pattern"], value)), None)


def _match_any(value: str, rule: Mapping[str, Any]) -> str | None:
    if any(lua.find(pattern, value) for pattern in rule["patterns"]):
        return None
    return str(rule.get("err", f"invalid value: {value}"))


def _is_regex(value: str, _: Any) -> str | None:
    return f"not a valid regex: {value}" if isinstance(compile_pcre(value), str) else None


def _subsets(value: Sequence[Any], subsets: Sequence[Sequence[str]]) -> str | None:
    touched: list[Sequence[str]] = []
    for item in value:
        touched += [subset for subset in subsets if item in subset and subset not in touched]
    if len(touched) <= 1:
        return None
    listed = ", ".join(f"({quoted(subset)})" for subset in touched)
    return f"these sets are mutually exclusive: {listed}"


def quoted(names: Sequence[str]) -> str:
    """``'a', 'b'``."""
    return ", ".join(f"'{name}'" for name in names)


_ORDER: tuple[tuple[str, Callable[[Any, Any], str | None]], ...] = (
    ("eq", _eq),
    ("ne", _ne),
    ("not_one_of", _not_one_of),
    ("one_of", _one_of),
    ("gt", lambda value, limit: None if value > limit else f"value must be greater than {lua.text(limit)}"),
    ("timestamp", lambda value, _: None if value > 0 else "expected a valid timestamp"),
    ("uuid", lambda value, _: None if is_uuid(value) else "expected a valid UUID"),
    ("is_regex", _is_regex),
    ("between", _between),
    ("len_eq", lambda value, n: None if _length(value) == n else f"length must be {n}"),
    ("len_min", lambda value, n: None if _length(value) >= n else f"length must be at least {n}"),
    ("len_max", lambda value, n: None if _length(value) <= n else f"length must be at most {n}"),
    ("starts_with", lambda value, start: None if value.startswith(start) else f"should start with: {start}"),
    ("not_match", lambda value, pattern: f"invalid value: {value}" if lua.find(pattern, value) else None),
    ("match_none", _match_none),
    ("match", lambda value, pattern: None if lua.find(pattern, value) else f"invalid value: {value}"),
    ("match_all", _match_all),
    ("match_any", _match_any),
    ("contains", lambda value, item: None if item in value else f"expected to contain: {lua.text(item)}"),
)


def _is_number(value: Any) -> bool:
    finite = isinstance(value, int) or (isinstance(value, float) and value - value == 0)
    return finite and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and value == int(value)


_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "expected a string"),
    "number": (_is_number, "expected a number"),
    "integer": (_is_integer, "expected an integer"),
    "boolean": (lambda value: isinstance(value, bool), "expected a boolean"),
    "array": (lambda value: isinstance(value, list), "expected an array"),
    "set": (lambda value: isinstance(value, list), "expected a set"),
    "map": (lambda value: isinstance(value, dict), "expected a map"),
    "record": (lambda value: isinstance(value, dict), "expected a record"),
}


def check_value(field: Field, value: Any, nested: Nested, *, required: bool = False) -> Fault | None:
    """What is wrong with ``value`` (None = null) in ``field``; None when it fits."""
    if value is None:
        return _null(field, required)
    if field.attrs.get("eq", _MISSING) is None:
        return str(field.attrs.get("err", "value must be null"))
    if field.type == "foreign":
        return nested(field, value)
    fits, text = _TYPES[field.type]
    if not fits(value):
        return text
    return _inner(field, value, nested) or _attributes(field, value)


def _null(field: Field, required: bool) -> str | None:
    attrs = field.attrs
    if attrs.get("ne", _MISSING) is None:
        return str(attrs.get("err", "value must not be null"))
    if attrs.get("eq") is not None:
        return f"value must be {lua.text(attrs['eq'])}"
    return REQUIRED if required or attrs.get("required") else None


def _inner(field: Field, value: Any, nested: Nested) -> Fault | None:
    """Faults of elements, entries or inner fields."""
    if field.elements is not None:
        return _elements(field.elements, value, nested)
    if field.type == "map" and field.keys is not None and field.values is not None:
        for key, inner in value.items():
            fault = check_value(field.keys, key, nested, required=True) or check_value(
                field.values, inner, nested, required=True
            )
            if fault:
                return fault
        return None
    return nested(field, value) if field.type == "record" else None


def _elements(element: Field, value: Sequence[Any], nested: Nested) -> Fault | None:
    faults: dict[Any, Fault] = {}
    for at, item in enumerate(value, 1):
        if fault := check_value(element, item, nested, required=True):
            faults[at] = fault
    return faults or None


def _attributes(field: Field, value: Any) -> str | None:
    attrs = field.attrs
    if field.type == "string" and "len_min" not in attrs:
        attrs = {**attrs, "len_min": 1}  # Kong refuses empty strings unless the schema allows them
    for name, validate in _ORDER:
        if name in attrs and (fault := validate(value, attrs[name])):
            return str(attrs.get("err", fault))
    if field.check is not None and (fault := field.check(value)):
        return fault
    subsets = attrs.get("mutually_exclusive_subsets")
    return _subsets(value, subsets) if subsets else None
