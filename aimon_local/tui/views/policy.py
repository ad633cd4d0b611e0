"""What is configured, as a tree; what acts on what; how an edit differs, and whether it can be read. Pure."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui.lines import Line, Signs, clean, wrapped

KINDS = ("tiers", "price_plans", "model_prices", "services", "routes", "plugins", "consumers")
"""Kinds that are shown, in this order; each is a path of the Admin API."""

_KEPT = ("id", "created_at", "updated_at")
_NAMES = ("name", "model", "username", "custom_id", "id")

Entity = Mapping[str, Any]


def name_of(row: Entity) -> str:
    """By which people know it."""
    return str(next((row[field] for field in _NAMES if row.get(field)), "?"))


def tree(found: Mapping[str, Sequence[Entity]], signs: Signs) -> list[tuple[str, Line]]:
    """(key, line): each kind, and below it its entities; the key is kind/id."""
    out: list[tuple[str, Line]] = []
    for kind, rows in found.items():
        out.append((kind, ((f" {clean(kind.replace('_', ' '))}", "title"), (f"  {len(rows)}", "dim"))))
        for row in sorted(rows, key=name_of):
            scope = ", ".join(
                f"of one {word}" for word in ("consumer", "route", "service") if row.get(word) and kind != "routes"
            )
            out.append((f"{kind}/{row['id']}", ((f"   {clean(name_of(row))}", "text"), (f"  {scope}", "dim"))))
    return out


def detail(row: Entity | None, armed: Sequence[Entity], signs: Signs, width: int) -> list[Line]:
    """The entity as JSON, and for a tier what acts on how many."""
    if row is None:
        return [((" Mark something on the left; E edits it.", "dim"),)]
    out: list[Line] = [((f" {clean(name_of(row))}", "title"),)]
    for each in armed:
        if each["fault"]:
            out += wrapped(f"{signs.deny} {clean(each['rule'])}: {clean(each['fault'], 500)}", width, "  ", "deny")
        else:
            acts = f"acts on {each['consumers']} consumers, {each['routes']} routes"
            idle = not each["consumers"]
            out.append(
                (
                    (f"  {signs.near if idle else signs.ok} {clean(each['rule'])}", "near" if idle else "ok"),
                    (f"  {acts}", "dim"),
                )
            )
    return [*out, (), *(((f" {clean(line, 500)}", "text"),) for line in text_of(row).splitlines())]


def text_of(row: Entity) -> str:
    """What can be edited of it, as JSON: without what the gateway itself sets."""
    return json.dumps({name: value for name, value in row.items() if name not in _KEPT}, indent=2, ensure_ascii=False)


def read(text: str) -> dict[str, Any] | str:
    """An edit, or what is wrong with it and where."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as fault:
        return f"line {fault.lineno}, column {fault.colno}: {fault.msg}"
    except RecursionError:
        return "it is nested too deeply"
    return found if isinstance(found, dict) else "it must be one JSON object"


def changed(old: Entity, new: Entity) -> dict[str, Any]:
    """The fields that an edit changes, as a PATCH takes them; one that was taken out becomes null."""
    fields = {name: value for name, value in new.items() if name not in _KEPT and old.get(name) != value}
    gone = {name: None for name, value in old.items() if name not in new and name not in _KEPT and value is not None}
    return {**fields, **gone}


def diff(old: Entity, new: Entity) -> list[Line]:
    """What an edit changes, line by line."""
    styles = {"+": "ok", "-": "deny"}
    before, after = text_of(old).splitlines(), text_of(new).splitlines()
    found = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    return [((f" {clean(line)}", styles.get(line[:1], "dim")),) for line in found if not line.startswith("@@")]


def would(answer: Mapping[str, Any]) -> str:
    """What a tier's edit would have made of the recorded calls."""
    plan = answer["plans"][0]
    calls = plan["recorded"]["total"]["calls"]
    more, fewer = plan["newly_denied"], plan["newly_allowed"]
    return f"of {calls} recorded calls it would have denied {more} more and admitted {fewer} more"
