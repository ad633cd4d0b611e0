"""The schema language: Kong's entity schemas as literal tables, from which all else follows.

A ``Field`` carries Kong's own attributes (``required``, ``default``, ``one_of``, ``between``, ``gt``, ``len_min``,
``starts_with``, ``match``, ``match_none``, ``uuid``, ``auto``, ``timestamp``, ``unique``, ``eq``, …) under Kong's own
names, so that ``GET /schemas/*`` is a rendering of the table (``model.schema_json``) and validation, defaults and
coercion are its interpretation (``model.validate``, ``model.coerce``). What Kong does in Lua beside the table is
``check``: a pure function (value) → error text or None, which is not rendered.

To add a field: one line in the table of its entity or plugin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any], str | None]
EntityCheck = Callable[[Mapping[str, Any]], Mapping[str, Any] | str | None]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``attrs`` hold what Kong renders; inner fields are ``elements``, ``keys``/``values`` or ``fields``."""

    name: str  # "" for the elements of a list and the keys and values of a map
    type: str  # string, number, integer, boolean, set, array, record, map, foreign
    attrs: Mapping[str, Any] = field(default_factory=dict)
    elements: "Field | None" = None
    keys: "Field | None" = None
    values: "Field | None" = None
    fields: "tuple[Field, ...]" = ()
    checks: "tuple[EntityRule, ...]" = ()  # entity checks of a record
    check: Check | None = None
    hidden: bool = False  # accepted and stored, not rendered by /schemas
    shorthands: "tuple[Shorthand, ...]" = ()  # of a record: other names for its fields


@dataclass(frozen=True, slots=True)
class EntityRule:
    """A check over several fields: ``kind`` and ``body`` as Kong renders them.

    Kinds: at_least_one_of, only_one_of, distinct, mutually_required, mutually_exclusive, conditional,
    conditional_at_least_one_of, and custom_entity_check, whose ``check`` is a function.
    """

    kind: str
    body: Any
    check: EntityCheck | None = None  # custom only: → text (an @entity error), a fields mapping, or None


@dataclass(frozen=True, slots=True)
class Shorthand:
    """A name that stands for other fields (``url`` of a service): ``expand`` turns a value into them.

    The shorthand wins over fields given beside it; a ``deprecated`` one loses to them, and must not contradict them.
    ``shown`` is the path of the field whose value the output repeats under this name (a renamed field, kept for old
    clients); without it the name is write-only.
    """

    name: str
    expand: Callable[[Any], Mapping[str, Any] | str]
    field: Field | None = None  # how its value is validated and coerced; None: a string
    deprecated: bool = False
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """What holds for one value of a schema's ``variant_key``: fields that replace namesakes, and more rules."""

    fields: tuple[Field, ...] = ()
    checks: tuple[EntityRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of entity: its plural name (Kong's DAO name), its fields in Kong's order, its rules."""

    name: str
    fields: tuple[Field, ...]
    checks: tuple[EntityRule, ...] = ()
    shorthands: tuple[Shorthand, ...] = ()
    endpoint_key: str | None = None  # the unique field that stands for the id in a path
    composite_unique: tuple[str, ...] = ()  # fields unique together, such as a plugin's name and scopes
    in_admin: bool = True  # False: /schemas/NAME answers 404, as Kong's open-source edition does
    variant_key: str | None = None  # the field that picks a variant (a route's protocols)
    variants: Mapping[str, Variant] = field(default_factory=dict)


def string(name: str = "", *, check: Check | None = None, hidden: bool = False, **attrs: Any) -> Field:
    """A string; Kong's ``len_min 1`` holds unless ``len_min=0`` (it is rendered only where it is given)."""
    return Field(name, "string", attrs, check=check, hidden=hidden)


def number(name: str = "", *, check: Check | None = None, **attrs: Any) -> Field:
    """Any number."""
    return Field(name, "number", attrs, check=check)


def integer(name: str = "", *, check: Check | None = None, **attrs: Any) -> Field:
    """A whole number."""
    return Field(name, "integer", attrs, check=check)


def boolean(name: str = "", **attrs: Any) -> Field:
    """true or false."""
    return Field(name, "boolean", attrs)


def array(name: str, elements: Field, *, check: Check | None = None, **attrs: Any) -> Field:
    """A list whose order counts."""
    return Field(name, "array", attrs, elements=elements, check=check)


def set_of(name: str, elements: Field, *, check: Check | None = None, **attrs: Any) -> Field:
    """A list without repeats (Kong's ``set``)."""
    return Field(name, "set", attrs, elements=elements, check=check)


def map_of(name: str, keys: Field, values: Field, *, check: Check | None = None, **attrs: Any) -> Field:
    """Names to values, all of one type."""
    return Field(name, "map", attrs, keys=keys, values=values, check=check)


def record(
    name: str,
    *fields: Field,
    checks: tuple[EntityRule, ...] = (),
    check: Check | None = None,
    shorthands: tuple[Shorthand, ...] = (),
    **attrs: Any,
) -> Field:
    """A structure of its own fields; ``check`` sees the whole record once its fields are valid."""
    return Field(name, "record", attrs, fields=fields, checks=checks, check=check, shorthands=shorthands)


def foreign(name: str, reference: str, **attrs: Any) -> Field:
    """A reference ``{"id": …}`` to an entity of the kind ``reference``; ``on_delete="cascade"`` goes with it,
    "leave" stays behind.
    """
    return Field(name, "foreign", {"reference": reference, **attrs})
