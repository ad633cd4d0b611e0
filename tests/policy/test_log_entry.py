"""A log entry: Kong's members, and no secrets."""

import json

import pytest

from aimon_local.policy.log_entry import check_custom_fields, entry, with_custom_fields
from aimon_local.policy.nouns import Consumer, Route, Service
from aimon_local.policy.rule import Outline
from tests.support.calls import NOON, entity, make_call

SERVICE = Service(
    id="s-1", name="svc", protocol="http", host="h", port=80, path=None, connect_timeout=60.0, write_timeout=60.0,
    read_timeout=1.5, retries=5, tls_verify=None, tags=(), host_header=b"h",
)  # fmt: skip
ROUTE = Route(
    id="r-1", name=None, created_at=NOON, service_id="s-1", protocols=("http",), methods=(), hosts=(), paths=("/a",),
    headers=(("x-a", ("1",)),), snis=(), regex_priority=0, strip_path=True, preserve_host=False, path_handling="v0",
    https_redirect_status_code=426, request_buffering=True, response_buffering=True, tags=(),
)  # fmt: skip
CONSUMER = Consumer(id="c-1", username="bob", custom_id=None, tags=("t",), groups=(), tiers=(), identity=())


def outline(**facts):
    known = {
        "status": 200, "upstream_status": 201, "started_ns": NOON * 10**9 + 5_000_000, "gateway_us": 2_400,
        "upstream_us": 30_900, "total_us": 40_000, "bytes_in": 80, "bytes_out": 300, "upstream": "127.0.0.1:5000",
        "request_fields": ((b"Host", b"gw.test"), (b"X-A", b"1"), (b"x-a", b"2")),
        "response_fields": ((b"Content-Type", b"text/plain"),),
    }  # fmt: skip
    return Outline(**(known | facts))


def full(**facts):
    call = make_call(
        "POST", "/a/x?q=1&q=2&flag", match=entity(route=ROUTE, service=SERVICE), consumer=CONSUMER,
        credential=entity(id="k-1", consumer_id="c-1"), host="gw.test:8000", upstream_path="/x",
    )  # fmt: skip
    return entry(call, outline(**facts))


def test_kongs_members():
    found = full()
    assert found["request"] == {
        "id": "0123456789abcdef0123456789abcdef", "method": "POST", "uri": "/a/x?q=1&q=2&flag",
        "url": "http://gw.test:8000/a/x?q=1&q=2&flag", "querystring": {"q": ["1", "2"], "flag": True},
        "headers": {"host": "gw.test", "x-a": ["1", "2"]}, "size": 80,
    }  # fmt: skip
    assert found["response"] == {"status": 200, "headers": {"content-type": "text/plain"}, "size": 300}
    assert found["latencies"] == {"kong": 2, "proxy": 30, "receive": 6, "request": 40}
    assert found["tries"][0]["ip"] == "127.0.0.1"
    assert found["tries"][0]["port"] == 5000
    assert (found["upstream_uri"], found["upstream_status"], found["source"]) == ("/x?q=1&q=2&flag", "201", "upstream")
    assert (found["client_ip"], found["started_at"]) == ("127.0.0.1", NOON * 1000 + 5)
    assert found["authenticated_entity"] == {"id": "k-1", "consumer_id": "c-1"}
    assert found["consumer"] == {"id": "c-1", "username": "bob", "tags": ["t"]}
    assert found["service"]["name"] == "svc"
    assert (found["service"]["read_timeout"], found["service"]["connect_timeout"]) == (1500, 60000)
    assert found["route"]["service"] == {"id": "s-1"}
    assert found["route"]["headers"] == {"x-a": ["1"]}
    assert "name" not in found["route"]
    json.dumps(found)


def test_a_request_that_met_no_upstream():
    found = entry(make_call(), outline(status=401, upstream_status=None, upstream_us=None, upstream=None))
    assert (found["source"], found["upstream_status"], found["tries"]) == ("kong", "", [])
    assert found["latencies"]["proxy"] == -1
    assert {"service", "route", "consumer", "authenticated_entity"}.isdisjoint(found)


def test_no_secret_is_written():
    secret = "s3cret"
    fields = tuple(
        (name, secret.encode()) for name in (b"Authorization", b"Proxy-Authorization", b"APIKEY", b"X-Api-Key")
    )
    call = make_call("GET", f"/a?apikey={secret}&x=1&X-API-KEY={secret}")
    found = entry(call, outline(request_fields=fields))
    assert secret not in json.dumps(found)
    assert found["request"]["uri"] == "/a?apikey=REDACTED&x=1&X-API-KEY=REDACTED"
    assert found["request"]["querystring"]["apikey"] == "REDACTED"


@pytest.mark.parametrize(
    ("code", "value"),
    [('return "x"', "x"), ("return 'x'", "x"), (" return  5 ; ", 5), ("return -1.5", -1.5), ("return true", True)],
)
def test_custom_fields_that_are_literals(code, value):
    assert with_custom_fields({"a": 1}, {"b": code, "c.d": code}) == {"a": 1, "b": value, "c": {"d": value}}
    assert check_custom_fields({"b": code}) is None


def test_nil_removes_and_the_original_stays():
    inner = {"headers": {"a": 1, "b": 2}}
    found = with_custom_fields({"request": inner, "x": 1}, {"request.headers.a": "return nil", "x": "return nil"})
    assert found == {"request": {"headers": {"b": 2}}}
    assert inner == {"headers": {"a": 1, "b": 2}}


@pytest.mark.parametrize("code", ["return kong.request.get_path()", "os.exit()", "", 'return "a" .. "b"'])
def test_code_that_can_not_be_run_is_refused(code):
    assert "'k'" in check_custom_fields({"k": code})
