"""The rows of every kind, to look up, to list, and to change by ready-made changes. No rules: see ``model.catalog``.

Reading takes ``now`` (nanoseconds) where what is seen depends on it: with it, expired credentials are not there and a
``ttl`` counts down; without it the stored rows come as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model import special, violation
from aimon_local.model.entities.plugins import unknown_plugin
from aimon_local.model.paging import DEFAULT_SIZE, Page, TagFilter, decode_offset, encode_offset
from aimon_local.model.schema import Field, Schema
from aimon_local.model.table import Row, Table
from aimon_local.model.validators import REQUIRED, check_value, is_uuid
from aimon_local.model.violation import Violation

Seals = Mapping[str, tuple[str, Callable[[str], str]]]
_NO_SEALS: Seals = {}


@dataclass(frozen=True, slots=True)
class Change:
    """One step of storage: ``op`` is put (insert or replace) or delete; ``entity`` is the stored row."""

    op: str
    kind: str
    entity: Mapping[str, Any]


class Rows:
    """All tables. ``seals``: by kind, a unique field that is stored sealed (hashed) and how a value is sealed."""

    def __init__(
        self, schemas: Mapping[str, Schema], plugin_schemas: Mapping[str, Schema], seals: Seals = _NO_SEALS
    ) -> None:
        self.schemas = schemas
        self.plugin_schemas = plugin_schemas
        self.seals = seals
        self._tables = {kind: Table(schema) for kind, schema in schemas.items() if kind != "tags"}

    def apply(self, changes: Sequence[Change]) -> None:
        """Make planned changes real; they must stem from this state."""
        for change in changes:
            table = self._tables[change.kind]
            if change.op == "put":
                table.put(dict(change.entity))
            else:
                table.delete(change.entity["id"])

    def schema_for(self, kind: str, name: Any) -> Schema | Violation:
        """The schema of the kind; of a plugin, that of its ``name``, or code 2."""
        if kind != "plugins":
            return self.schemas[kind]
        if name is None:
            return violation.schema_violation({"name": REQUIRED})
        if not isinstance(name, str):
            return violation.schema_violation({"name": "expected a string"})
        schema = self.plugin_schemas.get(name)
        return schema or violation.schema_violation({"name": unknown_plugin(name)})

    def kinds(self) -> Sequence[str]:
        """Kinds that have rows, those that are referred to before those that refer."""
        return list(self._tables)

    def count(self, kind: str) -> int:
        """How many rows the kind has."""
        return len(self._tables[kind])

    def rows(self, kind: str, now: int | None = None) -> Iterator[Row]:
        """All rows in the order of their ids."""
        return self._seen(kind, self._tables[kind], now)

    def select(self, kind: str, id_: str, now: int | None = None) -> Row | None:
        """The row with this id."""
        return self._see(kind, self._tables[kind].get(id_.lower()), now)

    def select_by(self, kind: str, field: str, value: Any, now: int | None = None) -> Row | None:
        """The row with this value in a unique field (a sealed field is asked with the plain value)."""
        if not isinstance(value, str):
            return None
        return self._see(kind, self._tables[kind].by(field, self.sealed(kind, field, value)), now)

    def referring(self, kind: str, field: str, id_: str, now: int | None = None) -> Iterator[Row]:
        """Rows of ``kind`` whose reference ``field`` points to ``id_``."""
        return self._seen(kind, self._tables[kind].after(None, (field, id_)), now)

    def resolve(
        self, kind: str, key: str, *, where: tuple[str, str] | None = None, now: int | None = None
    ) -> Row | Violation | None:
        """The row that a path segment names: by id if it is a UUID, else by endpoint key.

        ``where`` = (reference field, parent id): only the parent's rows count. A Violation where the segment can't be
        a key: code 10, or code 1 for kinds without key. Below a parent, acls are named by their group and targets by
        their address too.
        """
        if is_uuid(key):
            return _within(self.select(kind, key, now), where)
        nested = special.NESTED_KEYS.get(kind)
        if nested is not None and where is not None:
            return self._nested(kind, nested, key, where, now)
        refused = self.refuse_key(kind, key)
        if refused is not None:
            return refused
        field = self.schemas[kind].endpoint_key
        found = self.select_by(kind, field, key, now) if field and self._tables[kind].is_unique(field) else None
        return _within(found, where)

    def refuse_key(self, kind: str, key: str) -> Violation | None:
        """Why ``key`` (no UUID) can't name an entity of the kind."""
        name = self.schemas[kind].endpoint_key
        if name is None:
            return violation.invalid_primary_key({"id": "expected a valid UUID"})
        fault = check_value(self._field(kind, name), key, lambda field, value: None)
        return violation.invalid_unique(name, str(fault)) if fault else None

    def page(
        self,
        kind: str,
        *,
        size: int = DEFAULT_SIZE,
        offset: str | None = None,
        tags: TagFilter | None = None,
        where: tuple[str, str] | None = None,
        now: int | None = None,
    ) -> Page | Violation:
        """One page in the order of ids. ``offset``: a former page's ``next_offset``; ``where`` = (field, parent id)."""
        last = None
        if offset is not None:
            key = decode_offset(offset)
            if isinstance(key, Violation):
                return key
            last = key[0]
        fitting: list[Row] = []
        for row in self._seen(kind, self._tables[kind].after(last, where), now):
            if tags is not None and not tags.fits(row.get("tags")):
                continue
            if len(fitting) == size:
                return Page(fitting, encode_offset((fitting[-1]["id"],)))
            fitting.append(row)
        return Page(fitting, None)

    def page_tags(
        self, *, tag: str | None = None, size: int = DEFAULT_SIZE, offset: str | None = None
    ) -> Page | Violation:
        """A page of ``{entity_name, entity_id, tag}``, of one tag or of all, in the order of entity ids."""
        last: tuple[str, ...] = ()
        if offset is not None:
            key = decode_offset(offset, parts=3)
            if isinstance(key, Violation):
                return key
            last = key
        found = sorted(
            (row["id"], kind, held)
            for kind in self._tables
            for row in self._tables[kind]
            for held in row.get("tags") or ()
            if tag is None or held == tag
        )
        rest = [entry for entry in found if entry > last]
        rows = [{"entity_name": kind, "entity_id": id_, "tag": held} for id_, kind, held in rest[:size]]
        return Page(rows, encode_offset(rest[size - 1]) if len(rest) > size else None)

    def sealed(self, kind: str, field: str, value: str) -> str:
        """The value as the field stores it."""
        seal = self.seals.get(kind)
        return seal[1](value) if seal is not None and seal[0] == field else value

    def seal_field(self, kind: str) -> str | None:
        """The field of the kind that is stored sealed."""
        seal = self.seals.get(kind)
        return None if seal is None else seal[0]

    def _field(self, kind: str, name: str) -> Field:
        return next(field for field in self.schemas[kind].fields if field.name == name)

    def _nested(self, kind: str, field: str, key: str, where: tuple[str, str], now: int | None) -> Row | None:
        """A row below a parent by a name that is unique there only."""
        wanted = key
        if kind == "targets":
            prepared = special.prepare(kind, {"target": key})
            if isinstance(prepared, Violation):
                return None
            wanted = prepared["target"]
        rows = self._seen(kind, self._tables[kind].after(None, where), now)
        return next((row for row in rows if row[field] == wanted), None)

    def _see(self, kind: str, row: Row | None, now: int | None) -> Row | None:
        if row is None or now is None:
            return row
        return None if special.is_over(row, now) else special.show(kind, row, now)

    def _seen(self, kind: str, rows: Iterator[Row] | Table, now: int | None) -> Iterator[Row]:
        for row in rows:
            seen = self._see(kind, row, now)
            if seen is not None:
                yield seen


def _within(row: Row | None, where: tuple[str, str] | None) -> Row | None:
    """The row if it belongs to the parent."""
    if row is None or where is None:
        return row
    field, parent = where
    owner = row.get(field)
    return row if isinstance(owner, Mapping) and owner.get("id") == parent else None
