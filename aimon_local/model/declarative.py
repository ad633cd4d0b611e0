"""Declarative configuration: a document in, the changes to a catalog out; a catalog in, a document out.

A document is the whole state: what it does not name goes. It is judged like Kong's ``POST /config``: all faults of
fields at once, then names that are taken twice and references to nothing; the refusal is code 14. Text (YAML, JSON) is
the shell's matter.

Beside Kong's keys, ``_info``, ``_workspace`` and ``groups`` of a consumer are read as decK writes them, and
``_credentials: hashed`` says that sealed keys are given as they are stored (``dump`` writes it where it applies).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model import violation
from aimon_local.model.catalog import Catalog
from aimon_local.model.fill import Ids
from aimon_local.model.flatten import Flattener, Item, Path, References, at, place
from aimon_local.model.rows import Change
from aimon_local.model.validators import REQUIRED, UNKNOWN
from aimon_local.model.violation import ENTITY, Faults, Violation

VERSIONS = ("1.1", "2.1", "3.0")
_META = ("_format_version", "_transform", "_comment", "_ignore", "_info", "_workspace", "_credentials")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a document means: the new state, and the changes that lead from the old one to it."""

    catalog: Catalog
    changes: tuple[Change, ...]


def load(document: Any, current: Catalog, now: int, ids: Ids, *, flatten_errors: bool = False) -> Loaded | Violation:
    """The state that ``document`` describes, in place of ``current``; code 14 when it is not good.

    ``flatten_errors`` adds Kong's ``flattened_errors``: one entry per faulty entity.
    """
    if not isinstance(document, Mapping):
        return unparsable("expected an object")
    version = document.get("_format_version")
    parts = Flattener(current.schemas, ids, version if isinstance(version, str) else "")
    parts.run(document)
    faults = _head(document, parts.kinds())
    references = References(parts.items, current.schemas)
    fresh = Catalog(current.schemas, current.plugin_schemas, current.seals)
    judged = _Judged(fresh, current, references, document, now, ids)
    for item in _ordered(parts.items, list(current.schemas)):
        judged.take(item)
    found = _joined(faults, parts.faults, judged.schema) or judged.constraints
    if found:
        return violation.invalid_declarative(found, judged.flattened() if flatten_errors else None)
    return Loaded(fresh, _difference(current, fresh))


def unparsable(why: str) -> Violation:
    """Code 14 for a text that is no document."""
    return violation.invalid_declarative({"error": f"failed parsing declarative configuration: {why}"})


def dump(catalog: Catalog, now: int) -> dict[str, Any]:
    """The catalog as a flat document: format 3.0, references as ids, nulls written, passwords as they are stored."""
    out: dict[str, Any] = {"_format_version": "3.0", "_transform": False}
    if catalog.seals:
        out["_credentials"] = "hashed"
    for kind in catalog.schemas:
        rows = [] if kind == "tags" else [_referring(row) for row in catalog.rows(kind, now)]
        if rows:
            out[kind] = rows
    return out


def by_id(catalog: Catalog, now: int) -> dict[str, dict[str, Any]]:
    """The answer to ``POST /config``: entities by kind and id."""
    kinds = [kind for kind in catalog.schemas if kind != "tags" and catalog.count(kind)]
    return {kind: {row["id"]: row for row in catalog.rows(kind, now)} for kind in kinds}


def _referring(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose references are plain ids."""
    return {
        name: value["id"] if isinstance(value, Mapping) and list(value) == ["id"] else value
        for name, value in row.items()
    }


def _head(document: Mapping[str, Any], kinds: Sequence[str]) -> Faults:
    """Faults of the keys at the top."""
    faults: Faults = {name: UNKNOWN for name in document if name not in _META and name not in kinds}
    version = document.get("_format_version")
    if version is None:
        faults["_format_version"] = REQUIRED
    elif not isinstance(version, str):
        faults["_format_version"] = "expected a string"
    elif version not in VERSIONS:
        faults["_format_version"] = f"expected one of: {', '.join(VERSIONS)}"
    if not isinstance(document.get("_transform", True), bool):
        faults["_transform"] = "expected a boolean"
    return faults


def _ordered(items: Sequence[Item], kinds: Sequence[str]) -> list[Item]:
    """Items so that what is referred to comes before what refers: the kinds' order is such."""
    return sorted(items, key=lambda item: kinds.index(item.kind))


def _joined(*tables: Faults) -> Faults:
    out: Faults = {}
    for table in tables:
        _merge(out, table)
    return out


def _merge(into: Faults, table: Mapping[Any, Any]) -> None:
    for name, fault in table.items():
        there = into.get(name)
        if isinstance(there, dict) and isinstance(fault, Mapping):
            _merge(there, fault)
        else:
            into[name] = fault


class _Judged:
    """The items of a document on their way into a fresh catalog, and what is wrong with them."""

    def __init__(
        self,
        catalog: Catalog,
        former: Catalog,
        references: References,
        document: Mapping[str, Any],
        now: int,
        ids: Ids,
    ) -> None:
        self.schema: Faults = {}
        self.constraints: Faults = {}
        self._catalog, self._former, self._references = catalog, former, references
        self._now, self._ids = now, ids
        self._transform = document.get("_transform") is not False
        self._sealed = document.get("_credentials") == "hashed"
        self._faulty: list[tuple[Item, Mapping[str, Any]]] = []

    def take(self, item: Item) -> None:
        """Judge one item; a good one is in the catalog then."""
        data, missing = self._references.resolve(item)
        plan = self._catalog.insert(
            item.kind, data, self._now, self._ids, transform=self._transform, sealed=self._sealed
        )
        if missing:
            where = at(item, self._catalog.schemas[item.kind], _number(item.path))
            place(self.constraints, (item.kind, where), sorted(missing))
        if not isinstance(plan, Violation):
            self._catalog.apply([self._as_before(change, item) for change in plan.changes])
        elif plan.code == 2:
            place(self.schema, item.path, plan.body["fields"])
            self._faulty.append((item, plan.body["fields"]))
        elif plan.code in (3, 5):
            key = self._catalog.schemas[item.kind].endpoint_key
            place(self.constraints, (item.kind, _number(item.path)), _taken(item, plan, key))
        elif not missing:
            place(self.constraints, item.path, str(plan.body["message"]))

    def _as_before(self, change: Change, item: Item) -> Change:
        """The former row where the document says nothing new; timestamps that it does not give stay."""
        row = self._former.select(change.kind, change.entity["id"])
        if row is None:
            return change
        entity = dict(change.entity)
        if item.data.get("created_at") is None:
            entity["created_at"] = row["created_at"]
        if "updated_at" in row and {**entity, "updated_at": row["updated_at"]} == row:
            entity = row
        return Change(change.op, change.kind, entity)

    def flattened(self) -> list[dict[str, Any]]:
        """Kong's ``flattened_errors``: the faulty entities one by one."""
        return [_flat(item, fields) for item, fields in self._faulty]


def _number(path: Path) -> str | int:
    return path[-1]


def _taken(item: Item, plan: Violation, key: str | None) -> str:
    """Kong's text; entities of one name have one id, made of it, and then the name is what is taken."""
    fields = plan.body["fields"]
    name = next(iter(fields))
    value = fields[name]
    if name == "id" and isinstance(item.data.get(key or ""), str):
        name, value = str(key), item.data[str(key)]
    named = "primary key" if name == "id" else name
    return f"uniqueness violation: '{item.kind}' entity with {named} set to '{value}' already declared"


def _flat(item: Item, fields: Mapping[str, Any]) -> dict[str, Any]:
    data = item.data
    out: dict[str, Any] = {"entity_type": item.kind.removesuffix("s"), "entity": dict(data)}
    out["errors"] = [{"type": "entity", "message": text} for text in fields.get(ENTITY, ())]
    for name, fault in fields.items():
        if name != ENTITY:
            out["errors"] += _flat_fields(name, fault)
    named = {"entity_id": data.get("id"), "entity_name": data.get("name"), "entity_tags": data.get("tags")}
    return out | {name: value for name, value in named.items() if value is not None}


def _flat_fields(name: str, fault: Any) -> list[dict[str, Any]]:
    if isinstance(fault, Mapping):
        return [entry for inner, deeper in fault.items() for entry in _flat_fields(f"{name}.{inner}", deeper)]
    if isinstance(fault, list):
        return [{"type": "field", "field": name, "messages": fault}]
    return [{"type": "field", "field": name, "message": fault}]


def _difference(old: Catalog, new: Catalog) -> tuple[Change, ...]:
    """Deletions (dependants first), then everything that is new or other (what is referred to first)."""
    kinds = [kind for kind in new.schemas if kind != "tags"]
    gone = [
        Change("delete", kind, row)
        for kind in reversed(kinds)
        for row in old.rows(kind)
        if new.select(kind, row["id"]) is None
    ]
    put = [Change("put", kind, row) for kind in kinds for row in new.rows(kind) if old.select(kind, row["id"]) != row]
    return (*gone, *put)
