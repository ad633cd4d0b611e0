"""The form: flat rows (kind → rows, references by id) as the nested, named document that decK writes.

Fields are those of decK's own schema of its files; what Kong keeps for itself (timestamps, ids where a name does)
stays out, and so do nulls, which decK reads as faults outside of ``config``. The order is by name, so that the same
configuration is always the same document. To let another field through: its name in ``FIELDS``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aimon_local.exports.kong.slim import slim
from aimon_local.policy.plugins import BY_NAME

Row = Mapping[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]
Document = dict[str, Any]

_HASHES = ("cookie", "cookie_path", "header", "query_arg", "uri_capture")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "services": (
        *("name", "protocol", "host", "port", "path", "retries", "connect_timeout", "write_timeout", "read_timeout"),
        *("tls_verify", "tls_verify_depth", "ca_certificates", "client_certificate", "enabled", "tags"),
    ),
    "routes": (
        *("name", "protocols", "methods", "hosts", "paths", "headers", "snis", "sources", "destinations"),
        *("strip_path", "preserve_host", "path_handling", "regex_priority", "https_redirect_status_code"),
        *("request_buffering", "response_buffering", "tags"),
    ),
    "consumers": ("username", "custom_id", "tags"),
    "consumer_groups": ("name", "tags"),
    "plugins": ("name", "instance_name", "config", "protocols", "enabled", "tags"),
    "keyauth_credentials": ("key", "ttl", "tags"),
    "basicauth_credentials": ("username", "password", "tags"),
    "jwt_secrets": ("key", "secret", "algorithm", "rsa_public_key", "tags"),
    "acls": ("group", "tags"),
    "upstreams": (
        *("name", "algorithm", "hash_on", "hash_fallback", "slots", "healthchecks", "host_header", "use_srv_name"),
        *("hash_fallback_header", "hash_fallback_query_arg", "hash_fallback_uri_capture"),
        *(f"hash_on_{each}" for each in _HASHES),
        *("client_certificate", "tags"),
    ),
    "targets": ("target", "weight", "tags"),
    "certificates": ("id", "cert", "key", "tags"),
    "ca_certificates": ("id", "cert", "cert_digest", "tags"),
}
NAMES = {"services": "name", "routes": "name", "consumers": "username", "consumer_groups": "name"}
"""By which field entities are referred to; one that lacks it keeps its id, and is referred to by that."""
CREDENTIALS = ("keyauth_credentials", "basicauth_credentials", "jwt_secrets", "acls")
SCOPES = {"service": "services", "route": "routes", "consumer": "consumers", "consumer_group": "consumer_groups"}
_GROUP_PLUGIN = {"name", "instance_name", "config", "tags"}  # all that decK reads of a plugin inside a group


def nested(rows: Rows) -> Document:
    """The document of flat rows; kinds that are not Kong's are left aside."""
    return _Nesting(rows).document()


def sort_key(entity: Row) -> tuple[str, str]:
    """Entities by name, then by content."""
    name = next((str(entity[key]) for key in ("name", "username", "custom_id", "target") if entity.get(key)), "")
    return name, json.dumps(entity, sort_keys=True)


class _Nesting:
    """One document in the making."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._labels = {
            kind: {row["id"]: str(row.get(name) or row["id"]) for row in rows.get(kind, ())}
            for kind, name in NAMES.items()
        }
        self._plugins = [(self._scopes(row), row) for row in rows.get("plugins", ())]

    def document(self) -> Document:
        """Everything, kind by kind; kinds without entities are not named."""
        lists = {
            "services": self._each("services", self._service),
            "routes": self._each("routes", self._route, lambda row: not row.get("service")),
            "consumers": self._each("consumers", self._consumer),
            "consumer_groups": self._each("consumer_groups", self._group),
            "plugins": self._free_plugins(),
            "upstreams": self._each("upstreams", self._upstream),
            "certificates": self._each("certificates", self._certificate),
            "ca_certificates": self._each("ca_certificates", _no_more),
        }
        return {"_format_version": "3.0", **{kind: found for kind, found in lists.items() if found}}

    def _each(self, kind: str, more: Any, which: Any = lambda row: True) -> list[Document]:
        found = ({**picked(kind, row), **more(row)} for row in self._rows.get(kind, ()) if which(row))
        return sorted(found, key=sort_key)

    def _below(self, kind: str, field: str, row: Row, more: Any = None) -> Document:
        """The children of a row, under their kind's name."""
        children = self._each(kind, more or _no_more, lambda child: child.get(field) == row["id"])
        return {kind: children} if children else {}

    def _service(self, row: Row) -> Document:
        return {**self._below("routes", "service", row, self._route), **self._own_plugins("service", row)}

    def _route(self, row: Row) -> Document:
        return self._own_plugins("route", row)

    def _consumer(self, row: Row) -> Document:
        out: Document = {}
        for kind in CREDENTIALS:
            out |= self._below(kind, "consumer", row)
        labels = self._labels["consumer_groups"]
        groups = sorted(
            labels[each["consumer_group"]]
            for each in self._rows.get("consumer_group_consumers", ())
            if each["consumer"] == row["id"] and each["consumer_group"] in labels
        )
        if groups:
            out["groups"] = [{"name": name} for name in groups]
        return {**out, **self._own_plugins("consumer", row)}

    def _group(self, row: Row) -> Document:
        return self._own_plugins("consumer_group", row)

    def _upstream(self, row: Row) -> Document:
        certificate = {"id": row["client_certificate"]} if row.get("client_certificate") else None
        own = {"client_certificate": certificate} if certificate else {}
        return {**self._below("targets", "upstream", row), **own}

    def _certificate(self, row: Row) -> Document:
        names = sorted(each["name"] for each in self._rows.get("snis", ()) if each["certificate"] == row["id"])
        return {"snis": [{"name": name} for name in names]} if names else {}

    def _scopes(self, plugin: Row) -> dict[str, str]:
        return {scope: plugin[scope] for scope in SCOPES if plugin.get(scope)}

    def _own_plugins(self, scope: str, row: Row) -> Document:
        """Plugins on this entity alone. decK reads less of those inside a group: others stand at the top."""
        found = [
            picked("plugins", plugin)
            for scopes, plugin in self._plugins
            if scopes == {scope: row["id"]} and not _stands_apart(scopes, plugin)
        ]
        if scope == "consumer_group":
            found = [{name: value for name, value in each.items() if name in _GROUP_PLUGIN} for each in found]
        return {"plugins": sorted(found, key=sort_key)} if found else {}

    def _free_plugins(self) -> list[Document]:
        """Global plugins, and those on several entities at once: these name them."""
        found = [
            {**picked("plugins", plugin), **{scope: self._labels[SCOPES[scope]][id_] for scope, id_ in scopes.items()}}
            for scopes, plugin in self._plugins
            if len(scopes) != 1 or _stands_apart(scopes, plugin)
        ]
        return sorted(found, key=sort_key)


def picked(kind: str, row: Row) -> Document:
    """The fields of a row that the document has; its id where nothing else names it."""
    out = {name: _full(name, row[name]) for name in FIELDS[kind] if row.get(name) is not None}
    if kind == "plugins":
        out["config"] = slim(row["name"], row.get("config") or {})
        out = {name: value for name, value in out.items() if not _goes_without_saying(row["name"], name, value)}
    label = NAMES.get(kind)
    if label is not None and not row.get(label):
        out = {"id": row["id"], **out}
    return out


def _full(name: str, value: Any) -> Any:
    """A value without nulls inside; only ``config`` may have them."""
    if name == "config" or not isinstance(value, Mapping | list):
        return value
    if isinstance(value, list):
        return [_full("", item) for item in value]
    return {inner: _full(inner, item) for inner, item in value.items() if item is not None}


def plugins_of(document: Row) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each plugin of a nested or flat document, with the entity that holds it ({} for the top)."""
    for plugin in document.get("plugins") or ():
        yield plugin, {}
    for holder in _holders(document):
        for plugin in holder.get("plugins") or ():
            yield plugin, holder


def _holders(document: Row) -> Iterable[dict[str, Any]]:
    for service in document.get("services") or ():
        yield service
        yield from service.get("routes") or ()
    for kind in ("routes", "consumers", "consumer_groups"):
        yield from document.get(kind) or ()


def _goes_without_saying(plugin: str, name: str, value: Any) -> bool:
    kind = BY_NAME.get(plugin)
    usual = set(kind.protocols) if kind is not None else None
    return (name, value) in (("enabled", True), ("config", {})) or (name == "protocols" and set(value) == usual)


def _stands_apart(scopes: Mapping[str, str], plugin: Row) -> bool:
    """Whether a group's plugin says what decK does not read inside of a group."""
    kind = BY_NAME.get(plugin["name"])
    usual = kind is None or set(plugin.get("protocols") or kind.protocols) == set(kind.protocols)
    return "consumer_group" in scopes and not (usual and plugin.get("enabled", True))


def _no_more(_: Row) -> Document:
    return {}
