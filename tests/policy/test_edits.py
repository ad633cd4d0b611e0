"""What both transformers share."""

import pytest

from aimon_local.policy.edits import (
    appended,
    check_header,
    check_header_names,
    edit_parts,
    edit_values,
    entries,
    one_line,
    rendered,
    split,
)
from aimon_local.policy.multipart import Multipart

WORLD = {"headers": {}, "query_params": {"q": "1"}, "uri_captures": {}, "shared": {}}
NONE = {edit: [] for edit in ("remove", "rename", "replace", "add", "append")}


def test_split():
    pairs = ["a:1", "a:b:c", "a::1", "a:", "a", ":x", "a:\nb"]
    assert split(pairs) == [("a", "1"), ("a", "b:c"), ("a", "1"), ("a", None), ("a", None), ("a", "\nb")]


def test_one_line():
    assert one_line("a\r\nb\0c: d\t") == "a%0D%0Ab%00c: d\t"


@pytest.mark.parametrize(
    ("held", "grown"),
    [("x", ["x", "v"]), ([1], [1, "v"]), (None, ["v"]), (5, ["v"]), (False, ["v"]), ({"a": 1}, {"a": 1, "1": "v"})],
)
def test_appended(held, grown):
    assert appended(held, "v") == grown


def test_checks():
    assert check_header("x-a_1:any thing") is None
    assert check_header("x y:1") == "'x y' is not a valid header"
    assert check_header_names("a:b") is None
    assert check_header_names("a:b c") == "'b c' is not a valid header"
    assert check_header_names("a:") == "'' is not a valid header"


def test_entries_are_rendered_per_request():
    ready = entries(["ü:$(query_params.q)", "b:", "c:x"])
    assert list(rendered(ready, WORLD)) == [("ü".encode().decode("latin-1"), "1"), ("b", None), ("c", "x")]


@pytest.mark.parametrize(
    ("edit", "pairs", "values", "expected", "changed"),
    [
        ("remove", ["a", "n"], {"a": "1", "b": True}, {"b": True}, True),
        ("remove", ["n"], {"a": "1"}, {"a": "1"}, True),
        ("rename", ["a:b"], {"a": "1", "b": "2"}, {"b": "1"}, True),
        ("rename", ["n:b"], {"a": "1", "b": "2"}, {"a": "1"}, True),
        ("rename", ["a:a"], {"a": "1"}, {}, True),
        ("rename", ["a"], {"a": "1"}, {"a": "1"}, True),
        ("replace", ["a:2", "n:2"], {"a": None}, {"a": "2"}, True),
        ("replace", ["a:2", "n:2"], {"a": False}, {"a": False}, False),
        ("replace", ["a:"], {"a": "1"}, {}, True),
        ("add", ["a:2", "n:2"], {"a": "1"}, {"a": "1", "n": "2"}, True),
        ("add", ["a:2"], {"a": False}, {"a": "2"}, True),
        ("add", ["a:2"], {"a": ""}, {"a": ""}, False),
        ("append", ["a:2", "n:2", "m:"], {"a": "1"}, {"a": ["1", "2"], "n": ["2"]}, True),
    ],
)
def test_edits_of_values(edit, pairs, values, expected, changed):
    edits = {**NONE, edit: entries(pairs)}
    assert edit_values(values, edits, WORLD) is changed
    assert values == expected


def test_an_empty_body_is_only_added_to():
    values = {}
    assert (
        edit_values(values, {**NONE, "remove": entries(["a"]), "rename": entries(["a:b"])}, WORLD, empty=True) is False
    )
    assert edit_values(values, {**NONE, "add": entries(["ü:ü"])}, WORLD, empty=True, utf8=True) is True
    assert values == {"ü": "ü"}


def test_edits_of_parts():
    def form():
        out = Multipart(b"", b"multipart/form-data; boundary=X")
        out.set(b"a", b"1")
        out.set(b"b", b"2")
        return out

    def names(edit, *pairs):
        edited = form()
        changed = edit_parts(edited, {**NONE, edit: entries(list(pairs))}, WORLD)
        return changed, [(part.name, part.content) for part in edited.parts]

    assert names("rename", "a:z", "n:y", "b") == (True, [(b"b", b"2"), (b"z", b"1")])
    assert names("remove", "n") == (True, [(b"a", b"1"), (b"b", b"2")])
    assert names("replace", "a:$(query_params.q)0", "n:5") == (True, [(b"b", b"2"), (b"a", b"10")])
    assert names("replace", "a:") == (True, [(b"b", b"2")])
    assert names("add", "c:1") == (False, [(b"a", b"1"), (b"b", b"2")])
