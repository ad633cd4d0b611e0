"""A configuration laid over the one that is there: nothing is taken away. Pure.

Both are declarative documents: ``there`` flat, as ``GET /config`` writes it, ``new`` nested, as importers make it. Each
entity that comes in bears the importer's tag. One of the same name that bears it too is brought up to date; one that
does not is somebody else's: it stays as it is, with all that hangs on it. Prices are dated, so the old lines stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_NAMES = {"consumers": "username", "model_prices": "model"}
_SCOPES = ("route", "consumer", "consumer_group")
_RATES = ("input", "output", "cache_read", "cache_write", "reasoning")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What becomes of one entity: new, changed, same, or kept (somebody else's, left as it is)."""

    kind: str
    name: str
    what: str


def laid_over(
    there: Mapping[str, Any], new: Mapping[str, Any], tag: str, now: int
) -> tuple[dict[str, Any], list[Done]]:
    """The document of both, and what becomes of each entity of ``new``; ``now``: Unix seconds, for prices."""
    over = _Over(there, tag)
    for service in new.get("services", ()):
        over.service(service)
    for kind in ("consumer_groups", "tiers"):
        for row in new.get(kind, ()):
            over.put(kind, row)
    for consumer in new.get("consumers", ()):
        over.consumer(consumer)
    for line in new.get("model_prices", ()):
        over.price(line, now)
    return over.document, over.done


class _Over:
    def __init__(self, there: Mapping[str, Any], tag: str) -> None:
        lists = {kind: list(rows) if isinstance(rows, list) else rows for kind, rows in there.items()}
        self.document: dict[str, Any] = {"_format_version": "3.0", **lists}
        self.done: list[Done] = []
        self._tag = tag

    def service(self, given: Mapping[str, Any]) -> None:
        """A service with its routes and plugins."""
        own = {name: value for name, value in given.items() if name not in ("url", "routes", "plugins")}
        row = self.put("services", own | _address(given["url"]))
        if row is None:
            return
        for route in given.get("routes", ()):
            self.put("routes", {**route, "service": _ref(row)})
        for plugin in given.get("plugins", ()):
            self.put("plugins", {**plugin, "service": _ref(row)}, under=own["name"])

    def consumer(self, given: Mapping[str, Any]) -> None:
        """A consumer, and its place in the groups of this import; one that was moved elsewhere stays there."""
        row = self.put("consumers", {name: value for name, value in given.items() if name != "groups"})
        if row is None:
            return
        groups = {group["name"]: _ref(group) for group in self._rows("consumer_groups") if self._ours(group)}
        places = self._rows("consumer_group_consumers")
        here = [each for each in places if each["consumer"] == _ref(row)]
        if any(each["consumer_group"] not in groups.values() for each in here):
            return
        wanted = [groups[group["name"]] for group in given.get("groups", ()) if group["name"] in groups]
        left = [each for each in here if each["consumer_group"] in wanted]
        made = [{"consumer": _ref(row), "consumer_group": group} for group in wanted]
        known = [each["consumer_group"] for each in left]
        rest = [each for each in places if each not in here]
        self.document["consumer_group_consumers"] = [
            *(rest + left),
            *(each for each in made if each["consumer_group"] not in known),
        ]

    def price(self, given: Mapping[str, Any], now: int) -> None:
        """A line of the price book that holds from now on, where another one holds now."""
        lines = self._rows("model_prices")
        held = [each for each in lines if each["model"] == given["model"] and (each.get("since") or 0) <= now]
        if held:
            last = max(held, key=lambda each: each.get("since") or 0)
            if all(last.get(rate) == given.get(rate) for rate in _RATES):
                self._note("model_prices", given, "same")
                return
        since = {"since": now} if held else {}
        lines.append({**given, **since, "tags": [self._tag]})
        self._note("model_prices", given, "changed" if held else "new")

    def put(self, kind: str, given: Mapping[str, Any], under: str = "") -> Row | None:
        """An entity in its list; None where one of that name is somebody else's. ``under``: its service's name, which
        tells it apart too.
        """
        rows, field = self._rows(kind), _NAMES.get(kind, "name")
        keys = (field, "service") if under else (field,)
        at = next((at for at, row in enumerate(rows) if _same_one(row, given, keys)), None)
        if at is None:
            made = {**given, "tags": [self._tag]}
            rows.append(made)
            self._note(kind, given, "new", under)
            return made
        old = rows[at]
        if not self._ours(old) or old.get("service") != given.get("service"):
            self._note(kind, given, "kept", under)
            return None
        if _within(given, old):
            self._note(kind, given, "same", under)
            return old
        rows[at] = {name: value for name, value in {**old, **given}.items() if name != "updated_at"}
        self._note(kind, given, "changed", under)
        return rows[at]

    def _rows(self, kind: str) -> list[Row]:
        rows: list[Row] = self.document.setdefault(kind, [])
        return rows

    def _ours(self, row: Mapping[str, Any]) -> bool:
        return self._tag in (row.get("tags") or ())

    def _note(self, kind: str, given: Mapping[str, Any], what: str, under: str = "") -> None:
        name = str(given[_NAMES.get(kind, "name")])
        self.done.append(Done(kind, f"{under}/{name}" if under else name, what))


def _same_one(row: Mapping[str, Any], given: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Whether both are the same entity; a scoped plugin or tier is another one than that without a scope."""
    return all(row.get(key) == given.get(key) for key in keys) and all(
        row.get(scope) is None and given.get(scope) is None for scope in _SCOPES
    )


def _within(given: Any, there: Any) -> bool:
    """Whether all that is given is there already; what is there may say more (defaults)."""
    if isinstance(given, Mapping):
        return isinstance(there, Mapping) and all(_within(value, there.get(name)) for name, value in given.items())
    if isinstance(given, list):
        same = isinstance(there, list) and len(given) == len(there)
        return same and all(_within(one, other) for one, other in zip(given, there, strict=True))
    return bool(given == there)


def _ref(row: Mapping[str, Any]) -> str:
    """How another entity names it: by its id, where it has one."""
    return str(row.get("id") or row.get("name") or row["username"])


def _address(url: str) -> Row:
    """An address as a service stores it."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 80)
    return {"protocol": parts.scheme, "host": parts.hostname, "port": port, "path": parts.path or None}
