"""Queries as Kong reads them, and answers as JSON."""

import json

import pytest

from aimon_local.gateway.admin.ask import Query, json_reply, message, refused
from aimon_local.model.violation import plain


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        (None, "a", None),
        ("", "a", None),
        ("a=1", "a", "1"),
        ("a=1&a=2", "a", "1"),
        ("b&a", "a", ""),
        ("a=x%20y+z", "a", "x y z"),
        ("%61=%C3%BC", "a", "\u00fc"),
        ("a==b", "a", "=b"),
        ("a=%FF", "a", "\ufffd"),
        ("&&a=1", "a", "1"),
    ],
)
def test_arguments(raw, name, value):
    assert Query.of(raw).first(name) == value


@pytest.mark.parametrize(("raw", "on"), [("f=1", True), ("f", True), ("f=true", True), ("f=0", False), ("f=false", False), ("", False)])  # fmt: skip
def test_switches(raw, on):
    assert Query.of(raw).flag("f") == on


def test_json_is_compact_utf8():
    reply = json_reply(200, {"a": [1, None], "b": "\u00fc/\ud800"})
    assert reply.body == b'{"a":[1,null],"b":"\xc3\xbc/\\ud800"}'
    assert json.loads(reply.body)["b"] == "\u00fc/\ud800"
    assert message(404, "Not found").body == b'{"message":"Not found"}'
    assert refused(plain(409, "x")).status == 409
