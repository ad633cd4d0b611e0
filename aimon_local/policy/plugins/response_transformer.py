"""response-transformer: edits the fields and, where it is a JSON object, the body of each answer to the client.

As in Kong: the order is remove, rename, replace, add, append, and what is there is judged by the answer as it came,
so a field that ``remove`` names can still be renamed. Gateway-made answers are edited as well. Of JSON, only members
of the outermost object are edited; values are strings unless ``json_types`` says otherwise, entry by entry.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.model.lua import tonumber
from aimon_local.model.schema import Field, array, record, string
from aimon_local.policy import jsonbody
from aimon_local.policy.call import BodyFilter, Call, ResponseDraft
from aimon_local.policy.edits import (
    FRAMING,
    PAIR_PATTERN,
    appended,
    check_header,
    check_header_names,
    one_line,
    split,
)
from aimon_local.policy.rule import PluginType, Rule, Scope

Pairs = list[tuple[str, str | None]]
Values = list[tuple[str, Any]]


class ResponseTransformer(Rule):
    """One configured instance."""

    __slots__ = ("_fields", "_json", "_values")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._fields = {edit: split(config[edit]["headers"]) for edit in _EDITS}
        self._json = {edit: split(config[edit]["json"]) for edit in ("remove", "rename")}
        self._values = {edit: _typed(config[edit]) for edit in ("replace", "add", "append")}

    def response(self, _: Call, draft: ResponseDraft) -> None:
        """Edit the fields."""
        held: dict[bytes, list[bytes]] = {}
        for low, raw, _line in draft.fields:
            held.setdefault(low, []).append(raw)
        for name, _none in self._fields["remove"]:
            draft.remove(_low(name))
        for old, new in self._fields["rename"]:
            if _low(old) in held and new is not None and _free(new):
                _rename(draft, old, new, held[_low(old)])
        for edit, wanted in (("replace", True), ("add", False)):
            for name, value in self._fields[edit]:
                if (_low(name) in held) is wanted and value is not None and _free(name):
                    draft.set(name, one_line(value))
        for name, value in self._fields["append"]:
            if value is not None and _free(name):
                draft.add(name, one_line(value))

    def body(self, _: Call, draft: ResponseDraft) -> BodyFilter | None:
        """Ask for the body where there is something to edit in it."""
        if not any(self._json.values()) and not any(self._values.values()):
            return None
        content_type = draft.get(b"content-type")
        return self._transform if content_type is not None and is_json(content_type) else None

    def _transform(self, body: bytes) -> bytes:
        """The edited JSON object; anything else as it came."""
        try:
            members = jsonbody.parse(body)
            if isinstance(members, (dict, list)):
                self._edit(members if isinstance(members, dict) else {})
                return jsonbody.render(members)
        except ValueError:
            pass  # not JSON, whatever it says
        return body

    def _edit(self, members: dict[str, Any]) -> None:
        for name, _ in self._json["remove"]:
            members.pop(name, None)
        for old, new in self._json["rename"]:
            if old in members and new is not None:
                members[new] = members[old]
                del members[old]
        for name, value in self._values["replace"]:
            if members.get(name, False) is not False:  # null is there, to Kong
                members[name] = value
        for name, value in self._values["add"]:
            if members.get(name, False) is False:
                members[name] = value
        for name, value in self._values["append"]:
            members[name] = appended(members.get(name), value)


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type (or one of several in a list) is application/json."""
    kinds = (kind.partition(b";")[0].strip().lower() for kind in content_type.split(b","))
    return b"application/json" in kinds


def _low(name: str) -> bytes:
    return name.lower().encode()


def _free(name: str) -> bool:
    return _low(name) not in FRAMING


def _rename(draft: ResponseDraft, old: str, new: str, values: list[bytes]) -> None:
    draft.remove(_low(new))
    for value in values:
        draft.add(new, value)
    draft.remove(_low(old))


# ---- values of json, by json_types


def _typed(config: Mapping[str, Any]) -> Values:
    """Names and ready values; an entry whose value is not of its type is left out, as in Kong."""
    types = list(config.get("json_types") or ())
    pairs = split(config["json"])
    ready = [
        (name, _cast(value, types[place] if place < len(types) else None)) for place, (name, value) in enumerate(pairs)
    ]
    return [(name, value) for name, value in ready if value is not None]


def _cast(value: str | None, kind: str | None) -> Any:
    """A value as Kong makes it: encoded as JSON and unwrapped, so that backslashes and breaks stay escaped."""
    written = "null" if value is None else jsonbody.render(value).decode("utf-8", "surrogateescape")
    if written.startswith('"'):
        written = written[1:-1].replace('\\"', '"')
    return _CASTS[kind](written.replace("\\/", "/"))


_CASTS: Mapping[str | None, Callable[[str], Any]] = {
    "number": tonumber,
    "boolean": lambda value: value == "true",
    "string": str,
    None: str,
}
_EDITS = ("remove", "rename", "replace", "add", "append")


# ---- schema


def _list(name: str, element: Field) -> Field:
    return array(name, element, default=[], required=True)


def _headers(check: Callable[[str], str | None]) -> Field:
    return _list("headers", string(match=PAIR_PATTERN, check=check))


def _edit_record(name: str) -> Field:
    return record(
        name,
        _list("json", string(match=PAIR_PATTERN)),
        _list("json_types", string(one_of=["boolean", "number", "string"])),
        _headers(check_header),
        required=True,
    )


PLUGIN = PluginType(
    "response-transformer",
    800,
    record(
        "config",
        record("remove", _list("json", string()), _list("headers", string()), required=True),
        record("rename", _list("json", string(match=PAIR_PATTERN)), _headers(check_header_names), required=True),
        _edit_record("replace"),
        _edit_record("add"),
        _edit_record("append"),
        required=True,
    ),
    ResponseTransformer,
)
