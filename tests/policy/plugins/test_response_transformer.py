"""response-transformer: fields and JSON bodies. Expected values as a real Kong sent them, where it was recorded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.plugins.response_transformer import PLUGIN, is_json
from tests.support.calls import compile_rule, make_call, make_draft, pairs

UP = [("X-Up", "1"), ("X-Up", "2"), ("Set-Cookie", "JSESSID=1"), ("Set-Cookie", "k=2")]
COOKIES = UP[2:]


def fields(config, upstream, **draft):
    draft = make_draft(fields=upstream, **draft)
    compile_rule(PLUGIN, {edit: {"headers": entries} for edit, entries in config.items()}).response(make_call(), draft)
    return sorted(pairs(draft.fields))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"add": ["X-St-A:1", "X-Up:2"]}, [*UP, ("X-St-A", "1")]),
        ({"append": ["X-St-A:1", "X-Up:3"]}, [*UP, ("X-St-A", "1"), ("X-Up", "3")]),
        ({"replace": ["X-St-A:1", "x-up:3"]}, [*COOKIES, ("x-up", "3")]),
        ({"remove": ["x-up", "Content-Type"]}, COOKIES),
        ({"remove": ["Set-Cookie:/JSESS.*/"]}, UP[:2]),
        ({"rename": ["X-Up:X-St-R", "X-No:X-Y"]}, [*COOKIES, ("X-St-R", "1"), ("X-St-R", "2")]),
        ({"rename": ["X-Up:Set-Cookie"]}, [("Set-Cookie", "1"), ("Set-Cookie", "2")]),
        ({"rename": ["X-Up:x-up"]}, COOKIES),
        ({"add": ["X-A:"], "replace": ["X-Up:"], "append": ["X-B:"]}, UP),
        ({"add": ["X-A:b:c", "X-B::d"]}, [*UP, ("X-A", "b:c"), ("X-B", "d")]),
        ({"add": ["Content-Length:3", "Connection:close"], "rename": ["X-Up:transfer-encoding"]}, UP),
        ({"add": ["X-A:a\r\nX-B: b"]}, [*UP, ("X-A", "a%0D%0AX-B: b")]),
        (
            {
                "remove": ["X-Up"],
                "rename": ["X-Up:X-St-R"],
                "replace": ["X-Up:3"],
                "add": ["X-Up:4"],
                "append": ["X-Up:5"],
            },
            [*COOKIES, ("X-St-R", "1"), ("X-St-R", "2"), ("X-Up", "3"), ("X-Up", "5")],
        ),
    ],
)
def test_fields(config, expected):
    assert fields(config, UP) == sorted(expected)


def test_answers_of_the_gateway_are_edited_too():
    assert fields({"add": ["X-A:1"]}, [], status=429, from_upstream=False) == [("X-A", "1")]


def body(config, raw, content_type="application/json"):
    draft = make_draft(fields=[("Content-Type", content_type)] if content_type else [])
    edit = compile_rule(PLUGIN, config).body(make_call(), draft)
    return None if edit is None else edit(raw)


def members(config, value):
    return json.loads(body(config, json.dumps(value).encode()))


AB = {"a": 1, "b": "x"}


@pytest.mark.parametrize(
    ("config", "value", "expected"),
    [
        ({"add": {"json": ["n:1", "a:2", 'o:{"x":1}']}}, AB, {"a": 1, "b": "x", "n": "1", "o": '{"x":1}'}),
        ({"add": {"json": ["n:1", "b:true"], "json_types": ["number", "boolean"]}}, AB, {**AB, "n": 1}),
        (
            {"add": {"json": ["n:1", "t:true", "f:no"], "json_types": ["number", "boolean", "boolean"]}},
            {},
            {"n": 1, "t": True, "f": False},
        ),
        ({"add": {"json": ["n:x", "m:1.50"], "json_types": ["number", "number"]}}, {}, {"m": 1.5}),
        ({"add": {"json": ["a:1", "b:2"], "json_types": ["number"]}}, {}, {"a": 1, "b": "2"}),
        ({"add": {"json": ["f:1", "n:1"]}}, {"f": False, "n": None}, {"f": "1", "n": None}),
        ({"add": {"json": ["u:http://x/y", 'q:"z"']}}, {}, {"u": "http://x/y", "q": '"z"'}),
        ({"add": {"json": ["s:a\\b"]}}, {}, {"s": "a\\\\b"}),
        ({"add": {"json": ["e:"]}}, {}, {"e": "null"}),
        ({"remove": {"json": ["a", "none"]}}, AB, {"b": "x"}),
        ({"rename": {"json": ["a:z", "none:y"]}}, AB, {"b": "x", "z": 1}),
        ({"replace": {"json": ["a:9", "n:1"], "json_types": ["number"]}}, AB, {"a": 9, "b": "x"}),
        ({"replace": {"json": ["f:9", "n:1"]}}, {"f": False, "n": None}, {"f": False, "n": "1"}),
        (
            {"append": {"json": ["a:2", "b:y", "c:z", "l:3"]}},
            {**AB, "l": [1]},
            {"a": ["2"], "b": ["x", "y"], "c": ["z"], "l": [1, "3"]},
        ),
        ({"append": {"json": ["n:2"], "json_types": ["number"]}}, {"n": "1"}, {"n": ["1", 2]}),
        (
            {
                e: {"json": [j]}
                for e, j in {"remove": "a", "rename": "b:a", "replace": "a:r", "add": "b:n", "append": "b:m"}.items()
            },
            AB,
            {"a": "r", "b": ["n", "m"]},
        ),
        ({"add": {"json": ["n:1"]}}, {"x": {"n": 2}}, {"x": {"n": 2}, "n": "1"}),
    ],
)
def test_members_of_json_bodies(config, value, expected):
    assert members(config, value) == expected


ADD = {"add": {"json": ["n:1"]}}


@pytest.mark.parametrize("raw", [b"[1,2]", b"{bad", b"", b"5", b'"x"', b"null", b"NaN", b'{"a":1', b"\xff"])
def test_what_is_no_object_stays_what_it_is(raw):
    assert body(ADD, raw) == raw


def test_only_json_is_buffered():
    assert body(ADD, b"text", "text/plain") is None
    assert body(ADD, b"text", None) is None
    assert body({"add": {"headers": ["x:1"]}}, b"{}") is None


@pytest.mark.parametrize(
    ("content_type", "answer"),
    [
        (b"application/json", True),
        (b"Application/JSON; charset=utf-8", True),
        (b"text/plain, application/json", True),
        (b"application/problem+json", False),
        (b"application/jsonp", False),
        (b"", False),
    ],
)
def test_is_json(content_type, answer):
    assert is_json(content_type) is answer


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), JSON, max_size=4))
def test_members_that_no_edit_names_keep_their_value(value):
    assert members({"remove": {"json": ["a name that none has"]}}, value) == value


def test_schema_checks_names_of_fields():
    records = {field.name: {f.name: f for f in field.fields} for field in PLUGIN.config.fields}
    assert records["add"]["headers"].elements.check("x y:1") == "'x y' is not a valid header"
    assert records["add"]["headers"].elements.check("x:a b") is None
    assert records["rename"]["headers"].elements.check("x:") == "'' is not a valid header"
    assert records["remove"]["headers"].elements.check is None
