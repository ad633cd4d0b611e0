"""Tables of a script, read key by key: what is asked for is known, all else is an error that names its line.

An error says file, line, key and what would be right; an unknown key also the nearest one that there is.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aimon_local.errors import ConfigError
from aimon_local.scenario.amounts import Draw, distribution, is_number, rate, seconds
from aimon_local.scenario.lines import Path, line_of

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Source:
    """A script's file name and text."""

    name: str
    text: str

    def fault(self, path: Path, why: str, hint: str = "") -> ConfigError:
        """What is wrong with the thing at a path."""
        line = line_of(self.text, path)
        return ConfigError(f"{self.name}{f':{line}' if line else ''}: {why}", hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what was meant."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def spelt(path: Path) -> str:
    """A path as people write it: ``actors.free.steps[1]``."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


class Table:
    """One table: each getter notes its key; ``done`` refuses the keys that nobody asked for."""

    def __init__(self, source: Source, path: Path, values: Any) -> None:
        self.source, self.path = source, path
        if not isinstance(values, Mapping):
            raise source.fault(path, f"{spelt(path)} must be a table", f"write it as [{spelt(path)}]")
        self.values: Mapping[str, Any] = values
        self._asked: list[str] = []

    def fault(self, key: str, why: str, hint: str = "") -> ConfigError:
        """What is wrong with one of its keys."""
        where = f" in [{spelt(self.path)}]" if self.path else ""
        return self.source.fault((*self.path, key), f"{key}{where} {why}", hint)

    def get(self, key: str, read: Callable[[Any], Value], default: Value) -> Value:
        """The value of a key as ``read`` makes it; its ValueError says what would be right."""
        self._asked.append(key)
        if key not in self.values:
            return default
        try:
            return read(self.values[key])
        except ValueError as wrong:
            raise self.fault(key, str(wrong)) from None

    def text(self, key: str, default: str = "", one_of: Iterable[str] = ()) -> str:
        """A string."""
        value = self.get(key, _text, default)
        allowed = list(one_of)
        if key in self.values and allowed and value not in allowed:
            raise self.fault(key, f"can't be {value!r}", nearest(value, allowed))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or a list of strings."""
        return self.get(key, _texts, ())

    def whole(self, key: str, default: int, least: int = 0) -> int:
        """A whole number from ``least`` on."""
        return self.get(key, lambda value: _whole(value, least), default)

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        return self.get(key, _flag, default)

    def seconds(self, key: str, default: float = 0.0) -> float:
        """A duration."""
        return self.get(key, seconds, default)

    def rate(self, key: str, default: float = 0.0) -> float:
        """A rate."""
        return self.get(key, rate, default)

    def wait(self, key: str) -> Draw | None:
        """A duration, or a distribution of durations."""
        return self.get(key, lambda value: distribution(value, seconds), None)

    def count(self, key: str) -> Draw | None:
        """A number, or a distribution of numbers."""
        return self.get(key, lambda value: distribution(value, _number), None)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A table as it is."""
        return self.get(key, _mapping, {})

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A table of strings; numbers become text."""
        return tuple((str(name), str(value)) for name, value in self.mapping(key).items())

    def table(self, key: str) -> "Table | None":
        """A table within, to be read."""
        self._asked.append(key)
        return Table(self.source, (*self.path, key), self.values[key]) if key in self.values else None

    def tables(self, key: str) -> list["Table"]:
        """A list of tables within."""
        self._asked.append(key)
        rows = self.values.get(key, [])
        if not isinstance(rows, list):
            raise self.fault(key, "must be a list of tables", f"write each as [[{spelt((*self.path, key))}]]")
        return [Table(self.source, (*self.path, key, at), row) for at, row in enumerate(rows)]

    def named(self, key: str) -> list[tuple[str, "Table"]]:
        """A table of tables, by their names."""
        inner = self.table(key)
        if inner is None:
            return []
        return [(name, Table(self.source, (*inner.path, name), row)) for name, row in inner.values.items()]

    def done(self) -> None:
        """All keys were asked for, or ConfigError."""
        for key in self.values:
            if key not in self._asked:
                where = f" in [{spelt(self.path)}]" if self.path else ""
                hint = nearest(key, dict.fromkeys(self._asked))
                raise self.source.fault((*self.path, key), f"unknown key {key!r}{where}", hint)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("must be a string, or a list of strings")
    return tuple(items)


def _whole(value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"must be a whole number, {least} or more")
    return value


def _number(value: Any) -> float:
    if not is_number(value) or value < 0:
        raise ValueError("must be a number, 0 or more")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a table")
    return value
