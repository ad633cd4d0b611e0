"""A declarative document taken apart: every entity as one item with its place, its parent and its identity.

Children stand inside their parents under their kind's name (``routes`` in a service), references are names or ids.
Missing ids are made from what names the entity, so that the same document always gives the same ids (UUID version 5,
Kong's namespaces). Judging the entities is ``model.declarative``'s.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimon_local.model.fill import Ids
from aimon_local.model.schema import Schema
from aimon_local.model.violation import Faults

Path = tuple[str | int, ...]
_NAMESPACE = bytes.fromhex("fd02801f09574a15a55ac8d9606f30b5")  # Kong's, for all kinds
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~/%-]*\Z")
META = ("_comment", "_ignore")
OLD_FORMATS = ("1.1", "2.1")  # paths that look like regular expressions are some
_GROUPS = "groups"  # decK's memberships inside a consumer
_MEMBERSHIPS = "consumer_group_consumers"


@dataclass(slots=True)
class Item:
    """One entity: ``data`` as the catalog takes it (references still as written), and where it stood."""

    kind: str
    data: dict[str, Any]
    path: Path  # as error bodies nest it; positions count from 1
    parent: "Item | None" = None
    parent_field: str | None = None


class Flattener:
    """Takes documents apart by the tables of ``schemas``; ``faults`` collects what is no list or no record."""

    def __init__(self, schemas: Mapping[str, Schema], ids: Ids, version: str) -> None:
        self._schemas = {kind: schema for kind, schema in schemas.items() if kind != "tags"}
        self._ids = ids
        self._old = version in OLD_FORMATS
        self.faults: Faults = {}
        self.items: list[Item] = []

    def run(self, document: Mapping[str, Any]) -> None:
        """Collect the items of a document, parents before children."""
        for kind in self._schemas:
            if document.get(kind) is not None:
                self._list(kind, document[kind], (kind,), None, None)

    def kinds(self) -> Sequence[str]:
        """Names of lists that may stand at the top."""
        return list(self._schemas)

    def _list(self, kind: str, entries: Any, path: Path, parent: Item | None, link: str | None) -> None:
        if not isinstance(entries, list):
            place(self.faults, path, "expected an array")
            return
        for number, entry in enumerate(entries, 1):
            here = (*path, number)
            if isinstance(entry, Mapping):
                self._entity(kind, entry, here, parent, link)
            else:
                place(self.faults, here, "expected a record")

    def _entity(self, kind: str, entry: Mapping[str, Any], path: Path, parent: Item | None, link: str | None) -> None:
        children = dict(self._children(kind))
        data = {name: value for name, value in entry.items() if name not in children and name not in META}
        groups = data.pop(_GROUPS, None) if kind == "consumers" else None
        item = Item(kind, data, path, parent, link)
        if parent is not None and link is not None:
            data[link] = {"id": parent.data["id"]}
        if kind == "routes" and self._old and isinstance(data.get("paths"), list):
            data["paths"] = [_as_regex(value) for value in data["paths"]]
        if data.get("id") is None:
            data["id"] = self._identity(item)
        self.items.append(item)
        for child, child_link in children.items():
            if entry.get(child) is not None:
                self._list(child, entry[child], (*path, child), item, child_link)
        self._memberships(item, groups)

    def _memberships(self, consumer: Item, groups: Any) -> None:
        """decK writes ``groups: [{name: gold}]`` inside a consumer."""
        if groups is None:
            return
        path = (*consumer.path, _GROUPS)
        if not isinstance(groups, list):
            place(self.faults, path, "expected an array")
            return
        for number, group in enumerate(groups, 1):
            wanted = group.get("name", group.get("id")) if isinstance(group, Mapping) else group
            self._entity(_MEMBERSHIPS, {"consumer_group": wanted}, (*path, number), consumer, "consumer")

    def _children(self, kind: str) -> Iterator[tuple[str, str]]:
        """Kinds that may stand inside ``kind``, and their reference to it."""
        own = {item.name for item in self._schemas[kind].fields}
        for child, schema in self._schemas.items():
            for item in schema.fields:
                if item.type == "foreign" and item.attrs["reference"] == kind and child not in own:
                    yield child, item.name

    def _identity(self, item: Item) -> str:
        key = self._key(item)
        return self._ids.uuid() if key is None else uuid5(uuid5_bytes(_NAMESPACE, item.kind), key)

    def _key(self, item: Item) -> str | None:
        """What names the entity for good; None where nothing does."""
        schema, data = self._schemas[item.kind], item.data
        if not schema.composite_unique:
            key = data.get(schema.endpoint_key or "")
            return key if isinstance(key, str) else None
        fields = {one.name: one for one in schema.fields}
        parts = [item.kind, "*"]
        for name in schema.composite_unique:
            value = data.get(name)
            text = value.get("id") if isinstance(value, Mapping) else value
            if text is None and fields[name].attrs.get("required"):
                return None
            if text is None and name != "consumer_group":
                parts.append("")
            elif isinstance(text, str):
                parts.append(text)
        return ":".join(parts)


def _as_regex(path: Any) -> Any:
    if not isinstance(path, str) or path.startswith("~") or _PLAIN_PATH.match(path):
        return path
    return f"~{path}"


def uuid5_bytes(namespace: bytes, name: str) -> bytes:
    """A version 5 UUID (RFC 9562 5.5) as bytes."""
    digest = bytearray(hashlib.sha1(namespace + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest[:16])


def uuid5(namespace: bytes, name: str) -> str:
    """A version 5 UUID as text."""
    text = uuid5_bytes(namespace, name).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def place(faults: Faults, path: Path, fault: Any) -> None:
    """Put a fault where the document has its cause."""
    table = faults
    for part in path[:-1]:
        table = table.setdefault(part, {})
    there = table.get(path[-1], {})
    merges = isinstance(there, dict) and isinstance(fault, Mapping)
    table[path[-1]] = {**there, **fault} if merges else fault


class References:
    """Entities of one document by id and by name, to resolve what others write."""

    def __init__(self, items: Sequence[Item], schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self._known: dict[tuple[str, str], str] = {}
        for item in items:
            id_ = str(item.data["id"]).lower()
            self._known[item.kind, id_] = id_
            for one in schemas[item.kind].fields:
                value = item.data.get(one.name)
                if one.attrs.get("unique") and isinstance(value, str):
                    self._known.setdefault((item.kind, value), id_)

    def resolve(self, item: Item) -> tuple[dict[str, Any], list[str]]:
        """The item's data with ids for references, and the texts of those that point to nothing."""
        out, missing = dict(item.data), []
        for one in self._schemas[item.kind].fields:
            value = item.data.get(one.name)
            if one.type != "foreign" or value is None:
                continue
            kind = str(one.attrs["reference"])
            id_ = self._find(kind, value)
            if id_ is not None:
                out[one.name] = {"id": id_}
            elif isinstance(value, str | Mapping):
                missing.append(f"invalid reference '{one.name}: {_written(value)}' (no such entry in '{kind}')")
                out[one.name] = {"id": "00000000-0000-0000-0000-000000000000"}
        return out, missing

    def _find(self, kind: str, value: Any) -> str | None:
        names = list(value.values()) if isinstance(value, Mapping) else [value]
        found = (self._known.get((kind, name)) or self._known.get((kind, name.lower())) for name in _texts(names))
        return next((id_ for id_ in found if id_), None)


def _texts(values: Sequence[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    inner = ",".join(f'"{name}":"{text}"' for name, text in sorted(value.items()))
    return "{" + inner + "}"


def at(item: Item, schema: Schema, number: str | int) -> str | int:
    """How Kong names the item in errors of its references: by unique name, by id, or by position."""
    key = item.data.get(schema.endpoint_key or "")
    unique = any(one.name == schema.endpoint_key and one.attrs.get("unique") for one in schema.fields)
    return key if unique and isinstance(key, str) else number
