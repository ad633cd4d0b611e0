"""The Admin API's state and its law: what a write would change, or why it is refused. Planning, then applying.

``insert``, ``update``, ``upsert`` and ``delete`` change nothing: they give a ``Plan`` (the entity to answer with, the
changes to store) or a ``Violation``. The shell stores the changes and then calls ``apply``. Order of judgement as in
Kong: references by name, schema, identity and uniqueness, references by id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model import special, violation
from aimon_local.model.fill import Ids
from aimon_local.model.rows import Change, Rows
from aimon_local.model.schema import Field, Schema
from aimon_local.model.table import Row
from aimon_local.model.validate import fields_of, process
from aimon_local.model.validators import is_uuid
from aimon_local.model.violation import Violation

Parent = tuple[str, str] | None
NOT_FOUND = violation.plain(404, "Not found")
_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Plan:
    """A write that is allowed: the entity to show (None after a delete) and the changes, in order."""

    entity: Mapping[str, Any] | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Write:
    """One write on its way through the law. ``current`` is the stored row that it changes or replaces."""

    kind: str
    mode: str
    data: Mapping[str, Any]
    now: int
    ids: Ids
    current: Row | None
    transform: bool = True
    sealed: bool = False


class Catalog(Rows):
    """All entities with Kong's constraints: unique fields, composite keys, references that hold, cascades."""

    def insert(
        self,
        kind: str,
        data: Mapping[str, Any],
        now: int,
        ids: Ids,
        *,
        transform: bool = True,
        sealed: bool = False,
    ) -> Plan | Violation:
        """POST: a new entity of ``data``.

        For declarative input: ``transform`` False means that passwords are hashed already, ``sealed`` that sealed
        fields are given as they are stored.
        """
        return self._plan(_Write(kind, "insert", data, now, ids, None, transform, sealed))

    def update(
        self, kind: str, key: str, data: Mapping[str, Any], now: int, ids: Ids, *, where: Parent = None
    ) -> Plan | Violation:
        """PATCH: ``data`` over the entity with this id or endpoint key; code 6 when there is none.

        ``where`` = (reference field, parent id): below a parent, and a plain 404 when the parent has none such.
        """
        current = self._current(kind, key, where, now)
        if isinstance(current, Violation):
            return current
        if current is None:
            return violation.not_found(self._key(kind, key, where)) if where is None else NOT_FOUND
        given = {name: value for name, value in data.items() if name != "id"}
        return self._plan(_Write(kind, "update", given, now, ids, current))

    def upsert(
        self, kind: str, key: str, data: Mapping[str, Any], now: int, ids: Ids, *, where: Parent = None
    ) -> Plan | Violation:
        """PUT: the entity with this id or endpoint key becomes ``data``; it is created when it is not there.

        Below a parent (``where``) it gets that parent; an entity of another parent is a plain 404. Targets are only
        ever changed (Kong).
        """
        if kind == "targets":
            return self.update(kind, key, data, now, ids, where=where)
        current = self._current(kind, key, where, now)
        if isinstance(current, Violation):
            return current
        if current is None and where is not None and kind not in special.NESTED_KEYS and self.resolve(kind, key):
            return NOT_FOUND
        given = {**data, **self._key(kind, key, where)}
        if where is not None:
            given[where[0]] = {"id": where[1]}
        if current is not None:
            given["id"] = current["id"]
        return self._plan(_Write(kind, "upsert", given, now, ids, current))

    def delete(self, kind: str, key: str, *, where: Parent = None) -> Plan | Violation:
        """DELETE: the entity and what goes with it. A plan without changes when there is none."""
        found = self.resolve(kind, key, where=where)
        if isinstance(found, Violation):
            return found
        if found is None:
            return Plan(None, ())
        changes: list[Change] = []
        refused = self._remove(kind, found, changes)
        return refused or Plan(None, tuple(changes))

    def _current(self, kind: str, key: str, where: Parent, now: int) -> Row | Violation | None:
        """The stored row that a path names, if its time is not up."""
        found = self.resolve(kind, key, where=where, now=now)
        return found if found is None or isinstance(found, Violation) else self.select(kind, found["id"])

    def _key(self, kind: str, key: str, where: Parent) -> dict[str, str]:
        """A path segment as the field that it gives."""
        name = special.NESTED_KEYS.get(kind) if where is not None else None
        name = name or self.schemas[kind].endpoint_key
        return {"id": key.lower()} if is_uuid(key) or name is None else {name: key}

    def _plan(self, write: _Write) -> Plan | Violation:
        prepared = special.prepare(write.kind, write.data)
        if isinstance(prepared, Violation):
            return prepared
        name = prepared["name"] if "name" in prepared else (write.current or {}).get("name")
        schema = self.schema_for(write.kind, name if write.mode == "update" else prepared.get("name"))
        if isinstance(schema, Violation):
            return schema
        data = self._resolved(schema, prepared)
        if isinstance(data, Violation):
            return data
        entity = self._entity(schema, write, data)
        if isinstance(entity, Violation):
            return entity
        return self._constrained(schema, write, data, entity)

    def _entity(self, schema: Schema, write: _Write, data: Mapping[str, Any]) -> Row | Violation:
        """The entity to store, but for sealing."""
        kind, current = write.kind, write.current
        base = None if current is None else special.usable(kind, current)
        entity = process(
            schema, data, mode=write.mode, now=write.now, ids=write.ids, current=base, schemas=self.schemas
        )
        if isinstance(entity, Violation):
            return entity
        before = current if write.mode == "update" else None
        return special.finish(kind, entity, data, before, write.now, transform=write.transform)

    def _constrained(self, schema: Schema, write: _Write, data: Mapping[str, Any], entity: Row) -> Plan | Violation:
        """The plan, once the entity stands its ground among the others."""
        kind = write.kind
        stored = self._sealed(kind, write, data, entity)
        expired: list[Change] = []
        refused = (
            self._taken_id(write, entity)
            or self._taken(schema, write, entity, stored, expired)
            or self._dangling(schema, entity)
            or self._protocols(write, data, entity)
        )
        if refused is not None:
            return refused
        return Plan(special.show(kind, entity, write.now), (*expired, Change("put", kind, stored)))

    def _resolved(self, schema: Schema, data: Mapping[str, Any]) -> Row | Violation:
        """``data`` with references by name turned into references by id."""
        out = dict(data)
        unresolved: dict[str, tuple[str, Any, str]] = {}
        for field in fields_of(schema, data):
            value = data.get(field.name)
            if field.type != "foreign" or not isinstance(value, Mapping) or _is_id(value.get("id")):
                continue
            kind = str(field.attrs["reference"])
            for name in self._names(kind, value):
                row = self.select_by(kind, name, value[name])
                if row is None:
                    unresolved[field.name] = (name, value[name], kind)
                else:
                    out[field.name] = {"id": row["id"]}
                    unresolved.pop(field.name, None)
                    break
        return violation.foreign_keys_unresolved(unresolved) if unresolved else out

    def _names(self, kind: str, value: Mapping[str, Any]) -> list[str]:
        """Unique fields of the referenced kind that the reference gives."""
        unique = [field.name for field in self.schemas[kind].fields if field.attrs.get("unique")]
        return [name for name in unique if isinstance(value.get(name), str) and value[name]]

    def _taken_id(self, write: _Write, entity: Row) -> Violation | None:
        if write.mode == "insert" and self.select(write.kind, entity["id"]) is not None:
            return violation.primary_key_violation(entity["id"])
        return None

    def _taken(
        self, schema: Schema, write: _Write, entity: Row, stored: Row, expired: list[Change]
    ) -> Violation | None:
        """Code 5 when another row holds a unique value; a row whose time is up makes room instead."""
        table = self._tables[write.kind]
        for field in schema.fields:
            value = stored.get(field.name)
            if not table.is_unique(field.name) or value is None:
                continue
            holder = table.by(field.name, value)
            if holder is None or holder["id"] == entity["id"]:
                continue
            if not special.is_over(holder, write.now):
                told = entity[field.name] if value == entity[field.name] else _HIDDEN  # what is sealed is not repeated
                return violation.unique_violation({field.name: told})
            expired.append(Change("delete", write.kind, holder))
        key = table.composite_key(stored)
        holder = None if key is None else table.by_composite(key)
        if holder is None or holder["id"] == entity["id"]:
            return None
        named = {name: entity[name] for name in schema.composite_unique if name in entity}
        return violation.unique_violation(named)

    def _dangling(self, schema: Schema, entity: Row) -> Violation | None:
        """Code 4 when a reference points to nothing."""
        for field in schema.fields:
            value = entity.get(field.name)
            kind = str(field.attrs.get("reference"))
            if field.type == "foreign" and value is not None and self.select(kind, value["id"]) is None:
                return violation.foreign_key_violation(field.name, kind, value)
        return None

    def _protocols(self, write: _Write, data: Mapping[str, Any], entity: Row) -> Violation | None:
        """A plugin and its route must meet; on creation only protocols that were given are judged, as Kong does."""
        if write.kind != "plugins" or (write.mode != "update" and data.get("protocols") is None):
            return None
        route, service = entity["route"], entity["service"]
        if route is not None:
            return special.common_protocols(entity, self.select("routes", route["id"]), [])
        others = [] if service is None else list(self.referring("routes", "service", service["id"]))
        return special.common_protocols(entity, None, others)

    def _sealed(self, kind: str, write: _Write, data: Mapping[str, Any], entity: Row) -> Row:
        """The row as it is stored: a new value of the sealed field goes in sealed, an old one is so already."""
        field = self.seal_field(kind)
        as_is = write.sealed or (write.mode == "update" and data.get(field or "") is None)
        if field is None or entity.get(field) is None or as_is:
            return entity
        return {**entity, field: self.sealed(kind, field, entity[field])}

    def _remove(self, kind: str, row: Row, changes: list[Change]) -> Violation | None:
        """Collect the deletion of a row behind those of its dependants."""
        for child, field in self._referrers(kind):
            if field.attrs.get("on_delete") == "leave":
                continue  # it stays, and points to what is gone
            rows = list(self.referring(child, field.name, row["id"]))
            if rows and field.attrs.get("on_delete") != "cascade":
                return violation.still_referenced(kind, child)
            for dependant in rows:
                if refused := self._remove(child, dependant, changes):
                    return refused
        change = Change("delete", kind, row)
        if change not in changes:  # two ways may lead to one dependant
            changes.append(change)
        return None

    def _referrers(self, kind: str) -> Sequence[tuple[str, Field]]:
        return [
            (child, field)
            for child, schema in self.schemas.items()
            for field in schema.fields
            if field.type == "foreign" and field.attrs["reference"] == kind and child in self._tables
        ]


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and is_uuid(value)
