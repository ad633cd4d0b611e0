"""http-log: log entries sent to an HTTP endpoint, in batches. The gateway's sinks queue, send and retry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aimon_local.model.schema import Field, integer, map_of, number, record, string
from aimon_local.policy.call import Call
from aimon_local.policy.log_entry import check_custom_fields, entry, with_custom_fields
from aimon_local.policy.rule import LogOrder, Outline, PluginType, Rule, Scope


class HttpLog(Rule):
    """One configured endpoint; ``plugin_id`` names its queue."""

    __slots__ = ("_config", "_custom")

    def __init__(self, config: Mapping[str, Any], scope: Scope) -> None:
        self._config = {**config, "plugin_id": scope.plugin_id}
        self._custom = config.get("custom_fields_by_lua")

    def log(self, call: Call, outline: Outline) -> LogOrder:
        """The whole entry."""
        return LogOrder("http", self._config, with_custom_fields(entry(call, outline), self._custom))


def _check_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    return None if usable else "missing host in url"


def _check(config: Mapping[str, Any]) -> str | None:
    """Two sets of credentials for one endpoint: which one should be sent?"""
    named = any(name.lower() == "authorization" for name in config["headers"] or ())
    if named and urlsplit(config["http_endpoint"]).username is not None:
        return "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed"
    return None


def _not(name: str) -> dict[str, str]:
    """A field that the sender sets itself: refused in any case, by a Lua pattern."""
    letters = (f"[{c.upper()}{c.lower()}]" if c.isalpha() else f"%{c}" for c in name)
    return {"pattern": f"^{''.join(letters)}$", "err": f"cannot contain '{name}' header"}


def _old(kind: str, name: str) -> Field:
    """A setting of queues before Kong 3.3: taken, and without effect."""
    deprecation = {"message": f"http-log: config.{name} no longer works", "removal_in_version": "4.0"}
    return Field(name, kind, {"deprecation": deprecation})


_NOT_OURS = [_not("Host"), _not("Content-Length"), _not("Content-Type")]

_QUEUE = record(
    "queue",
    integer("max_batch_size", default=1, between=[1, 1000000]),
    number("max_coalescing_delay", default=1, between=[0, 3600]),
    integer("max_entries", default=10000, between=[1, 1000000]),
    integer("max_bytes"),
    number("max_retry_time", default=60),
    number("initial_retry_delay", default=0.01, between=[0.001, 1000000]),
    number("max_retry_delay", default=60, between=[0.001, 1000000]),
    integer("concurrency_limit", default=1, one_of=[-1, 1]),
    required=True,
)

PLUGIN = PluginType(
    "http-log",
    12,
    record(
        "config",
        string("http_endpoint", check=_check_url, required=True, encrypted=True, referenceable=True),
        string("method", default="POST", one_of=["POST", "PUT", "PATCH"]),
        string(
            "content_type",
            default="application/json",
            one_of=["application/json", "application/json; charset=utf-8"],
        ),
        number("timeout", default=10000),
        number("keepalive", default=60000),
        _old("integer", "retry_count"),
        _old("integer", "queue_size"),
        _old("number", "flush_timeout"),
        map_of("headers", string(match_none=_NOT_OURS), string(referenceable=True)),
        _QUEUE,
        map_of("custom_fields_by_lua", string(len_min=1), string(len_min=1), check=check_custom_fields),
        check=_check,
        required=True,
    ),
    HttpLog,
)
