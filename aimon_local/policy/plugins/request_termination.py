"""request-termination: an answer by configuration, in place of the upstream's.

Without a text of its own a status is answered as Kong does: some have a message, some the web server's own page,
some a page of the gateway's, the rest are empty. ``echo`` shows the request and what it matched instead.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.checks import check_header_name
from aimon_local.model.schema import boolean, integer, record, string
from aimon_local.policy import reasons
from aimon_local.policy.call import NEED_BODY, Answer, Call, Outcome, Refuse
from aimon_local.policy.edits import one_line
from aimon_local.policy.forms import decode
from aimon_local.policy.jsonbody import render
from aimon_local.policy.places import body_fields, has_body, spellings
from aimon_local.policy.rule import PluginType, Rule, Scope
from aimon_local.policy.world import World

_JSON = b"application/json; charset=utf-8"
_HTML = b"text/html; charset=UTF-8"

_MESSAGES = {
    401: "Unauthorized",
    404: "Not found",
    405: "Method not allowed",
    500: "An unexpected error occurred",
    502: "Bad Gateway",
    503: "Service unavailable",
}
# Statuses that Kong answers with its own error page when nothing else is given for them.
_GATEWAY_PAGES = {
    400: "Bad request",
    408: "Request timeout",
    411: "Length required",
    412: "Precondition failed",
    413: "Payload too large",
    414: "URI too long",
    417: "Expectation failed",
    494: "Request header or cookie too large",
    504: "The upstream server is timing out",
}
# Statuses that nginx has a page for.
_SERVER_PAGES = {
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    402: "Payment Required",
    403: "Forbidden",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    421: "Misdirected Request",
    429: "Too Many Requests",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
# Types to which nginx adds its charset.
_TEXTS = frozenset(
    ("application/javascript", "application/rss+xml", "text/html", "text/plain", "text/vnd.wap.wml", "text/xml")
)


class RequestTermination(Rule):
    """One configured instance."""

    __slots__ = ("_answer", "_argument", "_echoes", "_fields", "_message", "_reason", "_status")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._status: int = config["status_code"]
        self._message: str | None = config.get("message") or _MESSAGES.get(self._status)
        self._echoes: bool = config["echo"]
        trigger: str | None = config.get("trigger")
        self._argument = trigger
        self._fields = spellings(trigger) if trigger else ()
        self._reason = reasons.TERMINATED if self._status >= 400 else None
        self._answer = self._fixed(config)

    def access(self, call: Call) -> Outcome:
        """Answer, if the trigger is there or none is asked for."""
        if self._argument is not None and not self._triggered(call, self._argument):
            return None
        if not self._echoes:
            return self._answer
        if call.body is None and has_body(call):
            return NEED_BODY
        return self._json(echo(call, self._message))

    peek = access  # it counts nothing

    def _triggered(self, call: Call, argument: str) -> bool:
        if any(call.get(name) is not None for name in self._fields):
            return True
        return call.upstream_query is not None and argument in decode(call.upstream_query)

    def _fixed(self, config: Mapping[str, Any]) -> Refuse | Answer:
        status, body = self._status, config.get("body")
        if status < 200:
            # An interim status can't end an exchange (RFC 9110 section 15.2): clients would wait for ever.
            return Refuse(500, f"request-termination: {status} is no final status", reasons.TERMINATED)
        if body:
            return Answer(status, body.encode(), _content_type(config.get("content_type")), reason=self._reason)
        if self._message is not None:
            return self._json({"message": self._message})
        if status in _GATEWAY_PAGES:
            return Refuse(status, _GATEWAY_PAGES[status], reasons.TERMINATED, failure=True)
        if status in _SERVER_PAGES:
            return Answer(status, _page(f"{status} {_SERVER_PAGES[status]}"), _HTML, reason=self._reason)
        return Answer(status, reason=self._reason)

    def _json(self, value: Mapping[str, Any]) -> Refuse | Answer:
        if self._status < 200:
            return self._answer
        return Answer(self._status, render(value), _JSON, reason=self._reason)


def _page(title: str) -> bytes:
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "</body>",
        "</html>",
        "",
    )
    return "\r\n".join(lines).encode()


def _content_type(given: str | None) -> bytes | None:
    if not given:
        return None
    known = given.strip().lower() in _TEXTS
    return one_line(f"{given}; charset=UTF-8" if known else given).encode()


def echo(call: Call, message: str | None) -> dict[str, Any]:
    """The request as the gateway sees it, and what it matched; Kong's members."""
    told: dict[str, Any] = {
        "kong": {"node_id": call.tools.node_id, "worker_pid": call.process_id, "hostname": call.tools.hostname},
        "request": _request(call),
    }
    if message is not None:
        told["message"] = message
    match = call.match
    if match is not None:
        told["matched_route"] = _shown(match.route.entity)
    if match is not None and match.service is not None:
        told["matched_service"] = _shown(match.service.entity)
    return told


def _request(call: Call) -> dict[str, Any]:
    host, colon, port = call.host.rpartition(":")
    told: dict[str, Any] = {
        "method": call.method,
        "scheme": call.scheme,
        "host": (host if colon and port.isdigit() else call.host).lower(),
        "port": call.server_port,
        "path": call.path,
        "query": _text(decode(call.upstream_query or "")),
        "headers": _text(World(call)["headers"]),
        "raw_body": _text((call.body or b"").decode("latin-1")),
        "uri_captures": _captures(call),
    }
    body = body_fields(call)
    if body is not None:
        json = (call.get(b"content-type") or b"").lower().startswith(b"application/json")
        told["body"] = body if json else _text(body)
    return told


def _captures(call: Call) -> dict[str, Any]:
    """Groups of the route's regular expression; those behind the last one that took part are not there."""
    match = call.match
    groups = [] if match is None else list(match.groups[1:])
    while groups and groups[-1] is None:
        groups.pop()
    return {"named": _text({} if match is None else dict(match.captures)), "unnamed": _text(groups)}


def _text(value: Any) -> Any:
    """Bytes in their latin-1 view as the UTF-8 that they are meant as, in all of a structure."""
    if isinstance(value, str):
        return value.encode("latin-1").decode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return {_text(key): _text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value


def _shown(entity: Mapping[str, Any]) -> dict[str, Any]:
    """A stored entity as Kong's data path holds it: without what is null, with its workspace."""
    held = {name: value for name, value in entity.items() if value is not None}
    return {**held, "ws_id": WORKSPACE_ID}


WORKSPACE_ID = "5f2f6d1e-9a59-4f0a-8a0e-3f6a2d9f8b11"
"""Of the one workspace, "default": Kong makes one up per installation."""


def _check(config: Mapping[str, Any]) -> str | None:
    own = config["content_type"] or config["body"]
    if config["message"] and own:
        return "message cannot be used with content_type or body"
    if config["content_type"] and not config["body"]:
        return "content_type requires a body"
    if config["echo"] and own:
        return "echo cannot be used with content_type and body"
    return None


PLUGIN = PluginType(
    "request-termination",
    2,
    record(
        "config",
        integer("status_code", required=True, default=503, between=[100, 599]),
        string("message"),
        string("content_type"),
        string("body"),
        boolean("echo", required=True, default=False),
        string("trigger", check=check_header_name),
        check=_check,
        required=True,
    ),
    RequestTermination,
)
