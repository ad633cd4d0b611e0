"""A document of Kong's (a decK file, or ``kong config db_export``) as a document of ours, and what of it is lost.

What this gateway has not (plugins, kinds of entities, fields) is left out and said. Limits of Kong's Enterprise edition
on a consumer group become a tier of that name. decK's placeholders are filled from ``variables``, wherever they
stand; a credential whose variable is not set is left out and said.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.exports.gaps import Gap
from aimon_local.exports.kong import tiers
from aimon_local.exports.kong.nest import CREDENTIALS, plugins_of
from aimon_local.exports.kong.slim import unknown
from aimon_local.exports.kong.write import KONG_KINDS
from aimon_local.model.entities import SCHEMAS
from aimon_local.policy.plugins import BY_NAME

_VERSIONS = ("1.1", "2.1", "3.0")
_META = ("_format_version", "_transform", "_info", "_workspace", "_comment", "_ignore")
_PLACEHOLDER = re.compile(r"\$\{\{\s*env\s+[\"`]([A-Za-z_][A-Za-z0-9_]*)[\"`]\s*\}\}")
_NESTED = {"groups", "plugins", "routes", "targets", "snis", "consumers", *CREDENTIALS}
_TO_TIER = (tiers.RATE_ADVANCED, tiers.AI_RATE)


@dataclass(slots=True)
class Imported:
    """A document for ``POST /config``, and what of the original it lacks."""

    document: dict[str, Any]
    gaps: list[Gap] = field(default_factory=list)


def read(document: Any, variables: Mapping[str, str]) -> Imported:
    """Kong's document as one of ours; raises ConfigError for what is no such document at all."""
    if not isinstance(document, Mapping) or "_format_version" not in document:
        raise ConfigError("this is no declarative configuration of Kong's", "decK writes one: deck gateway dump")
    if str(document["_format_version"]) not in _VERSIONS:
        raise ConfigError(
            f"_format_version {document['_format_version']!r} is not known", f"this reads {', '.join(_VERSIONS)}"
        )
    _rows_of(document, "")
    return _Reading(copy.deepcopy(dict(document)), variables).run()


def _rows_of(holder: Mapping[str, Any], where: str) -> None:
    """Every kind must be a list of objects; raises ConfigError that says which is not."""
    for kind in {*KONG_KINDS, *_NESTED} & set(holder):
        rows, here = holder[kind], f"{where}{kind}"
        if not isinstance(rows, list | None):
            raise ConfigError(f"{here} must be a list, not {type(rows).__name__}", "decK writes one: deck gateway dump")
        for at, row in enumerate(rows or (), 1):
            if isinstance(row, Mapping):
                _rows_of(row, f"{here}[{at}].")
            elif not where:
                raise ConfigError(f"{here}[{at}] must be an object, not {type(row).__name__}", "")


class _Reading:
    """One import; works on a copy of the document."""

    def __init__(self, document: dict[str, Any], variables: Mapping[str, str]) -> None:
        self._document = document
        self._variables = variables
        self._gaps: list[Gap] = []
        self._tiers: dict[str, list[dict[str, Any]]] = {}

    def run(self) -> Imported:
        document = self._document
        self._group_plugins()
        self._shared_configs()
        for kind in [name for name in document if name not in KONG_KINDS and name not in _META]:
            self._gaps.append(Gap(kind, kind, "this gateway has no such entities", "they are left out"))
            del document[kind]
        for plugin, holder in list(plugins_of(document)):
            self._plugin(plugin, holder)
        for kind in KONG_KINDS:
            self._fields(kind, document.get(kind) or ())
        self._secrets()
        self._fill(document, "the document")
        rows = [{"name": name, "limits": limits} for name, limits in sorted(self._tiers.items())]
        if rows:
            document["tiers"] = rows
        return Imported(document, sorted(set(self._gaps)))

    def _group_plugins(self) -> None:
        """Kong's older form of a group's plugins, a kind of its own."""
        old = self._document.pop("consumer_group_plugins", None) or ()
        if old:
            self._document.setdefault("plugins", []).extend(dict(each) for each in old)

    def _shared_configs(self) -> None:
        """decK's ``_plugin_configs``: configurations that plugins name by ``_config``."""
        shared = self._document.pop("_plugin_configs", None) or {}
        for plugin, _ in plugins_of(self._document):
            name = plugin.pop("_config", None)
            if name is not None:
                if name not in shared:
                    raise ConfigError(f"plugin {plugin.get('name')}: there is no _plugin_configs entry '{name}'", "")
                plugin["config"] = {**shared[name], **(plugin.get("config") or {})}

    def _plugin(self, plugin: dict[str, Any], holder: dict[str, Any]) -> None:
        name = str(plugin.get("name"))
        group = self._group_of(plugin, holder)
        if name in _TO_TIER and group is not None:
            limits, gaps = tiers.limits_of(plugin, f"consumer group {group}")
            self._tiers.setdefault(group, []).extend(limits)
            self._gaps += gaps
            self._drop(plugin, holder)
        elif name not in BY_NAME:
            self._gaps.append(Gap(_where(holder), f"plugin {name}", "this gateway does not have it", "it is left out"))
            self._drop(plugin, holder)
        else:
            for lost in (set(plugin) - _known("plugins") - {"ordering", "run_on"}) | ({"ordering"} & set(plugin)):
                self._lose(plugin, lost, f"plugin {name}")
            plugin.pop("run_on", None)
            for lost in unknown(name, plugin.get("config") or {}):
                self._gaps.append(Gap(f"plugin {name}", f"config.{lost}", "this version has not", "it is left out"))
                del plugin["config"][lost]

    def _group_of(self, plugin: Mapping[str, Any], holder: Mapping[str, Any]) -> str | None:
        """The name of the group that alone holds a plugin."""
        if any(holder is each for each in self._document.get("consumer_groups") or ()):
            return str(holder["name"])
        scope = plugin.get("consumer_group")
        if scope is None or holder or any(plugin.get(name) for name in ("service", "route", "consumer")):
            return None
        wanted = scope.get("name", scope.get("id")) if isinstance(scope, Mapping) else scope
        groups = self._document.get("consumer_groups") or ()
        return next((str(each["name"]) for each in groups if wanted in (each.get("name"), each.get("id"))), None)

    def _drop(self, plugin: dict[str, Any], holder: dict[str, Any]) -> None:
        place = holder or self._document
        place["plugins"] = [each for each in place["plugins"] if each is not plugin]
        if not place["plugins"]:
            del place["plugins"]

    def _fields(self, kind: str, rows: Any) -> None:
        """Leave out fields that entities here have not."""
        known = _known(kind) | _NESTED | {"_comment", "_ignore"}
        for row in rows:
            for lost in sorted(set(row) - known) if kind != "plugins" else ():
                self._lose(row, lost, _where(row))
            self._fields("routes", row.get("routes") or ()) if kind == "services" else None

    def _lose(self, row: dict[str, Any], name: str, where: str) -> None:
        if row.pop(name) is not None:
            self._gaps.append(Gap(where, name, "this gateway has no such field", "it is left out"))

    def _secrets(self) -> None:
        for kind in CREDENTIALS:
            self._kept(self._document, kind, self._document)
            for consumer in self._document.get("consumers") or ():
                self._kept(consumer, kind, consumer)

    def _kept(self, place: dict[str, Any], kind: str, holder: Mapping[str, Any]) -> None:
        """Credentials with their placeholders filled; those that can't be are left out."""
        if place.get(kind) is None:
            return
        kept = []
        for row in place[kind]:
            missing = [name for value in row.values() for name in _placeholders(value) if name not in self._variables]
            if missing:
                why = f"the environment variable {missing[0]} is not set"
                self._gaps.append(Gap(_where(holder), kind, why, "set it, or create a new key: aimon-local key create"))
                continue
            kept.append({name: self._filled(value) for name, value in row.items()})
        place[kind] = kept

    def _fill(self, place: Any, where: str) -> None:
        """Placeholders anywhere else: decK fills them wherever they stand."""
        items = place.items() if isinstance(place, dict) else enumerate(place)
        here = _where(place) if isinstance(place, dict) and "name" in place else where
        for key, value in list(items):
            if isinstance(value, dict | list):
                self._fill(value, here)
            missing = [name for name in _placeholders(value) if name not in self._variables]
            if missing:
                why = f"the environment variable {missing[0]} is not set"
                self._gaps.append(Gap(here, str(key), why, "set it, and import again: this is not filled"))
            elif isinstance(value, str):
                place[key] = self._filled(value)

    def _filled(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return _PLACEHOLDER.sub(lambda match: self._variables[match[1]], value)


def _placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (match[1] for match in _PLACEHOLDER.finditer(value))


def _known(kind: str) -> set[str]:
    schema = SCHEMAS[kind]
    return {each.name for each in schema.fields} | {each.name for each in schema.shorthands}


def _where(row: Mapping[str, Any]) -> str:
    """An entity's name for a person."""
    names = (row.get(name) for name in ("name", "username", "custom_id", "target", "id"))
    return str(next((name for name in names if name), "the document"))
