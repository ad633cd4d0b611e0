"""What a route asks for, compiled."""

import pytest

from aimon_local.errors import ConfigError
from aimon_local.policy.call import header
from aimon_local.policy.criteria import compile_route, compiled, rank, split_host
from aimon_local.policy.entities import read_route


def candidates(**entity):
    return compile_route(read_route({"id": "1", **entity}), None, compiled)


@pytest.mark.parametrize(
    ("host", "scheme", "parts"),
    [
        ("a.test", "http", ("a.test", 80)),
        ("a.test", "https", ("a.test", 443)),
        ("a.test:8000", "http", ("a.test", 8000)),
        ("[::1]:9", "http", ("[::1]", 9)),
        ("[::1]", "http", ("[::1]", 80)),
        ("a.test:", "http", ("a.test:", 80)),
        ("", "http", ("", 80)),
    ],
)
def test_hosts_are_split(host, scheme, parts):
    assert split_host(host, scheme) == parts


@pytest.mark.parametrize(
    ("pattern", "name", "port", "holds"),
    [
        ("a.test", "a.test", 1, True),
        ("a.test", "A.test", 1, False),
        ("a.test:1", "a.test", 1, True),
        ("a.test:1", "a.test", 2, False),
        ("*.test", "a.b.test", 1, True),
        ("*.test", "test", 1, False),
        ("a.*", "a.x.y", 1, True),
        ("a.*", "a", 1, False),
        ("*.test:8", "a.test", 8, True),
        ("*.test:8", "a.test", 9, False),
        ("a.*:8", "a.b", 9, False),
    ],
)
def test_hosts_hold(pattern, name, port, holds):
    (test,) = candidates(hosts=[pattern])[0].hosts
    assert test.holds(name, port) is holds


def test_header_values_are_alternatives_and_names_are_not():
    (candidate,) = candidates(headers={"X-V": ["One", "~*^t.o$"], "x-w": ["1"]})
    first, second = candidate.headers
    for value, holds in [("one", True), ("ONE", True), ("TWO", True), ("three", False)]:
        assert first.holds([header("X-v", "0"), header("X-V", value)]) is holds
    assert not second.holds([header("x-v", "1")])


def test_there_is_a_candidate_for_each_path():
    made = candidates(paths=["/a", "~/b.*", "/ccc"], regex_priority=3)
    assert [each.prefix for each in made] == ["/a", None, "/ccc"]
    assert made[1].pattern.match("/bx")
    assert sorted(each.rank for each in made) == [made[1].rank, made[2].rank, made[0].rank]


def test_snis_weigh_like_any_kind():
    with_snis, without = (read_route({"id": "1", "paths": ["/a"], **more}) for more in ({"snis": ["x"]}, {}))
    assert rank(with_snis, "/a") < rank(without, "/a")


def test_a_stored_pattern_that_is_none_is_a_fault_with_its_text():
    with pytest.raises(ConfigError, match=r"\(unclosed"):
        compiled("(unclosed")
