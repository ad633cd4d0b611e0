import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model import lua


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), (5, "5"), (5.0, "5"), (0.5, "0.5"), ("x", "x"), (1e20, "1e+20")],
)
def test_text_is_luas_tostring(value, text):
    assert lua.text(value) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), (" 5 ", 5), ("5.0", 5), ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("0x10", 16), ("1e3", 1000), ("-1", -1)],
)
def test_tonumber_reads(text, number):
    assert lua.tonumber(text) == number
    assert type(lua.tonumber(text)) is type(number)


@pytest.mark.parametrize("text", ["", "abc", "5a", "nan", "inf", "1_000", "\u0665", "0x", "true"])
def test_tonumber_refuses(text):
    assert lua.tonumber(text) is None


def test_compact_sorts_keys_and_leaves_null_bare():
    key = {"service": {"id": "x"}, "name": "key-auth", "consumer": None, "n": 1}
    assert lua.compact(key) == '{consumer=null,n=1,name="key-auth",service={id="x"}}'


def test_compact_quotes_what_is_no_identifier():
    assert lua.compact({"x-a": "1", "end": "2"}) == '{["end"]="2",["x-a"]="1"}'


def test_compact_numbers_elements_after_a_gap():
    assert lua.compact([None, "b"]) == '{[2]="b"}'
    assert lua.compact(["a", "b"]) == '{"a","b"}'


def test_pretty_nests_by_two_blanks():
    assert lua.pretty({"headers": ["bad"], "a": "x"}) == '{\n  a = "x",\n  headers = {\n    "bad"\n  }\n}'
    assert lua.pretty({}) == "{\n}"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("plain", '"plain"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines", "[[two\nlines]]"),
        ("\nfirst", "[[\n\nfirst]]"),
        ("ends]", "[=[ends]]=]"),
        ("a\r\n", '"a\\r\\\n"'),
    ],
)
def test_quote(value, literal):
    assert lua.quote(value) == literal


@pytest.mark.parametrize(
    ("pattern", "hits", "misses"),
    [
        ("^%u+$", ["GET"], ["get", "", "GET1"]),
        ("^[^*]*%*?[^*]*$", ["a.b", "*.b", "a.*"], ["*.*"]),
        ("^%*%.", ["*.b"], ["a.*"]),
        ("%.%*$", ["a.*"], ["*.a"]),
        ("//", ["a//b"], ["a/b"]),
        ("^[Hh][Oo][Ss][Tt]$", ["host", "HOST"], ["hosts"]),
        ("^[^:]+:.*$", ["a:", "a:b:c", "a:b\nc"], [":b", "ab"]),
        ("^[%w-]+$", ["a-1"], ["a_1", "ä"]),
        ("^a-b$", ["b", "aab"], ["ac"]),
        ("^(%d+)%s", ["12 x"], ["x 12"]),
        ("a$b^", ["a$b^"], ["ab"]),
        ("^[]a]+$", ["]a"], ["b"]),
    ],
)
def test_find(pattern, hits, misses):
    assert all(lua.find(pattern, value) for value in hits)
    assert not any(lua.find(pattern, value) for value in misses)


@given(st.text())
def test_escaped_text_finds_itself(text):
    pattern = re.sub(r"([^A-Za-z0-9])", r"%\1", text)
    assert lua.find(f"^{pattern}$", text)
