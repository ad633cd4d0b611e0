"""Lines of the audit log: what is told of a write, and what never is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.audit import MASK, Actor, Stamp, entries, masked
from aimon_local.model.rows import Change

STAMP = Stamp(Actor("admin", "127.0.0.1"), 5, 7)
SECRET = "s3cr3t-value"


def lines(*changes, **stored):
    rows = {(kind, row["id"]): row for kind, some in stored.items() for row in some}
    return entries([Change(*change) for change in changes], lambda kind, id_: rows.get((kind, id_)), STAMP)


def test_a_new_entity_is_told_whole():
    (line,) = lines(("put", "routes", {"id": "1", "name": "r", "paths": ["/a"]}))
    assert line[:9] == (5, 7, "admin", "127.0.0.1", "config", "create", "routes", "1", "r")
    assert line.facts()["before"] is None
    assert line.facts()["after"] == {"id": "1", "name": "r", "paths": ["/a"]}


def test_of_a_change_only_what_differs_is_told():
    old = {"id": "1", "name": "r", "paths": ["/a"], "updated_at": 1}
    (line,) = lines(("put", "routes", {**old, "paths": ["/b"], "updated_at": 2}), routes=[old])
    assert (line.action, line.facts()["before"], line.facts()["after"]) == (
        "change",
        {"paths": ["/a"]},
        {"paths": ["/b"]},
    )


def test_what_changes_nothing_is_not_told():
    old = {"id": "1", "name": "r", "updated_at": 1}
    assert lines(("put", "routes", {**old, "updated_at": 2}), routes=[old]) == []


def test_a_deleted_entity_is_told_as_it_was():
    old = {"id": "1", "name": "r"}
    (line,) = lines(("delete", "routes", {"id": "1"}), routes=[old])
    assert (line.action, line.name, line.facts()["before"], line.after) == ("delete", "", old, "")


KEY = {"id": "k", "key": SECRET, "consumer": {"id": "c"}, "ttl": None}
ANN = {"id": "c", "username": "ann"}


@pytest.mark.parametrize(
    ("op", "row", "stored", "action"),
    [
        ("put", KEY, [], "create"),
        ("put", {**KEY, "key": "other"}, [KEY], "rotate"),
        ("put", {**KEY, "ttl": 60}, [KEY], "expires"),
        ("put", {**KEY, "tags": ["x"]}, [KEY], "change"),
        ("delete", KEY, [KEY], "revoke"),
    ],
)
def test_keys_have_words_of_their_own_and_their_owners_name(op, row, stored, action):
    (line,) = lines((op, "keyauth_credentials", row), keyauth_credentials=stored, consumers=[ANN])
    assert (line.kind, line.action, line.name) == ("key", action, "ann")
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("basicauth_credentials", {"username": "u", "password": SECRET}),
        ("jwt_secrets", {"key": "issuer", "secret": SECRET}),
        ("certificates", {"cert": "c", "key": SECRET, "key_alt": SECRET}),
        ("plugins", {"config": {"headers": {"X-Any": SECRET}, "http_endpoint": f"https://me:{SECRET}@host/"}}),
        ("plugins", {"config": {"deep": [{"api_key": SECRET, "proxy_password": SECRET, "tokens": 3}]}}),
        ("services", {"url": f"http://{SECRET}@host"}),
    ],
)
def test_secrets_are_masked_at_any_depth(kind, row):
    shown = json.dumps(masked(kind, row))
    assert SECRET not in shown
    assert MASK in shown


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
def test_any_value_becomes_a_line(value):
    (line,) = lines(("put", "plugins", {"id": "1", "config": value}))
    assert set(line.facts()["after"]) == {"id", "config"}


def test_what_is_too_large_leaves_its_size():
    (line,) = lines(("put", "plugins", {"id": "1", "config": "x" * 200_000}))
    assert line.facts()["after"]["too_large"] > 200_000
