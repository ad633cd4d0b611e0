"""The log entry of one request, in the layout that Kong's log plugins write.

Pure: facts in, a mapping out. Secrets stay out: Authorization is redacted as Kong does it, and so are API keys under
their usual names (stricter than Kong, whose log shows them).

To add a member: one line in ``entry`` or in one of its parts.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aimon_local.policy.call import Call
from aimon_local.policy.nouns import Consumer, Route, Service
from aimon_local.policy.rule import Outline

WORKSPACE = "default"
REDACTED = "REDACTED"
SECRET_FIELDS = frozenset({b"apikey", b"authorization", b"proxy-authorization", b"x-api-key"})
SECRET_ARGUMENTS = frozenset({"apikey", "x-api-key"})
_SECRET_ARGUMENT = re.compile(r"(?i)((?:^|&)(?:apikey|x-api-key)=)[^&]*")


def entry(call: Call, outline: Outline) -> dict[str, Any]:
    """Everything about a request that is over. Times in milliseconds; sizes in bytes, heads included."""
    match, consumer, credential = call.match, call.consumer, call.credential
    found: dict[str, Any] = {
        "request": _request(call, outline),
        "response": {
            "status": outline.status,
            "headers": _headers(outline.response_fields),
            "size": outline.bytes_out,
        },
        "upstream_uri": _uri(call.upstream_path, call.upstream_query),
        "upstream_status": "" if outline.upstream_status is None else str(outline.upstream_status),
        "latencies": _latencies(outline),
        "tries": _tries(outline),
        "client_ip": call.client_ip,
        "started_at": outline.started_ns // 1_000_000,
        "source": "kong" if outline.upstream_status is None else "upstream",
        "workspace_name": WORKSPACE,
    }
    if match is not None:
        found["route"] = _route(match.route)
    if match is not None and match.service is not None:
        found["service"] = _service(match.service)
    if consumer is not None:
        found["consumer"] = _consumer(consumer)
    if credential is not None:
        found["authenticated_entity"] = {"id": credential.id, "consumer_id": credential.consumer_id}
    return found


def _request(call: Call, outline: Outline) -> dict[str, Any]:
    uri = _uri(call.raw_path, call.query)
    host, colon, port = call.host.rpartition(":")
    host = host if colon and port.isdigit() else call.host
    return {
        "id": call.request_id,
        "method": call.method,
        "uri": uri,
        "url": f"{call.scheme}://{host}:{call.server_port}{uri}",
        "querystring": _arguments(call.query or ""),
        "headers": _headers(outline.request_fields),
        "size": outline.bytes_in,
    }


def _uri(path: str, query: str | None) -> str:
    """Path and query, without keys."""
    if query is None:
        return path
    return path + "?" + _SECRET_ARGUMENT.sub(rf"\g<1>{REDACTED}", query)


def _arguments(query: str) -> dict[str, Any]:
    """Query arguments: a text, true where there is no ``=``, a list where a name comes again."""
    pairs = (piece.partition("=") for piece in query.split("&") if piece)
    shown = ((unquote_plus(name), unquote_plus(value) if eq else True) for name, eq, value in pairs)
    return _gathered((name, REDACTED if name.lower() in SECRET_ARGUMENTS else value) for name, value in shown)


def _headers(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    lowered = ((name.lower(), value) for name, value in fields)
    return _gathered(
        (name.decode("latin-1"), REDACTED if name in SECRET_FIELDS else value.decode("latin-1"))
        for name, value in lowered
    )


def _gathered(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _latencies(outline: Outline) -> dict[str, int]:
    """``proxy`` is the wait for the upstream's head, -1 where none was asked; ``receive`` the rest of its answer."""
    upstream = outline.upstream_us
    rest = 0 if upstream is None else outline.total_us - outline.gateway_us - upstream
    return {
        "kong": outline.gateway_us // 1000,
        "proxy": -1 if upstream is None else upstream // 1000,
        "receive": max(0, rest) // 1000,
        "request": outline.total_us // 1000,
    }


def _tries(outline: Outline) -> list[dict[str, Any]]:
    if outline.upstream is None:
        return []
    ip, _, port = outline.upstream.rpartition(":")
    start = outline.started_ns + outline.gateway_us * 1000
    return [{"ip": ip, "port": int(port), "balancer_start": start // 1_000_000, "balancer_latency": 0}]


def _consumer(consumer: Consumer) -> dict[str, Any]:
    found = {"id": consumer.id, "username": consumer.username, "custom_id": consumer.custom_id}
    return _present(found) | ({"tags": list(consumer.tags)} if consumer.tags else {})


def _service(service: Service) -> dict[str, Any]:
    found = {
        "id": service.id,
        "name": service.name,
        "protocol": service.protocol,
        "host": service.host,
        "port": service.port,
        "path": service.path,
        "retries": service.retries,
        "tls_verify": service.tls_verify,
        "tags": list(service.tags) or None,
    }
    times = ("connect_timeout", "write_timeout", "read_timeout")
    return _present(found) | {name: round(getattr(service, name) * 1000) for name in times}


_ROUTE_LISTS = ("protocols", "methods", "hosts", "paths", "snis", "tags")
_ROUTE_PLAIN = (
    "id", "name", "created_at", "regex_priority", "strip_path", "preserve_host", "path_handling",
    "https_redirect_status_code", "request_buffering", "response_buffering",
)  # fmt: skip


def _route(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(route, name) for name in _ROUTE_PLAIN}
    found |= {name: list(getattr(route, name)) or None for name in _ROUTE_LISTS}
    found["headers"] = {name: list(values) for name, values in route.headers} or None
    found["service"] = {"id": route.service_id} if route.service_id else None
    return _present(found)


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without the members that are not set, as Lua's tables are."""
    return {name: value for name, value in members.items() if value is not None}


# ---- custom_fields_by_lua

_LITERAL = re.compile(r"""\s*return\s+(?:(nil|true|false)|(-?\d+(?:\.\d+)?)|"([^"\\]*)"|'([^'\\]*)')\s*;?\s*""")
_WORDS: Mapping[str, Any] = {"nil": None, "true": True, "false": False}


def literal(code: str) -> tuple[bool, Any]:
    """(whether it is ``return`` with a literal, the value): the Lua that we run."""
    found = _LITERAL.fullmatch(code)
    if found is None:
        return False, None
    word, digits, double, single = found.groups()
    if word:
        return True, _WORDS[word]
    if digits:
        return True, float(digits) if "." in digits else int(digits)
    return True, double if double is not None else single


def check_custom_fields(fields: Mapping[str, str]) -> str | None:
    """The schema's check: code that we can't run is refused, not ignored."""
    for name, code in fields.items():
        if not literal(code)[0]:
            return f"'{name}': only 'return' with nil, true, false, a number or a quoted text can be run here"
    return None


def with_custom_fields(found: dict[str, Any], custom: Mapping[str, str] | None) -> dict[str, Any]:
    """The entry with its custom fields set; dots lead inside, nil removes."""
    for name, code in (custom or {}).items():
        *way, last = name.split(".")
        place = found
        for step in way:
            inner = place.get(step)
            place[step] = inner = dict(inner) if isinstance(inner, Mapping) else {}
            place = inner
        value = literal(code)[1]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return found
