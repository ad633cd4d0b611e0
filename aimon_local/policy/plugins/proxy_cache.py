"""proxy-cache: answers kept in memory and served again, in Kong's terms (Miss, Hit, Refresh, Bypass).

Access looks the request up; on the way back ``response`` judges the answer and ``body`` stores it. Without
``cache_control`` only the plugin's own ``cache_ttl`` counts; with it, RFC 9111's directives of both sides do. An answer
is stored by what it is, whoever made it, as Kong does; the key holds consumer and route, so nobody is served what
another was.

To honour another directive: ``access`` and ``_too_old`` (the client's) or ``_storable`` (the answer's).
"""

import hashlib
import re
from calendar import timegm
from collections.abc import Mapping
from email.utils import parsedate
from typing import Any
from urllib.parse import unquote_plus

from aimon_local.model.schema import EntityRule, array, boolean, integer, record, string
from aimon_local.policy.cache import CachedAnswer
from aimon_local.policy.call import Answer, BodyFilter, Call, Outcome, Refuse, ResponseDraft
from aimon_local.policy.rule import PluginType, Rule, Scope

_NOTE = "proxy-cache"
_NS = 1_000_000_000

# Kong's shared dictionaries; any of them may be named, all mean the one table that we keep
_DICTIONARIES = frozenset(
    {
        "kong", "kong_cluster_events", "kong_core_db_cache", "kong_core_db_cache_miss", "kong_db_cache",
        "kong_db_cache_miss", "kong_healthchecks", "kong_locks", "kong_rate_limiting_counters", "kong_secrets",
        "prometheus_metrics",
    }
)  # fmt: skip

# RFC 9110 §7.6.1 and what belongs to one delivery only
_NOT_KEPT = frozenset(
    {
        b"age", b"connection", b"content-length", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te",
        b"trailer", b"trailers", b"transfer-encoding", b"upgrade", b"via", b"x-cache-key", b"x-cache-status",
        b"x-kong-proxy-latency", b"x-kong-request-id", b"x-kong-response-latency", b"x-kong-upstream-latency",
    }
)  # fmt: skip

Directives = Mapping[str, str | bool]


class _Lookup:
    """What access found out, for the way back."""

    __slots__ = ("key", "status", "ttl")

    def __init__(self, key: str | None, status: str | None) -> None:
        self.key = key
        self.status = status  # None: nothing is said (only-if-cached)
        self.ttl: int | None = None  # set where the answer is to be stored


class ProxyCache(Rule):
    """One configured cache."""

    __slots__ = (
        "_control",
        "_folds",
        "_headers",
        "_keep",
        "_methods",
        "_params",
        "_shown",
        "_statuses",
        "_ttl",
        "_types",
    )

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._control = bool(config.get("cache_control"))
        self._folds = bool(config.get("ignore_uri_case"))
        self._methods = frozenset(config["request_method"])
        self._statuses = frozenset(config["response_code"])
        self._types = tuple(filter(None, map(_media_type, config["content_type"])))
        self._ttl = int(config.get("cache_ttl") or 300)
        self._keep = config.get("storage_ttl")
        self._params = _wanted(config.get("vary_query_params"))
        self._headers = tuple(sorted(name.lower().encode() for name in config.get("vary_headers") or ()))
        shown = config.get("response_headers") or {}
        self._shown = frozenset(name for name in ("age", "X-Cache-Status", "X-Cache-Key") if shown.get(name, True))

    # ---- on the way in

    def access(self, call: Call) -> Outcome:
        """Serve a kept answer, or note what the way back needs."""
        directives = _directives(call.get_all(b"cache-control")) if self._control else {}
        if call.method not in self._methods or not {"no-store", "no-cache"}.isdisjoint(directives):
            call.notes[_NOTE] = _Lookup(None, "Bypass")
            return None
        key, now = self._key(call), call.now_ns // _NS
        found = call.state.cache.get(key, call.now_ns)
        if found is not None and not self._too_old(found, directives, now):
            return self._hit(found, key, now)
        if found is None and "only-if-cached" in directives:
            call.notes[_NOTE] = _Lookup(key, None)
            return Refuse(504, "The upstream server is timing out", "not_cached", failure=True)
        call.notes[_NOTE] = _Lookup(key, "Miss" if found is None else "Refresh")
        return None

    def _too_old(self, found: CachedAnswer, directives: Directives, now: int) -> bool:
        """Whether the client, or without its say the plugin, wants a newer one (RFC 9111 §5.2.1)."""
        age = now - found.at
        if not self._control:
            return age > self._ttl
        most, stale, fresh = (_seconds(directives.get(name)) for name in ("max-age", "max-stale", "min-fresh"))
        return (
            (most is not None and age > most)
            or (stale is not None and age - found.ttl > stale)
            or (fresh is not None and found.ttl - age < fresh)
        )

    def _hit(self, found: CachedAnswer, key: str, now: int) -> Answer:
        told = (("age", str(max(0, now - found.at))), ("X-Cache-Status", "Hit"), ("X-Cache-Key", key))
        shown = tuple((name.encode(), value.encode()) for name, value in told if name in self._shown)
        kept = tuple(pair for pair in found.fields if pair[0].lower() != b"content-type")
        content_type = next((value for name, value in found.fields if name.lower() == b"content-type"), None)
        return Answer(found.status, found.body, content_type, (*kept, *shown), proxied=True)

    def _key(self, call: Call) -> str:
        """SHA-256 over who asks, where, and for what, as far as the configuration tells requests apart."""
        consumer, route = call.consumer, call.match.route if call.match is not None else None
        path = call.raw_path.lower() if self._folds else call.raw_path
        parts = [consumer.id if consumer else "", route.id if route else "", call.method, path]
        parts += (f"{name}={value}" for name, value in self._told_apart(call.query or ""))
        parts += (f"{name!r}: {call.get_all(name)!r}" for name in self._headers)
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _told_apart(self, query: str) -> list[tuple[str, str]]:
        """The query's arguments that count, sorted by name; values of one name keep their order."""
        pairs = (piece.partition("=") for piece in query.split("&") if piece)
        decoded = ((unquote_plus(name), unquote_plus(value) if eq else "\0") for name, eq, value in pairs)
        counted = (pair for pair in decoded if self._params is None or pair[0] in self._params)
        return sorted(counted, key=lambda pair: pair[0])

    # ---- on the way back

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Judge the answer and say what came of it."""
        lookup = call.notes.get(_NOTE)
        if not isinstance(lookup, _Lookup):
            return
        if lookup.key is not None and lookup.status is not None:
            lookup.ttl = self._storable(draft, call.now_ns // _NS)
            lookup.status = "Bypass" if lookup.ttl is None else lookup.status
        if lookup.key is not None and "X-Cache-Key" in self._shown:
            draft.set("X-Cache-Key", lookup.key)
        if lookup.status is not None and "X-Cache-Status" in self._shown:
            draft.set("X-Cache-Status", lookup.status)

    def body(self, call: Call, draft: ResponseDraft) -> BodyFilter | None:
        """Ask for the body of an answer that is to be kept."""
        lookup = call.notes.get(_NOTE)
        if not isinstance(lookup, _Lookup) or lookup.key is None or lookup.ttl is None:
            return None
        key, now, ttl = lookup.key, call.now_ns, lookup.ttl
        forget = now + int(ttl if self._keep is None else self._keep) * _NS
        # the answer's fields, but not what this one request was told (its limits, its delivery)
        own = _NOT_KEPT | {name.lower() for name, _ in call.reply_fields}
        own |= call.reply_lines.names if call.reply_lines is not None else frozenset()
        fields = tuple((_title(line), value) for name, value, line in draft.fields if name not in own)

        def store(content: bytes) -> bytes:
            call.state.cache.put(key, CachedAnswer(draft.status, fields, content, now // _NS, ttl, forget))
            return content

        return store

    def _storable(self, draft: ResponseDraft, now: int) -> int | None:
        """For how many seconds the answer may be kept; None: not at all."""
        if draft.status not in self._statuses or not self._is_of_our_types(draft.get(b"content-type")):
            return None
        if not self._control:
            return self._ttl
        directives = _directives([value for name, value, _ in draft.fields if name == b"cache-control"])
        if not {"private", "no-store", "no-cache"}.isdisjoint(directives):
            return None
        ttl = _seconds(directives.get("s-maxage", directives.get("max-age")))
        if ttl is None:
            ttl = _until(draft, now)
        return ttl if ttl is not None and ttl > 0 else None

    def _is_of_our_types(self, value: bytes | None) -> bool:
        """A type matches by name (``*`` is any), and by each parameter that the configuration names."""
        found = _media_type(value.decode("latin-1")) if value else None
        if found is None:
            return False
        kind, subkind, parameters = found
        return any(
            wanted[0] in ("*", kind) and wanted[1] in ("*", subkind) and wanted[2].items() <= parameters.items()
            for wanted in self._types
        )


def _wanted(names: list[str] | None) -> frozenset[str] | None:
    return frozenset(names) if names else None


def _title(line: bytes) -> bytes:
    return line.partition(b":")[0]


def _directives(values: list[bytes]) -> dict[str, str | bool]:
    """Cache-Control's directives, lower-case: with their argument, else True (RFC 9111 §5.2)."""
    found: dict[str, str | bool] = {}
    for piece in b",".join(values).decode("latin-1").split(","):
        name, eq, argument = piece.strip().partition("=")
        if name:
            found[name.strip().lower()] = argument.strip().strip('"') if eq else True
    return found


def _seconds(argument: str | bool | None) -> int | None:
    """A directive's number; None where there is none."""
    return int(argument) if isinstance(argument, str) and re.fullmatch(r"[0-9]{1,15}", argument) else None


def _until(draft: ResponseDraft, now: int) -> int | None:
    """Seconds to the last Expires field's time; None without a time."""
    values = [value for name, value, _ in draft.fields if name == b"expires"]
    parsed = parsedate(values[-1].decode("latin-1")) if values else None
    return timegm(parsed) - now if parsed else None


def _media_type(value: str) -> tuple[str, str, dict[str, str]] | None:
    """``text/plain; charset=UTF-8`` to its parts, all lower-case; None for what is no media type."""
    main, *rest = value.lower().split(";")
    kind, slash, subkind = main.strip().partition("/")
    if not slash or not kind or not subkind:
        return None
    pairs = (piece.partition("=") for piece in rest)
    return kind, subkind, {name.strip(): argument.strip().strip('"') for name, eq, argument in pairs if eq}


# ---- schema


def _check_dictionary(plugin: Mapping[str, Any]) -> str | None:
    config = plugin.get("config") or {}
    name = (config.get("memory") or {}).get("dictionary_name")
    return None if config.get("strategy") != "memory" or name in _DICTIONARIES else f"missing shared dict '{name}'"


PLUGIN = PluginType(
    "proxy-cache",
    100,
    record(
        "config",
        array(
            "response_code",
            integer(between=[100, 900]),
            required=True,
            default=[200, 301, 404],
            len_min=1,
        ),
        array(
            "request_method",
            string(one_of=["HEAD", "GET", "POST", "PATCH", "PUT"]),
            required=True,
            default=["GET", "HEAD"],
        ),
        array("content_type", string(), required=True, default=["text/plain", "application/json"]),
        integer("cache_ttl", default=300, gt=0),
        string("strategy", required=True, one_of=["memory"]),
        boolean("cache_control", required=True, default=False),
        boolean("ignore_uri_case", required=False, default=False),
        integer("storage_ttl"),
        record("memory", string("dictionary_name", required=True, default="kong_db_cache"), required=True),
        array("vary_query_params", string()),
        array("vary_headers", string()),
        record(
            "response_headers",
            boolean("age", default=True),
            boolean("X-Cache-Status", default=True),
            boolean("X-Cache-Key", default=True),
            required=True,
        ),
        required=True,
    ),
    ProxyCache,
    checks=(EntityRule("custom_entity_check", {"field_sources": ["config"]}, _check_dictionary),),
)
