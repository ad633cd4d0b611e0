"""Places of secrets: spellings, cookies, query arguments and body fields, and what is left when one goes."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import places
from tests.support.calls import make_call


@pytest.mark.parametrize(
    ("name", "fields"),
    [("apikey", (b"apikey",)), ("X-Api-Key", (b"x-api-key",)), ("Api_Key", (b"api_key", b"api-key"))],
)
def test_spellings(name, fields):
    assert places.spellings(name) == fields


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["a=1"], b"1"),
        (["A = 1 ;b=2"], b"1 "),
        (["b=2; a=1"], b"1"),
        (["b=2,a=1,2"], b"1,2"),
        (["a=", "a=1"], b""),
        (["b=1", "a=2"], b"2"),
        (["ba=1; aa=2; b=a=3"], None),
        ([], None),
    ],
)
def test_cookies(lines, value):
    call = make_call(fields=[("Cookie", line) for line in lines])
    assert places.cookie(call, places.cookie_pattern("a")) == value


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ü", "~", "a b"]), st.text(max_size=4)), min_size=1))
def test_an_argument_goes_the_others_stay_in_order(pairs):
    call = make_call()
    call.upstream_query = "&".join(f"{_written(name)}={_written(value)}" for name, value in pairs)
    places.without_argument(call, b"a")
    left = parse_qsl(call.upstream_query or "", keep_blank_values=True)
    assert left == [pair for pair in pairs if pair[0] != "a"]
    again = call.upstream_query
    places.without_argument(call, b"a")
    assert call.upstream_query == again


def _written(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    ("received", "now", "left"),
    [
        (None, None, None),
        ("a=1", "a=1", None),
        ("a=1?", "a=1?", ""),
        ("", "a=1", ""),
        ("", "", ""),
        ("x", "b=1&a", "b=1"),
    ],
)
def test_an_empty_query_stays_only_where_the_client_sent_one(received, now, left):
    call = make_call()
    call.query, call.upstream_query = received, now
    places.without_argument(call, b"a")
    assert call.upstream_query == left


def test_bodies():
    assert not places.has_body(make_call())
    assert not places.has_body(make_call(content_length=0))
    assert places.has_body(make_call(content_length=1))
    assert places.has_body(make_call(chunked=True))


def fields_of(content_type, body):
    return places.body_fields(make_call("POST", fields=[("Content-Type", content_type)], body=body))


@pytest.mark.parametrize(
    ("content_type", "body", "fields"),
    [
        ("Application/X-WWW-Form-Urlencoded", b"a=1&b&a=2", {"a": ["1", "2"], "b": True}),
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/json;x", b"[1]", [1]),
        ("application/json", b"", None),
        ("application/json", b"null", None),
        ("multipart/form-data", b"--b\r\n", None),
        ("text/json", b"{}", None),
        ("", b"a=1", None),
    ],
)
def test_body_fields(content_type, body, fields):
    assert fields_of(content_type, body) == fields


def test_the_last_part_of_a_name_counts():
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n%b\r\n'
    assert fields_of("multipart/form-data; boundary=b", part % b"1" + part % b"2" + b"--b--") == {"a": "2"}


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"b":1}', b""])
def test_nothing_to_take_out_of_a_body(body):
    call = make_call("POST", fields=[("Content-Type", "application/json")], body=body)
    places.without_field(call, "a")
    assert call.body == body
