"""Rows of one kind of entity with the indexes that lookups and constraints need. Knows no rules, refuses nothing."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any

from aimon_local.model.schema import Schema

Row = dict[str, Any]


class Table:
    """Rows by id, in the order of their ids; by unique field; by reference; by the composite key."""

    __slots__ = ("_by", "_composite", "_composite_fields", "_foreign", "_ids", "_rows")

    def __init__(self, schema: Schema) -> None:
        self._rows: dict[str, Row] = {}
        self._ids: list[str] = []
        self._by: dict[str, dict[Any, str]] = {f.name: {} for f in schema.fields if f.attrs.get("unique")}
        self._foreign: dict[str, dict[str, list[str]]] = {f.name: {} for f in schema.fields if f.type == "foreign"}
        self._composite_fields = schema.composite_unique
        self._composite: dict[tuple[Any, ...], str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        for id_ in self._ids:
            yield self._rows[id_]

    def get(self, id_: str) -> Row | None:
        """The row with this id."""
        return self._rows.get(id_)

    def by(self, field: str, value: Any) -> Row | None:
        """The row that holds ``value`` in a unique field."""
        id_ = self._by[field].get(value)
        return None if id_ is None else self._rows[id_]

    def is_unique(self, field: str) -> bool:
        """Whether ``by`` works for the field."""
        return field in self._by

    def referring(self, field: str, id_: str) -> list[str]:
        """Ids of the rows whose ``field`` points to ``id_``, in order."""
        return self._foreign[field].get(id_, [])

    def after(self, last: str | None, where: tuple[str, str] | None) -> Iterator[Row]:
        """Rows in order of id, those behind ``last`` if it is given; ``where`` = (reference field, id)."""
        ids = self._ids if where is None else self.referring(*where)
        start = 0 if last is None else bisect_left(ids, last)
        if last is not None and start < len(ids) and ids[start] == last:
            start += 1
        for at in range(start, len(ids)):
            yield self._rows[ids[at]]

    def composite_key(self, row: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The row's values that are unique together; None where the kind has none such."""
        if not self._composite_fields:
            return None
        return tuple(_key(row.get(field)) for field in self._composite_fields)

    def by_composite(self, key: tuple[Any, ...]) -> Row | None:
        """The row with this composite key."""
        id_ = self._composite.get(key)
        return None if id_ is None else self._rows[id_]

    def put(self, row: Row) -> None:
        """Add the row, or replace the one with its id."""
        self.delete(row["id"])
        id_ = row["id"]
        self._rows[id_] = row
        insort(self._ids, id_)
        for field, index in self._by.items():
            if row.get(field) is not None:
                index[row[field]] = id_
        for field, links in self._foreign.items():
            if (target := _key(row.get(field))) is not None:
                insort(links.setdefault(target, []), id_)
        if (key := self.composite_key(row)) is not None:
            self._composite[key] = id_

    def delete(self, id_: str) -> None:
        """Take the row out; nothing happens when there is none."""
        row = self._rows.pop(id_, None)
        if row is None:
            return
        del self._ids[bisect_left(self._ids, id_)]
        for field, index in self._by.items():
            if index.get(row.get(field)) == id_:
                del index[row[field]]
        for field, links in self._foreign.items():
            target = _key(row.get(field))
            if target is not None:
                links[target].remove(id_)
                if not links[target]:
                    del links[target]
        key = self.composite_key(row)
        if key is not None and self._composite.get(key) == id_:
            del self._composite[key]


def _key(value: Any) -> Any:
    """A value as part of a key: a reference counts by its id."""
    return value.get("id") if isinstance(value, Mapping) else value
