import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.coerce import coerce, decode_args
from aimon_local.model.entities import SCHEMAS
from tests.support.plugin_tables import PLUGIN_SCHEMAS


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a.b=1", {"a": {"b": "1"}}),
        ("a.b=1&a.c=2", {"a": {"b": "1", "c": "2"}}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[]=x", {"a": ["x"]}),
        ("a[1]=x&a[2]=y", {"a": ["x", "y"]}),
        ("a[2]=y&a[1]=x", {"a": ["x", "y"]}),
        ("a=x&a=y", {"a": ["x", "y"]}),
        ("a[]=x&a=y", {"a": ["x", "y"]}),
        ("h[key]=v", {"h": {"key": "v"}}),
        ("h.x-a[]=1&h.x-a[]=2", {"h": {"x-a": ["1", "2"]}}),
        ("a[0]=x", {"a": {0: "x"}}),
        ("a[3]=x", {"a": {3: "x"}}),
        ("a=1&a.b=2", {"a": {1: "1", "b": "2"}}),
        ("a[1].ip=1&a[1].port=2&a[2].ip=3", {"a": [{"ip": "1", "port": "2"}, {"ip": "3"}]}),
        ("a[][]=x", {"a": [["x"]]}),
        ("c.add.headers=x&c.add.headers=y", {"c": {"add": {"headers": ["x", "y"]}}}),
        (".a=1&b.=2", {".a": "1", "b.": "2"}),
        ("a[]=", {"a": [""]}),
        ("a..b=1", {"a": {"b": "1"}}),
        ("flag", {"flag": True}),
        ("", {}),
    ],
)
def test_names_spell_nesting(text, nested):
    pairs = [(name, value if mark else True) for name, mark, value in (p.partition("=") for p in text.split("&"))]
    assert decode_args(pairs) == nested


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("port", "8080", 8080),
        ("port", "abc", "abc"),
        ("port", "", None),
        ("port", True, True),
        ("enabled", "true", True),
        ("enabled", "false", False),
        ("enabled", "TRUE", "TRUE"),
        ("enabled", "1", "1"),
        ("tags", "a", ["a"]),
        ("tags", ["a", ""], ["a", None]),
        ("tags", "", None),
        ("tags", {3: "a"}, {3: "a"}),
        ("name", "", None),
        ("url", "", None),
        ("url", "http://h", "http://h"),
        ("nope", "5", "5"),
        ("nope", "", ""),
    ],
)
def test_text_takes_the_type_of_its_field(field, text, value):
    assert coerce(SCHEMAS["services"], {field: text}) == {field: value}


def test_maps_records_and_references():
    routes = SCHEMAS["routes"]
    assert coerce(routes, {"headers": {"x-a": "1"}, "service": {"id": ""}}, SCHEMAS) == {
        "headers": {"x-a": ["1"]},
        "service": {"id": None},
    }
    assert coerce(routes, {"service": ""}, SCHEMAS) == {"service": None}
    config = {"minute": "5", "redis": {"port": "1"}, "redis_port": "2", "hide_client_headers": "true", "nope": "1"}
    assert coerce(PLUGIN_SCHEMAS["rate-limiting"], {"config": config})["config"] == {
        "minute": 5,
        "redis": {"port": 1},
        "redis_port": 2,
        "hide_client_headers": True,
        "nope": "1",
    }


def test_a_record_that_is_text_stays_text():
    assert coerce(PLUGIN_SCHEMAS["rate-limiting"], {"config": "5"}) == {"config": "5"}


names = st.text(alphabet="ab.[]1", min_size=1, max_size=8)


@given(st.lists(st.tuples(names, st.text(max_size=3) | st.just(True)), max_size=6))
def test_no_name_breaks_the_decoder(pairs):
    coerce(SCHEMAS["routes"], decode_args(pairs), SCHEMAS)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=6))
def test_three_spellings_of_a_list_agree(items):
    repeated = decode_args([("a", item) for item in items]) if len(items) > 1 else {"a": items}
    numbered = decode_args([(f"a[{number}]", item) for number, item in enumerate(items, 1)])
    assert decode_args([("a[]", item) for item in items]) == repeated == numbered == {"a": items}
