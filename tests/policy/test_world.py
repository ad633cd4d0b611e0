"""The variables of templates."""

from aimon_local.policy.world import World
from tests.support.calls import entity, make_call


def test_fields_in_any_spelling():
    call = make_call(
        fields=[("X-Have", "1"), ("X-Two", "a"), ("x-two", "b"), ("X-Ü".replace("Ü", "u"), "ü")], content_length=3
    )
    headers = World(call)["headers"]
    assert [headers.get(name) for name in ("x-have", "X-Have", "x_have", "none", 1)] == ["1", "1", "1", None, None]
    assert headers.get("x-two") == ["a", "b"]
    assert headers.get("host") == "gw.test"
    assert headers.get("content-length") == "3"
    assert headers.get("x-u") == "ü".encode().decode("latin-1")


def test_query_is_that_of_the_upstream_request():
    call = make_call(target="/?a=1&b&a=2")
    world = World(call)
    call.upstream_query = "a=9"
    assert world["query_params"] == {"a": "9"}
    assert World(make_call())["query_params"] == {}


def test_captures_by_name_and_number():
    call = make_call(match=entity(groups=("/x/abc", "abc", None), captures={"id": "abc"}))
    assert World(call)["uri_captures"] == {1: "abc", "id": "abc"}
    assert World(make_call())["uri_captures"] == {}


def test_it_is_read_once_and_has_four_names():
    world = World(make_call())
    assert world["shared"] is world["shared"]
    assert sorted(world) == ["headers", "query_params", "shared", "uri_captures"]
    assert len(world) == 4
