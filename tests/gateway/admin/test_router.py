"""From paths to rows of the table."""

import pytest

from aimon_local.gateway.admin.router import Router, trimmed
from aimon_local.gateway.admin.table import Endpoint


def row(path, method="GET"):
    return Endpoint(method, path, lambda ask: None, "Does nothing.")


ROUTER = Router(
    [row("/"), row("/a"), row("/a/{x}"), row("/a/b"), row("/a/{x}/c"), row("/a/{y}/{z}/d", "PUT"), row("/a/b", "POST")]
)


@pytest.mark.parametrize(
    ("path", "found", "values"),
    [
        ("/", "/", ()),
        ("/a", "/a", ()),
        ("/a/", "/a", ()),
        ("/a/b", "/a/b", ()),
        ("/a/z", "/a/{x}", ("z",)),
        ("/a/b/c", "/a/{x}/c", ("b",)),
        ("/a/%62", "/a/{x}", ("b",)),
        ("/a/x%2Fy%20z+w/c", "/a/{x}/c", ("x/y z w",)),
        ("/a/\u00c3\u00bc", "/a/{x}", ("\u00fc",)),
        ("/a/%FF", "/a/{x}", ("\ufffd",)),
        ("/a/p/q/d", "/a/{y}/{z}/d", ("p", "q")),
    ],
)
def test_paths(path, found, values):
    match = ROUTER.match(path)
    assert {endpoint.path for endpoint in match.methods.values()} == {found}
    assert match.values == values


@pytest.mark.parametrize("path", ["//a", "/a//", "*", "/A", "/b", "/a/p/q", "/a//c", "/a/b/c/d/e", ""])
def test_no_paths(path):
    assert ROUTER.match(path) is None


def test_parameters_take_the_names_of_the_row():
    match = ROUTER.match("/a/1/2/d")
    assert match.params(match.methods["PUT"]) == {"y": "1", "z": "2"}


def test_allow():
    assert ROUTER.match("/a/b").allowed() == "GET, HEAD, OPTIONS, POST"
    assert ROUTER.match("/a/1/2/d").allowed() == "OPTIONS, PUT"


def test_two_rows_of_one_verb_and_path_are_a_mistake():
    with pytest.raises(ValueError, match="two rows"):
        Router([row("/a/{x}"), row("/a/{y}")])


def test_only_one_slash_at_the_end_does_not_count():
    assert (trimmed("/"), trimmed("/a/"), trimmed("/a//")) == ("/", "/a", "/a/")
