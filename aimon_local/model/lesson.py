"""A lesson of the lab: steps, and by what the gateway recognises that one was done. Nouns, and how a document is read.

A step is done when facts that the gateway knows (a request that ended, an entity that was written, a question to the
Admin API, a move of the clock) match its ``done``, ``times`` times. Who ran the command is all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Wanted = tuple[tuple[str, tuple[str, ...]], ...]
"""(fact's name, texts of which one must match, * and ? allowed)."""

EVENTS = ("request", "config", "admin", "clock", "guard", "approval")
_STEP = ("title", "why", "run", "look", "done", "times", "save", "hints")
_LESSON = ("title", "about", "steps")


@dataclass(frozen=True, slots=True)
class Hint:
    """What to say of a fact that shows a mistake."""

    when: Wanted
    say: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    title: str
    why: str
    run: str  # the command line, for people to copy; it is data, the gateway never runs it
    look: str  # what to look for in its output
    done: Wanted
    times: int = 1
    save: tuple[tuple[str, str], ...] = ()  # (variable, field of the answer's JSON): for later commands
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """Steps in order."""

    name: str
    title: str
    about: str
    steps: tuple[Step, ...]


def read(name: str, document: Mapping[str, Any]) -> Lesson:
    """A lesson from TOML's or JSON's tables; raises ValueError that says which step and which key is wrong."""
    _known(document, _LESSON, name)
    rows = document.get("steps")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise ValueError(f"{name}: a lesson needs steps: [[steps]]")
    steps = tuple(_step(f"{name}: step {number}", row) for number, row in enumerate(rows, 1))
    return Lesson(name, _text(name, document, "title"), _text(name, document, "about"), steps)


def _step(where: str, row: Any) -> Step:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} must be a table")
    _known(row, _STEP, where)
    times = row.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= 1000:
        raise ValueError(f"{where}: times must be a number from 1 to 1000")
    save = row.get("save", {})
    if not isinstance(save, Mapping) or not all(isinstance(each, str) for each in save.values()):
        raise ValueError(f"{where}: save must name variables and fields of the answer")
    hints = row.get("hints", [])
    if not isinstance(hints, Sequence) or not all(isinstance(each, Mapping) for each in hints):
        raise ValueError(f"{where}: hints must be a list of tables")
    title, why, run, look = (_text(where, row, key) for key in ("title", "why", "run", "look"))
    return Step(
        title,
        why,
        run,
        look,
        _wanted(where, row.get("done")),
        times,
        tuple((str(name), field) for name, field in save.items()),
        tuple(Hint(_wanted(where, each.get("when")), _text(where, each, "say")) for each in hints),
    )


def _wanted(where: str, table: Any) -> Wanted:
    if not isinstance(table, Mapping) or table.get("event") not in EVENTS:
        raise ValueError(f"{where}: done and when need an event, one of {', '.join(EVENTS)}")
    return tuple((str(name), _texts(value)) for name, value in table.items())


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(text(each) for each in value)
    return (text(value),)


def text(value: Any) -> str:
    """A fact's value as patterns see it: ``true``, ``200``, ``none``."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(where: str, table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{where}: {key} must be a text")
    return found.strip()


def _known(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    unknown = next((name for name in table if name not in keys), None)
    if unknown is not None:
        raise ValueError(f"{where}: there is no key '{unknown}'; known are {', '.join(keys)}")
