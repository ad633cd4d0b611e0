"""Bodies to data: tables of Kong's rules, and laws over anything that may come."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.gateway.admin.body import (
    EMPTY,
    MOST_ARGUMENTS,
    MOST_LEVELS,
    NO_JSON,
    TOO_MANY,
    UNSUPPORTED,
    Body,
    decode,
    parse_json,
    too_deep,
)
from aimon_local.model.violation import Violation

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PART = "multipart/form-data; boundary=xx"

texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def multipart(*parts):
    lines = [f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts]
    return ("".join(lines) + "--xx--\r\n").encode()


@pytest.mark.parametrize(
    ("raw", "kind", "expected"),
    [
        (b"", None, EMPTY),
        (b"x", None, UNSUPPORTED),
        (b"{}", "text/plain", UNSUPPORTED),
        (b"", "text/plain", UNSUPPORTED),
        (b'{"a":1}', "APPLICATION/JSON; charset=utf-8", Body({"a": 1})),
        (b"", JSON, NO_JSON),
        (b"{", JSON, NO_JSON),
        (b"\xef\xbb\xbf{}", JSON, NO_JSON),
        (b'{"a":"\xff"}', JSON, NO_JSON),
        (b'{"a":NaN}', JSON, NO_JSON),
        (b'{"a":-Infinity}', JSON, NO_JSON),
        (b'{"a":1e999}', JSON, NO_JSON),
        (b'{"a":"\\ud800"}', JSON, NO_JSON),
        (b'{"a":"\\ud83d\\ude00"}', JSON, Body({"a": "\U0001f600"})),
        (b"false", JSON, NO_JSON),
        (b"[" * 100_000, JSON, NO_JSON),
        (b'["x"]', JSON, Body({1: "x"})),
        (b"5", JSON, EMPTY),
        (b"null", JSON, EMPTY),
        (b"", FORM, Body({}, form=True)),
        (b"&&&", FORM, Body({}, form=True)),
        (b"a.b=1&a.c=+x%20y", FORM, Body({"a": {"b": "1", "c": " x y"}}, form=True)),
        (b"t[]=a&t[]=b&%74=c", FORM, Body({"t": ["a", "b", "c"]}, form=True)),
        (b"name=%C3%BC&flag", FORM, Body({"name": "\u00fc", "flag": True}, form=True)),
        (multipart(("a.b", "1"), ("t[]", "x"), ("t[]", "y")), PART, Body({"a": {"b": "1"}, "t": ["x", "y"]}, form=True)),
        (multipart(("a", "1")), "multipart/form-data", Body({}, form=True)),
    ],
)  # fmt: skip
def test_kinds_of_bodies(raw, kind, expected):
    assert decode(raw, kind, str(len(raw))) == expected


def test_a_form_that_is_no_text_is_refused():
    assert decode(b"a=%FF", FORM, "5").status == 400
    assert decode(multipart(("a", "x")).replace(b"\r\n\r\nx", b"\r\n\r\n\xff"), PART, None).status == 400


@pytest.mark.parametrize("count", [MOST_ARGUMENTS, MOST_ARGUMENTS + 1])
def test_arguments_are_bounded(count):
    form = decode(b"&".join([b"a=1"] * count), FORM, None)
    parts = decode(multipart(*[("a", "1")] * count), PART, None)
    assert (form == TOO_MANY) == (parts == TOO_MANY) == (count > MOST_ARGUMENTS)


def test_names_are_bounded_in_depth():
    assert decode(b"a" + b".a" * MOST_LEVELS + b"=1", FORM, None).form
    assert decode(b"a" + b".a" * (MOST_LEVELS + 1) + b"=1", FORM, None) == TOO_MANY
    assert decode(b"a" + b"[1]" * 5000 + b"=1", FORM, None) == TOO_MANY


def test_documents_are_bounded_in_depth():
    assert not too_deep(json.loads("[" * (MOST_LEVELS - 1) + "]" * (MOST_LEVELS - 1)))
    assert parse_json(b'{"a":' * 70 + b"1" + b"}" * 70) == NO_JSON


@given(st.dictionaries(texts, values, max_size=4))
def test_json_comes_as_it_is(data):
    assert decode(json.dumps(data).encode(), JSON, None) == Body(data)
    assert decode(json.dumps(data, ensure_ascii=False).encode(), JSON, None) == Body(data)


@given(st.lists(st.tuples(st.sampled_from("abcd"), texts), max_size=6))
def test_forms_and_parts_mean_the_same(pairs):
    parts = [(name, value) for name, value in pairs if not {"\r", "\n"} & set(value)]
    form = decode(urlencode(parts).encode(), FORM, None)
    assert decode(multipart(*parts), PART, None) == form
    for name in {name for name, _ in parts}:
        given_values = [value for found, value in parts if found == name]
        assert form.data[name] == (given_values[0] if len(given_values) == 1 else given_values)


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5), texts)
def test_dots_nest(path, value):
    data = decode(f"{'.'.join(path)}={quote(value)}".encode(), FORM, None).data
    for name in path:
        data = data[name]
    assert data == value


@given(st.binary(max_size=60), st.sampled_from([JSON, FORM, PART, None, "text/plain"]))
def test_anything_is_decoded_or_refused(raw, kind):
    assert isinstance(decode(raw, kind, None), Body | Violation | str)
