"""cors: preflight answers, who may read, origins of every kind. Expected values as a real Kong sent them."""

import pytest

from aimon_local.policy.call import Answer
from aimon_local.policy.plugins.cors import PLUGIN
from tests.support.calls import compile_rule, make_call, make_draft, pairs

ALL = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"
ASK = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-Q, x-r"}


def simple(config, origin=None, answer=(), **facts):
    """What a simple request's answer carries besides the upstream's fields."""
    rule = compile_rule(PLUGIN, config)
    call = make_call(fields=[("Origin", origin)] if origin is not None else [], **facts)
    assert rule.access(call) is None
    draft = make_draft(fields=answer)
    rule.response(call, draft)
    return pairs(draft.fields)


def preflight(config, origin="http://a.test", **more):
    rule = compile_rule(PLUGIN, config)
    call = make_call("OPTIONS", fields=[("Origin", origin), *ASK.items(), *more.pop("fields", [])])
    answer = rule.access(call)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.content_type, answer.reason) == (200, b"", None, None)
    draft = make_draft(from_upstream=False)
    rule.response(call, draft)
    assert draft.fields == []
    return {name.decode(): value.decode() for name, value in answer.fields}


def allow(origin):
    return [("Access-Control-Allow-Origin", origin)]


VARY = [("Vary", "Origin")]
RE = {"origins": [r"http://.*\.re\.test"]}


@pytest.mark.parametrize(
    ("config", "origin", "fields"),
    [
        ({}, None, allow("*")),
        ({}, "http://a.test", allow("*")),
        ({"origins": []}, "http://a.test", allow("*")),
        ({"origins": ["*"]}, "http://a.test", allow("*")),
        ({"origins": ["http://a.test"]}, None, VARY + allow("http://a.test")),
        ({"origins": ["http://a.test"]}, "http://evil.test", VARY + allow("http://a.test")),
        ({"origins": ["a.test"]}, "http://b.a.test", VARY + allow("a.test")),
        (RE, None, VARY),
        (RE, "http://x.re.test", VARY + allow("http://x.re.test")),
        (RE, "http://x.re.test:80", VARY + allow("http://x.re.test")),
        (RE, "http://x.re.test.evil", VARY),
        (RE, "http://re.test", VARY),
        (RE, "xhttp://x.re.test", VARY),
        ({"origins": [r"^http://(a|b)\.test$"]}, "http://b.test", VARY + allow("http://b.test")),
        ({"origins": [r"(.*\.)?a\.test"]}, "https://x.a.test:8443", VARY + allow("https://x.a.test:8443")),
        ({"origins": [r"(.*\.)?a\.test"]}, "https://xa.test", VARY),
        ({"origins": ["http://a.test", "*"]}, None, VARY),
        ({"origins": ["http://a.test", "*"]}, "http://evil.test", VARY + allow("*")),
        ({"origins": ["http://a.test", "https://b.test"]}, None, VARY),
        ({"origins": ["http://a.test", "https://b.test"]}, "https://b.test", VARY + allow("https://b.test")),
        ({"origins": ["http://a.test", "https://b.test"]}, "https://b.test:443", VARY + allow("https://b.test")),
        ({"origins": ["http://a.test", "https://b.test"]}, "https://b.test:444", VARY),
        ({"origins": ["http://a.test:80", "https://b.test"]}, "http://a.test", VARY + allow("http://a.test")),
        ({"origins": ["http://a.test", "https://b.test"]}, "http://b.test", VARY),
        ({"origins": ["null", "https://b.test"]}, "null", VARY + allow("null")),
        ({"origins": ["(unreadable", "b.test"]}, "http://x.test", VARY),
        ({"origins": ["http://a.test", "https://b.test"]}, "", VARY),
    ],
)
def test_who_may_read_an_answer(config, origin, fields):
    assert simple(config, origin) == fields


def test_credentials_name_the_origin():
    star = {"origins": ["*"], "credentials": True}
    credentials = [("Access-Control-Allow-Credentials", "true")]
    assert simple(star) == allow("*")
    assert simple(star, "http://evil.test") == VARY + allow("http://evil.test") + credentials
    one = {"origins": ["http://a.test"], "credentials": True}
    assert simple(one, "http://evil.test") == VARY + allow("http://a.test") + credentials
    both = {"origins": ["http://a.test", "*"], "credentials": True}
    assert simple(both, "http://x.test") == VARY + allow("http://x.test") + credentials


def test_what_the_upstream_says_gives_way_but_for_vary():
    upstream = [("Access-Control-Allow-Origin", "http://up.test"), ("Vary", "Accept")]
    assert simple(RE, None, upstream) == [("Vary", "Accept"), *VARY]
    assert simple({}, None, upstream) == [("Vary", "Accept"), *allow("*")]


def test_exposed_headers_on_answers_but_not_on_preflight():
    config = {"exposed_headers": ["X-E", "X-F"]}
    assert simple(config) == [*allow("*"), ("Access-Control-Expose-Headers", "X-E,X-F")]
    assert "Access-Control-Expose-Headers" not in preflight(config)


def test_preflight_of_the_defaults():
    assert preflight({}) == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "X-Q, x-r",
        "Access-Control-Allow-Methods": ALL,
    }


def test_preflight_of_everything():
    config = {"origins": ["http://a.test"], "credentials": True, "methods": ["GET", "POST"]}
    config |= {"headers": ["X-A", "X-B"], "exposed_headers": ["X-E"], "max_age": 600}
    assert preflight(config, "http://evil.test") == {
        "Access-Control-Allow-Origin": "http://a.test",
        "Vary": "Origin",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "X-A,X-B",
        "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Max-Age": "600",
    }


def test_preflight_of_an_unknown_origin_allows_it_nothing():
    assert preflight(RE, "http://evil.test") == {
        "Vary": "Origin",
        "Access-Control-Allow-Headers": "X-Q, x-r",
        "Access-Control-Allow-Methods": ALL,
    }


def test_private_network_only_where_asked_and_allowed():
    asked = [("Access-Control-Request-Private-Network", "true")]
    name = "Access-Control-Allow-Private-Network"
    assert preflight({"private_network": True}, fields=asked)[name] == "true"
    assert name not in preflight({"private_network": True})
    assert name not in preflight({}, fields=asked)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", [("Origin", "http://a.test"), *ASK.items()]),
        ("OPTIONS", list(ASK.items())),
        ("OPTIONS", [("Origin", "x")]),
    ],
)
def test_what_is_no_preflight_goes_upstream(method, fields):
    rule, call = compile_rule(PLUGIN), make_call(method, fields=fields)
    assert rule.access(call) is None
    draft = make_draft()
    rule.response(call, draft)
    assert pairs(draft.fields) == allow("*")


def test_preflight_continue_leaves_it_to_the_upstream():
    rule = compile_rule(PLUGIN, {"preflight_continue": True})
    call = make_call("OPTIONS", fields=[("Origin", "http://a.test"), *ASK.items()])
    assert rule.access(call) is None
    draft = make_draft()
    rule.response(call, draft)
    assert draft.fields == []
    assert simple({"preflight_continue": True}) == allow("*")


def test_origins_must_be_expressions():
    check = PLUGIN.config.fields[0].elements.check
    assert check("*") is None
    assert check("http://a.test") is None
    assert check("(a") == "'(a' is not a valid regex"


def test_no_configured_name_breaks_out_of_its_line():
    config = {"headers": ["x\r\nX-Evil: 1"], "exposed_headers": ["y\nX-Evil: 1"]}
    assert preflight(config)["Access-Control-Allow-Headers"] == "x%0D%0AX-Evil: 1"
    assert ("Access-Control-Expose-Headers", "y%0AX-Evil: 1") in simple(config)
