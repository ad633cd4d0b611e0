"""The router: the exchanges recorded from a real Kong, a naive reference, and the answers to the wrong protocol."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.policy.call import Answer, header
from aimon_local.policy.entities import read_route, read_service
from aimon_local.policy.nouns import Match
from aimon_local.policy.paths import normalise
from aimon_local.policy.routing import Router, wrong_protocol
from tests.support.calls import make_call

RECORDED = json.loads((Path(__file__).parent / "recorded" / "routing.json").read_text("utf-8"))
REQUESTS = [(story, request) for story in RECORDED for request in story["requests"]]


def router(*routes, services=()):
    return Router(map(read_route, routes), {row["id"]: read_service(row) for row in services})


def ask(of, method="GET", host="gw.test", path="/", fields=()):
    raw = path.encode("utf-8").decode("latin-1")
    return of.route(method, host, normalise(raw), [header(name, value) for name, value in fields])


def named(match):
    return None if match is None else match.route.name


@pytest.mark.parametrize(
    ("story", "request_"), REQUESTS, ids=[f"{s['story']} {r[0]} {r[1]}{r[2]}" for s, r in REQUESTS]
)
def test_as_recorded(story, request_):
    method, host, target, fields, want = request_
    path, mark, query = target.partition("?")
    match = ask(router(*story["routes"], services=story["services"]), method, host, path, fields)
    if want is None:
        assert match is None
        return
    assert isinstance(match, Match)
    if "route" in want:
        assert match.route.name == want["route"]
    if "target" in want:
        assert match.upstream_path + mark + query == want["target"]
        assert match.forwarded_prefix == want["prefix"]
        kept = match.route.preserve_host
        assert (host.encode() if kept else match.service.host_header) == want["host"].encode()


# ---- a naive reference, written from the rules of preference, without any table

HOSTS = ["a.test", "b.a.test", "*.test", "a.*", "a.test:81", "*.a.test:80"]
PATHS = ["/", "/a", "/a/b", "/b", "~/a", "~/a/\\d+$", "~/(?<n>[ab])/"]
PRIORITY = st.integers(-1, 2)
path_lists = st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True)
by_path = st.fixed_dictionaries({"paths": path_lists}, optional={"regex_priority": PRIORITY})
by_all = st.fixed_dictionaries(
    {},
    optional={
        "hosts": st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2, unique=True),
        "paths": path_lists,
        "methods": st.lists(st.sampled_from(["GET", "POST"]), min_size=1, max_size=2, unique=True),
        "headers": st.dictionaries(
            st.sampled_from(["x-v", "X-W"]),
            st.lists(st.sampled_from(["1", "B", "~*^[12]$"]), min_size=1, max_size=2),
            min_size=1,
        ),
        "regex_priority": PRIORITY,
    },
)
routes_strategy = st.lists(st.one_of(by_path, by_all), max_size=7)
requests_strategy = st.lists(
    st.tuples(
        st.sampled_from(["GET", "POST", "PUT"]),
        st.sampled_from(["a.test", "b.a.test", "c.b.a.test", "a.x", "a.test:81", "b.a.test:80", "A.test", ""]),
        st.sampled_from(["/", "/a", "/a/1", "/a/b", "/ab", "/a/b/c", "/b/", "/c"]),
        st.lists(st.tuples(st.sampled_from(["x-v", "X-V", "x-w"]), st.sampled_from(["1", "2", "b", "z"])), max_size=3),
    ),
    min_size=1,
    max_size=8,
)


def naive_host(pattern, host):
    name, _, port = host.partition(":")
    wanted, colon, wanted_port = pattern.partition(":")
    if colon and wanted_port != (port or "80"):
        return False
    return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), name) is not None


def naive_path(pattern, path):
    if pattern.startswith("~"):
        return re.match(pattern[1:].replace("?<", "?P<"), path) is not None
    return path.startswith(pattern)


def naive_header(name, values, fields):
    sent = [value.lower() for other, value in fields if other.lower() == name.lower()]
    return any(
        re.search(value[2:], one, re.I) if value.startswith("~*") else one == value.lower()
        for one in sent
        for value in values
    )


def naive_matches(route, path_pattern, method, host, path, fields):
    return (
        (not route.get("methods") or method in route["methods"])
        and (not route.get("hosts") or any(naive_host(each, host) for each in route["hosts"]))
        and (path_pattern is None or naive_path(path_pattern, path))
        and all(naive_header(name, values, fields) for name, values in (route.get("headers") or {}).items())
    )


def naive_better(one, other):
    """Whether ``one`` is preferred to ``other``, rule by rule."""
    for rule in (
        lambda r, p: sum(bool(r.get(kind)) for kind in ("methods", "hosts", "headers", "paths")),
        lambda r, p: bool(r.get("hosts")) and "*" not in "".join(r["hosts"]),
        lambda r, p: len(r.get("headers") or ()),
        lambda r, p: (p or "").startswith("~"),
        lambda r, p: r.get("regex_priority", 0) if (p or "").startswith("~") else 0,
        lambda r, p: 0 if (p or "~").startswith("~") else len(p),
        lambda r, p: -r["created_at"],
    ):
        left, right = rule(*one), rule(*other)
        if left != right:
            return left > right
    return False


def naive_route(routes, method, host, path, fields):
    best = None
    for route in routes:
        for pattern in route.get("paths") or (None,):
            candidate = (route, pattern)
            if naive_matches(route, pattern, method, host, path, fields):
                best = candidate if best is None or naive_better(candidate, best) else best
    return best[0]["id"] if best else None


@settings(max_examples=300)
@given(routes_strategy, requests_strategy)
def test_agrees_with_the_naive_router(routes, requests):
    entities = [{"id": f"r{at}", "created_at": at, **route} for at, route in enumerate(routes)]
    compiled = router(*entities)
    for method, host, path, fields in requests * 2:  # twice: what is remembered must be what was found
        found = ask(compiled, method, host, path, fields)
        assert (found.route.id if found else None) == naive_route(entities, method, host, path, fields)


# ---- single facts


def test_a_regular_expression_gives_its_captures():
    of = router({"id": "1", "paths": ["~/v(?<ver>\\d+)/(?<rest>x)?(.*)"], "strip_path": True})
    match = ask(of, path="/v2/yz")
    assert match.captures == {"ver": "2"}
    assert list(match.groups) == ["/v2/yz", "2", None, "yz"]
    assert match.prefix == "/v2/yz"
    assert match.upstream_path == "/"


def test_expressions_are_about_characters_not_bytes():
    of = router({"id": "1", "paths": ["~/(?<c>.)$", "/ü"]})
    match = ask(of, path="/ü")
    assert match.captures["c"].encode("latin-1").decode("utf-8") == "ü"
    assert match.forwarded_prefix.encode("latin-1").decode("utf-8") == "/ü"
    assert ask(of, path="/üx").prefix == "/ü".encode().decode("latin-1")


def test_a_prefix_may_be_written_with_escapes():
    of = router({"id": "1", "paths": ["/%C3%BC/a%2Fb"]})
    assert ask(of, path="/ü/a%2fb/c").upstream_path == "/c"
    assert ask(of, path="/%c3%bc/a%2Fb") is not None


def test_routes_of_unknown_services_and_of_streams_take_no_part():
    of = router(
        {"id": "1", "paths": ["/"], "service": {"id": "disabled"}},
        {"id": "2", "snis": ["x.test"], "protocols": ["tls"]},
    )
    assert ask(of) is None


def test_the_older_of_equals_wins():
    equals = [{"id": str(at), "name": str(at), "created_at": at, "paths": ["/a"]} for at in (3, 1, 2)]
    assert named(ask(router(*equals), path="/a")) == "1"


def test_many_paths_do_not_fill_the_memory():
    of = router({"id": "1", "paths": ["/"]})
    for number in range(5000):
        assert ask(of, path=f"/{number}")
    ask(of, path="/" + "x" * 9000)
    assert len(of._memo) <= 2048
    assert max(len(path) for _, _, path, _ in of._memo) < 300


@pytest.mark.parametrize(
    ("facts", "entity", "status", "fields"),
    [
        ({}, {"protocols": ["http", "https"]}, None, {}),
        ({"scheme": "https"}, {"protocols": ["http"]}, None, {}),
        (
            {},
            {"protocols": ["https"]},
            426,
            {b"Connection": b"Upgrade", b"Upgrade": b"TLS/1.2, HTTP/1.1"},
        ),
        (
            {"target": "/a%20b?c=d", "host": "X.test:8000"},
            {"protocols": ["https"], "https_redirect_status_code": 308},
            308,
            {b"Location": b"https://x.test/a%20b?c=d"},
        ),
        ({}, {"protocols": ["grpc"]}, 415, {}),
        (
            {"fields": [("Content-Type", "application/grpc+proto")]},
            {"protocols": ["grpc"]},
            426,
            {b"Connection": b"Upgrade", b"Upgrade": b"HTTP/2"},
        ),
    ],
)
def test_the_wrong_protocol(facts, entity, status, fields):
    answer = wrong_protocol(make_call(**facts), read_route({"id": "1", **entity}))
    if status is None:
        assert answer is None
    else:
        assert isinstance(answer, Answer)
        assert (answer.status, dict(answer.fields)) == (status, fields)


def test_every_alternative_of_an_expression_counts_from_the_start():
    of = router({"id": "1", "paths": ["~/a|/b"]})
    assert ask(of, path="/b/c").prefix == "/b"
    assert ask(of, path="/x/b") is None
