"""request-transformer: edits path, method, fields, body and query of a request on its way upstream.

As in Kong: in that order, and within fields, body and query remove, rename, replace, add, append. Values are templates
(``policy.templates``). Bodies are edited where they are a form, multipart or a JSON object, and only if something is to
be edited, so that anything else streams. Fields that frame a message are the gateway's own and can't be set.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.schema import Field, array, record, string
from aimon_local.policy.call import NEED_BODY, Call, Outcome, Refuse
from aimon_local.policy.edits import (
    FRAMING,
    PAIR_PATTERN,
    check_header,
    check_header_names,
    edit_parts,
    edit_values,
    entries,
    one_line,
    rendered,
    split,
)
from aimon_local.policy.expressions import TemplateError
from aimon_local.policy.forms import decode, encode, encode_sorted
from aimon_local.policy.jsonbody import parse, render
from aimon_local.policy.multipart import Multipart
from aimon_local.policy.rule import PluginType, Rule, Scope
from aimon_local.policy.templates import check_template, compile_template
from aimon_local.policy.world import World

_EDITS = ("remove", "rename", "replace", "add", "append")
_KINDS = ("headers", "body", "querystring")
_FORM, _MULTIPART, _JSON = b"application/x-www-form-urlencoded", b"multipart/form-data", b"application/json"
_BODILESS = ("GET", "HEAD", "TRACE")  # of a form that becomes one of these, the fields go into the query as well
_FAILED = Refuse(500, "An unexpected error occurred", "template_failed")

# What an edit's template may become in a path unescaped (RFC 3986: reserved, unreserved and "%"), "#" excepted.
_PATH_SAFE = frozenset(b"!$&'()*+,/:;=?@[]-._~%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class RequestTransformer(Rule):
    """One configured instance."""

    __slots__ = ("_edits", "_gives_type", "_method", "_uri", "_wants_body")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._edits = {kind: {edit: entries(config[edit][kind]) for edit in _EDITS} for kind in _KINDS}
        uri = config["replace"].get("uri")
        self._uri = compile_template(uri) if uri else None
        self._method = config.get("http_method")
        self._wants_body = any(self._edits["body"].values()) or self._method in _BODILESS
        self._gives_type = "content-type" in _given_names(config)

    def access(self, call: Call) -> Outcome:
        """Edit the drafts of the upstream request, once the body is there if it matters."""
        if self._wants_body and call.body is None and self._body_matters(call):
            return NEED_BODY
        world = World(call)
        try:
            if self._uri is not None and not self._replace_path(call, world):
                return _FAILED
            self._change_method(call)
            if any(self._edits["headers"].values()):
                self._edit_fields(call, world)
            if call.body is not None and any(self._edits["body"].values()):
                self._edit_body(call, world)
            if any(self._edits["querystring"].values()):
                query = dict(world["query_params"])
                edit_values(query, self._edits["querystring"], world)
                _set_query(call, query)
        except TemplateError:
            return _FAILED
        return None

    def _body_matters(self, call: Call) -> bool:
        """Whether the body may be of a kind that is edited: by its own Content-Type, or by one that an edit gives."""
        return self._gives_type or _kind(call.get(b"content-type")) is not None

    # ---- path and method

    def _replace_path(self, call: Call, world: World) -> bool:
        assert self._uri is not None
        path = self._uri.render(world)
        if not path.startswith("/"):
            return False
        call.upstream_path = "".join(c if ord(c) in _PATH_SAFE else f"%{ord(c):02X}" for c in path)
        return True

    def _change_method(self, call: Call) -> None:
        if self._method is None:
            return
        call.upstream_method = self._method
        if self._method in _BODILESS and call.body and _kind(call.get(b"content-type")) == _FORM:
            query = decode(call.upstream_query or "")
            for name, value in decode(call.body.decode("latin-1")).items():
                query[name] = _merged(query[name], value) if name in query else value
            _set_query(call, query)

    # ---- fields

    def _edit_fields(self, call: Call, world: World) -> None:
        edits = self._edits["headers"]
        for name, _ in edits["remove"]:
            call.remove(_low(name))
        for name, new in rendered(edits["rename"], world):
            values = call.get_all(_low(name))
            if values and new is not None and _low(new) not in FRAMING:
                _rename_field(call, name, new, values)
        for name, value in rendered(edits["replace"], world):
            if value is not None and (_low(name) == b"host" or call.get(_low(name)) is not None):
                _set_field(call, name, value)
        for name, value in rendered(edits["add"], world):
            if value is not None and _low(name) != b"host" and call.get(_low(name)) is None:
                _set_field(call, name, value)
        for name, value in rendered(edits["append"], world):
            if value is not None:
                _append_field(call, name, value)

    # ---- body

    def _edit_body(self, call: Call, world: World) -> None:
        content_type = call.get(b"content-type")
        kind = _kind(content_type)
        if kind == _FORM:
            self._edit_form(call, world)
        elif kind == _JSON:
            self._edit_json(call, world)
        elif kind == _MULTIPART:
            self._edit_multipart(call, content_type or b"", world)

    def _edit_form(self, call: Call, world: World) -> None:
        values: dict[str, Any] = dict(decode((call.body or b"").decode("latin-1")))
        if edit_values(values, self._edits["body"], world, empty=not call.body):
            call.body = encode(values).encode("latin-1")

    def _edit_json(self, call: Call, world: World) -> None:
        """Edit the members of an object; what is no JSON, or no object, goes on as it is."""
        try:
            members = parse(call.body) if call.body else {}
            if isinstance(members, dict) and edit_values(
                members, self._edits["body"], world, empty=not call.body, utf8=True
            ):
                call.body = render(members)
        except TemplateError:
            raise
        except ValueError:
            return

    def _edit_multipart(self, call: Call, content_type: bytes, world: World) -> None:
        """Kong renames before it removes here, moves what it replaces to the end, and does not append."""
        try:
            form = Multipart(call.body or b"", content_type)
        except ValueError:
            return
        edits, changed = self._edits["body"], False
        if call.body:
            changed = edit_parts(form, edits, world)
        for name, value in rendered(edits["add"], world):
            if value is not None and form.get(name.encode("latin-1")) is None:
                form.set(name.encode("latin-1"), value.encode("latin-1"))
                changed = True
        if changed:
            call.body = form.render()


def _given_names(config: Mapping[str, Any]) -> set[str]:
    """The names of fields, lower-case, that edits may add or change."""
    kept = (name for edit in ("replace", "add", "append") for name, _ in split(config[edit]["headers"]))
    renamed = (new or "" for _, new in split(config["rename"]["headers"]))
    return {name.lower() for name in (*kept, *renamed)}


def _merged(held: Any, new: Any) -> Any:
    return [*(held if isinstance(held, list) else [held]), *(new if isinstance(new, list) else [new])]


def _set_query(call: Call, values: Mapping[str, Any]) -> None:
    """The query of the upstream request; empty, there is none, unless the client sent a bare "?"."""
    call.upstream_query = encode_sorted(values) or ("" if call.query == "" else None)


def _low(name: str) -> bytes:
    return name.lower().encode("latin-1")


def _kind(content_type: bytes | None) -> bytes | None:
    """Which kind of body that can be edited a Content-Type names, anywhere in it."""
    low = (content_type or b"").lower()
    return next((kind for kind in (_JSON, _MULTIPART, _FORM) if kind in low), None)


def _set_field(call: Call, name: str, value: str) -> None:
    raw = one_line(value).encode("latin-1")
    if _low(name) == b"host":
        call.upstream_host = raw
    elif _low(name) not in FRAMING:
        call.set(name, raw)


def _append_field(call: Call, name: str, value: str) -> None:
    if _low(name) == b"host" or call.get(_low(name)) is None:
        _set_field(call, name, value)
    elif _low(name) not in FRAMING:
        call.add(name, one_line(value).encode("latin-1"))


def _rename_field(call: Call, old: str, new: str, values: list[bytes]) -> None:
    if _low(new) == b"host":
        call.upstream_host = values[-1]
    else:
        call.remove(_low(new))
        for value in values:
            call.add(new, value)
    call.remove(_low(old))


# ---- schema


def _check_value(pair: str) -> str | None:
    """The template of a ``name:value``."""
    pairs = split([pair])
    return check_template(pairs[0][1] or "") if pairs else None


def _check_header_value(pair: str) -> str | None:
    return check_header(pair) or _check_value(pair)


def _list(name: str, element: Field) -> Field:
    return array(name, element, default=[], required=True)


def _edit_record(name: str, *more: Field) -> Field:
    return record(
        name,
        _list("body", string(check=_check_value)),
        _list("headers", string(match=PAIR_PATTERN, check=_check_header_value)),
        _list("querystring", string(check=_check_value)),
        *more,
        required=True,
    )


PLUGIN = PluginType(
    "request-transformer",
    801,
    record(
        "config",
        string("http_method", match="^%u+$"),
        record("remove", *(_list(kind, string()) for kind in ("body", "headers", "querystring")), required=True),
        record(
            "rename",
            _list("body", string(check=_check_value)),
            _list("headers", string(match=PAIR_PATTERN, check=check_header_names)),
            _list("querystring", string(check=_check_value)),
            required=True,
        ),
        _edit_record("replace", string("uri", check=check_template)),
        _edit_record("add"),
        _edit_record("append"),
        required=True,
    ),
    RequestTransformer,
    protocols_one_of=("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp"),
)
