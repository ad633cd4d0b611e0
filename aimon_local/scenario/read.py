"""Reads a script from TOML. Unknown is an error, never ignored: a misspelt threshold would always hold.

To add a section: its reading here and its noun in ``script``. Tiers, plans and prices are read by ``config.offers``,
which the gateway's own files use too.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aimon_local.config import offers
from aimon_local.errors import ConfigError
from aimon_local.model.moment import moment
from aimon_local.scenario import happenings
from aimon_local.scenario.fields import Source, Table, nearest
from aimon_local.scenario.metrics import TAGS
from aimon_local.scenario.read_actors import Read, read_actor
from aimon_local.scenario.script import Actor, Event, Order, Plugin, Script, Threshold
from aimon_local.scenario.thresholds import read_threshold

_ORDER_TAGS = (*TAGS, "event")


def load(path: Path) -> Script:
    """The script in a file; ConfigError: not there, not TOML, not a script."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"{path} can't be read ({fault.strerror})", "aimon-local run lists what is there") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{path} is not UTF-8 text", "save it as UTF-8") from fault
    return parse(text, str(path), lambda name: _beside(path, name))


def _beside(path: Path, name: str) -> str:
    found = (path.parent / name).resolve()
    if not found.is_relative_to(path.parent.resolve()):
        raise ValueError("it is not beside the script")
    return found.read_text(encoding="utf-8")


def parse(text: str, name: str = "script.toml", read: Read | None = None) -> Script:
    """The script in a text; ``name`` is what errors call it, ``read`` gives the text of files beside it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{name}: not valid TOML: {fault}", "TOML: https://toml.io") from fault
    top = Table(Source(name, text), (), document)
    script = Script(
        name=top.text("name", Path(name).stem),
        about=top.text("about"),
        actors=tuple(read_actor(each, row, read or _no_files) for each, row in top.named("actors")),
        seed=top.whole("seed", 1),
        virtual=top.flag("virtual"),
        clock=top.get("clock", _moment, ""),
        route=top.text("route"),
        offers=_offers(top),
        plugins=tuple(_plugin(row) for row in top.tables("plugins")),
        service=top.mapping("service"),
        mock=top.mapping("mock"),
        events=tuple(_event(row, at) for at, row in enumerate(top.tables("events"), 1)),
        thresholds=tuple(_thresholds(top)),
        orders=tuple(_order(row) for row in top.tables("assert")),
    )
    top.done()
    _agree(script, top)
    return script


def _no_files(name: str) -> str:
    raise ValueError("there are no files beside this script")


def _moment(value: Any) -> str:
    text = value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else ""
    if "-" not in text or moment(text, 0) is None:
        raise ValueError("must be a time, such as 2026-12-31T23:59:50Z")
    return text


def _offers(top: Table) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    sold = {kind: top.get(kind, lambda value: value, None) for kind in offers.KINDS}
    found = {kind: rows for kind, rows in sold.items() if rows is not None}
    return tuple(offers.read(found, top.source.name, top.source.text)) if found else ()


def _plugin(table: Table) -> Plugin:
    plugin = Plugin(table.text("name"), table.text("on", "service"), table.mapping("config"))
    if not plugin.name:
        raise table.source.fault(table.path, "a plugin needs a name", 'name = "rate-limiting"')
    table.done()
    return plugin


def _event(table: Table, number: int) -> Event:
    do = table.text("do", "phase", happenings.KINDS)
    kind = happenings.KINDS[do]
    name, at, after, phase = (
        table.text("name", f"event-{number}"),
        table.seconds("at"),
        table.texts("after"),
        table.text("phase"),
    )
    for key in kind.needs:
        if key not in table.values:
            raise table.source.fault(table.path, f"{do} needs {key!r}", kind.doc)
    values = {key: table.get(key, lambda value: value, None) for key in kind.takes}
    table.done()
    return Event(name, do, at, after, phase, {key: value for key, value in values.items() if value is not None})


def _thresholds(top: Table) -> Iterable[Threshold]:
    table = top.table("thresholds")
    for name in table.values if table else ():
        assert table is not None
        for rule in table.texts(name):
            try:
                yield read_threshold(name, rule)
            except ValueError as wrong:
                raise table.fault(name, str(wrong)) from None


def _order(table: Table) -> Order:
    key = "first" if "first" in table.values else "order"
    selectors = tuple({tag: str(value) for tag, value in row.values.items()} for row in table.tables(key))
    if len(selectors) < 2:
        raise table.source.fault(table.path, f"{key} needs two selectors or more", 'order = [{ phase = "a" }, { … }]')
    for at, selector in enumerate(selectors):
        for tag in selector:
            if tag not in _ORDER_TAGS:
                path = (*table.path, key, at, tag)
                raise table.source.fault(path, f"unknown tag {tag!r}", nearest(tag, _ORDER_TAGS))
    text = table.text("text") or f"{key}: " + " → ".join(_words(selector) for selector in selectors)
    table.done()
    return Order(selectors, key == "first", text)


def _words(selector: Mapping[str, str]) -> str:
    return " ".join(f"{tag} {value}" for tag, value in selector.items())


def _agree(script: Script, top: Table) -> None:
    """Names that refer to one another do; there is something to play."""
    if not script.actors:
        raise ConfigError(f"{top.source.name}: the script has no actors", "add [actors.NAME] with steps")
    names = [*(actor.name for actor in script.actors), *(event.name for event in script.events)]
    users: list[tuple[Actor | Event, tuple[str | int, ...]]] = [
        *((actor, ("actors", actor.name, "after")) for actor in script.actors),
        *((event, ("events", at, "after")) for at, event in enumerate(script.events)),
    ]
    for one, path in users:
        for name in one.after:
            if name not in names or name == one.name:
                raise top.source.fault(path, f"after: there is no other {name!r}", nearest(name, names))
    if len(set(names)) != len(names):
        raise ConfigError(f"{top.source.name}: two actors or events have one name", "give each its own")
    _actors_exist(script, top)
    _no_circle(users, top)


def _actors_exist(script: Script, top: Table) -> None:
    names = [actor.name for actor in script.actors]
    others = [actor.name for actor in script.actors if not actor.same_as]
    for actor in script.actors:
        if actor.same_as and actor.same_as not in others:
            path = ("actors", actor.name, "as")
            raise top.source.fault(path, f"as: there is no actor {actor.same_as!r}", nearest(actor.same_as, others))
    for at, event in enumerate(script.events):
        whose = event.values.get("actor")
        if whose is not None and whose not in names:
            raise top.source.fault(("events", at, "actor"), f"there is no actor {whose!r}", nearest(str(whose), names))


def _no_circle(users: list[tuple[Actor | Event, tuple[str | int, ...]]], top: Table) -> None:
    """What waits for what must come to an end."""
    waits = {one.name: set(one.after) for one, _ in users}
    while free := [name for name, others in waits.items() if not others]:
        for name in free:
            del waits[name]
        for others in waits.values():
            others.difference_update(free)
    if waits:
        path = next(path for one, path in users if one.name in waits)
        raise top.source.fault(path, f"these wait for each other: {', '.join(sorted(waits))}", "take one after out")
