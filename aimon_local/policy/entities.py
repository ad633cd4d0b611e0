"""From stored entities to the nouns of the data path: one small reader per kind.

Entities are dicts with Kong's fields, validated before. Text becomes what goes over the wire here, once, and not per
request: paths and names are UTF-8, seen as latin-1 (one character is one byte).

To add a field to a noun: read it here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aimon_local.policy.call import Header, header
from aimon_local.policy.nouns import Consumer, Credential, Key, Passive, Route, Service, Target, Upstream
from aimon_local.policy.paths import normalise

Entity = Mapping[str, Any]

_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
_BREAKERS = {code: " " for code in (*range(0x20), 0x7F) if code != 9}  # RFC 9110 §5.5: no control bytes but HT


def wire_text(text: str) -> str:
    """Text as its UTF-8 bytes, one character each."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def reference(entity: Entity, name: str) -> str | None:
    """The id that a foreign field holds, or None."""
    value = entity.get(name)
    return value["id"] if value else None


def field_line(name: str, value: str) -> Header:
    """A header from text that may hold anything: what can't stand in one becomes a space."""
    return header(name, value.translate(_BREAKERS))


def read_consumer(
    entity: Entity, groups: Iterable[str], tiers: Iterable[tuple[str, str]], earlier: Consumer | None = None
) -> Consumer:
    """A consumer with its ACL groups (in order of creation) and consumer groups ((id, name), any order).

    ``earlier`` is given back if it says the same.
    """
    username, custom_id = entity.get("username"), entity.get("custom_id")
    facts = (
        entity["id"],
        username,
        custom_id,
        tuple(entity.get("tags") or ()),
        tuple(groups),
        tuple(sorted(tiers, key=lambda tier: (tier[1], tier[0]))),
    )
    if earlier is not None and facts == (
        earlier.id,
        earlier.username,
        earlier.custom_id,
        earlier.tags,
        earlier.groups,
        earlier.tiers,
    ):
        return earlier
    named = (("X-Consumer-ID", entity["id"]), ("X-Consumer-Username", username), ("X-Consumer-Custom-ID", custom_id))
    return Consumer(*facts, identity=tuple(field_line(name, value) for name, value in named if value is not None))


# How the credential of each kind is called upstream.
_IDENTIFIERS = {"key-auth": "id", "basic-auth": "username", "jwt": "key"}


def read_credential(kind: str, entity: Entity) -> Credential:
    """A credential; a stored ``ttl`` is the second from which it is void."""
    line = field_line("X-Credential-Identifier", entity[_IDENTIFIERS[kind]])
    return Credential(kind, entity["id"], entity["consumer"]["id"], line, entity.get("ttl"), entity)


def read_service(entity: Entity) -> Service:
    """A service; what is not given has Kong's default."""
    protocol, host, port = entity.get("protocol") or "http", entity["host"], entity.get("port", 80)
    path = entity.get("path")
    return Service(
        id=entity["id"],
        name=entity.get("name"),
        protocol=protocol,
        host=host,
        port=port,
        path=None if path is None else wire_text(path),
        connect_timeout=entity.get("connect_timeout", 60_000) / 1000,
        write_timeout=entity.get("write_timeout", 60_000) / 1000,
        read_timeout=entity.get("read_timeout", 60_000) / 1000,
        retries=entity.get("retries", 5),
        tls_verify=entity.get("tls_verify"),
        tags=tuple(entity.get("tags") or ()),
        host_header=authority(protocol, host, port),
        entity=entity,
    )


def authority(protocol: str, host: str, port: int) -> bytes:
    """A Host value: the port is left out where it is the protocol's own; an IPv6 address is bracketed."""
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    text = name if _DEFAULT_PORTS.get(protocol) == port else f"{name}:{port}"
    return text.encode("utf-8", "surrogateescape")


def read_route(entity: Entity) -> Route:
    """A route; what is not given has Kong's default."""
    headers = entity.get("headers") or {}
    return Route(
        id=entity["id"],
        name=entity.get("name"),
        created_at=entity.get("created_at") or 0,
        service_id=reference(entity, "service"),
        protocols=tuple(entity.get("protocols") or ("http", "https")),
        methods=tuple(entity.get("methods") or ()),
        hosts=tuple(entity.get("hosts") or ()),
        paths=tuple(map(_route_path, entity.get("paths") or ())),
        headers=tuple((name.lower(), tuple(values)) for name, values in headers.items()),
        snis=tuple(entity.get("snis") or ()),
        regex_priority=entity.get("regex_priority") or 0,
        strip_path=entity.get("strip_path", True),
        preserve_host=entity.get("preserve_host", False),
        path_handling=entity.get("path_handling") or "v0",
        https_redirect_status_code=entity.get("https_redirect_status_code", 426),
        request_buffering=entity.get("request_buffering", True),
        response_buffering=entity.get("response_buffering", True),
        tags=tuple(entity.get("tags") or ()),
        entity=entity,
    )


def _route_path(path: str) -> str:
    """A prefix in the form in which request paths are matched; an expression as it is."""
    text = wire_text(path)
    return text if text.startswith("~") else normalise(text)


def read_upstream(entity: Entity, targets: Iterable[Entity]) -> Upstream:
    """An upstream with its targets, older ones first."""
    checks = entity.get("healthchecks") or {}
    placed = sorted(targets, key=lambda row: row.get("created_at") or 0)
    return Upstream(
        id=entity["id"],
        name=entity["name"],
        algorithm=entity.get("algorithm") or "round-robin",
        hash_on=_key(entity, "hash_on"),
        hash_fallback=_key(entity, "hash_fallback"),
        cookie_path=entity.get("hash_on_cookie_path") or "/",
        host_header=entity.get("host_header"),
        passive=_passive(checks.get("passive") or {}),
        threshold=checks.get("threshold") or 0,
        targets=tuple(_target(row) for row in placed),
    )


def _key(entity: Entity, which: str) -> Key:
    kind = entity.get(which) or "none"
    # The cookie has one name, also as a fallback.
    field = "hash_on_cookie" if kind == "cookie" else f"{which}_{kind}"
    return Key(kind, entity.get(field) or "")


def _passive(record: Entity) -> Passive:
    good, bad = record.get("healthy") or {}, record.get("unhealthy") or {}
    return Passive(
        successes=good.get("successes") or 0,
        healthy=frozenset(good.get("http_statuses") or ()),
        http_failures=bad.get("http_failures") or 0,
        unhealthy=frozenset(bad.get("http_statuses") or ()),
        tcp_failures=bad.get("tcp_failures") or 0,
        timeouts=bad.get("timeouts") or 0,
    )


def _target(entity: Entity) -> Target:
    host, _, port = entity["target"].rpartition(":")
    return Target(entity["id"], entity["target"], host.strip("[]"), int(port), entity.get("weight", 100))
