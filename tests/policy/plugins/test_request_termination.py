"""request-termination: answers by configuration, triggers, the echo."""

import json

import pytest

from aimon_local.gateway.pages import failure_form, page
from aimon_local.policy import reasons
from aimon_local.policy.call import NEED_BODY, Answer, Refuse
from aimon_local.policy.plugins.request_termination import PLUGIN
from aimon_local.policy.snapshot import build
from tests.support.calls import compile_rule, make_call
from tests.support.plugins import stored

JSON = b"application/json; charset=utf-8"


def run(target="/", fields=(), method="GET", facts=None, **config):
    return compile_rule(PLUGIN, config).access(make_call(method, target, fields, **(facts or {})))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Unauthorized"),
        (404, "Not found"),
        (405, "Method not allowed"),
        (500, "An unexpected error occurred"),
        (502, "Bad Gateway"),
        (503, "Service unavailable"),
    ],
)
def test_statuses_with_a_message_of_their_own(status, message):
    expected = Answer(status, json.dumps({"message": message}).replace(": ", ":").encode(), JSON, (), "terminated")
    assert run(status_code=status) == expected


def test_a_message_is_json_for_every_status():
    answer = run(status_code=200, message='hi "ü"')
    assert (answer.status, answer.content_type, answer.reason) == (200, JSON, None)
    assert json.loads(answer.body) == {"message": 'hi "ü"'}
    assert json.loads(run(status_code=503, message="closed").body) == {"message": "closed"}


@pytest.mark.parametrize(
    "title", ["403 Forbidden", "410 Gone", "429 Too Many Requests", "302 Found", "501 Not Implemented"]
)
def test_statuses_that_the_web_server_has_a_page_for(title):
    answer = run(status_code=int(title[:3]))
    assert answer.content_type == b"text/html; charset=UTF-8"
    assert answer.body.split() == (
        f"<html> <head><title>{title}</title></head> <body> <center><h1>{title}</h1></center> </body> </html>"
    ).encode().split()  # fmt: skip


@pytest.mark.parametrize("status", [200, 204, 299, 300, 304, 407, 418, 422, 451, 499, 506, 511, 599])
def test_all_other_statuses_are_empty(status):
    assert run(status_code=status) == Answer(status, reason=reasons.TERMINATED if status >= 400 else None)


@pytest.mark.parametrize(
    ("status", "text"), [(400, "Bad request"), (413, "Payload too large"), (417, "Expectation failed")]
)
def test_statuses_that_the_gateway_has_a_page_for(status, text):
    refusal = run(status_code=status)
    assert refusal == Refuse(status, text, reasons.TERMINATED, failure=True)
    assert page(failure_form([], None), refusal.message, "0" * 32)[1].startswith(text.encode())


@pytest.mark.parametrize("config", [{}, {"message": "x"}, {"body": "x"}, {"echo": True}])
def test_an_interim_status_ends_no_exchange(config):
    assert run(status_code=102, **config).status == 500


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, None),
        ("application/json", b"application/json"),
        ("text/html", b"text/html; charset=UTF-8"),
        ("Text/Plain", b"Text/Plain; charset=UTF-8"),
        ("text/css", b"text/css"),
        ("text/plain; charset=latin-1", b"text/plain; charset=latin-1"),
        ("a/b\r\nX: y", b"a/b%0D%0AX: y"),
    ],
)
def test_a_body_goes_out_as_it_is(given, sent):
    answer = run(body="<ü>", content_type=given, status_code=200)
    assert answer == Answer(200, "<ü>".encode(), sent)


# ---- triggers


@pytest.mark.parametrize(
    ("target", "fields", "stops"),
    [
        ("/", [], False),
        ("/", [("X-Stop", "1")], True),
        ("/", [("x-stop", "")], True),
        ("/?X-Stop=1", [], True),
        ("/?a=1&X-Stop", [], True),
        ("/?x-stop=1", [], False),
        ("/?X%2DStop=", [], True),
        ("/", [("X_Stop", "1")], False),
    ],
)
def test_a_trigger_is_a_field_or_an_argument(target, fields, stops):
    assert (run(target, fields, trigger="X-Stop") is not None) == stops


def test_a_trigger_with_an_underscore_means_a_dash_too():
    assert run(fields=[("X-Stop", "1")], trigger="X_Stop") is not None


# ---- echo

ROUTE = {"id": "r", "name": "a", "paths": ["~/(?<first>a)(b)?(c)?"], "service": {"id": "s"}, "tags": None}
SERVICE = {"id": "s", "name": "sv", "host": "h.test", "port": 81, "path": None}
SNAPSHOT = build({"routes": [ROUTE], "services": [SERVICE]}, {}, str)


def echoed(target="/ab?y=1&z&y=2", fields=(), method="GET", body=None, **config):
    facts = {"content_length": len(body)} if body else {}
    call = make_call(method, target, fields, host="GW.test:8000", snapshot=SNAPSHOT, process_id=7, **facts)
    call.match = SNAPSHOT.route(call.method, "gw.test", call.path, call.fields)
    rule = compile_rule(PLUGIN, {"echo": True, "status_code": 404, **config})
    if body:
        assert rule.access(call) is NEED_BODY
        call.body = body
    answer = rule.access(call)
    assert (answer.status, answer.content_type) == (config.get("status_code", 404), JSON)
    return json.loads(answer.body)


def test_the_echo_shows_the_request_and_what_it_matched():
    told = echoed(fields=[("X-A", "1"), ("x-a", "2"), ("X-U", "ü")])
    route, service = told.pop("matched_route"), told.pop("matched_service")
    assert told == {
        "message": "Not found",
        "kong": {"node_id": "00000000-0000-4000-8000-0000000000ff", "worker_pid": 7, "hostname": "lab"},
        "request": {
            "method": "GET",
            "scheme": "http",
            "host": "gw.test",
            "port": 8000,
            "path": "/ab",
            "query": {"y": ["1", "2"], "z": True},
            "headers": {"host": "GW.test:8000", "x-a": ["1", "2"], "x-u": "ü"},
            "raw_body": "",
            "uri_captures": {"named": {"first": "a"}, "unnamed": ["a", "b"]},
        },
    }
    workspace = route.pop("ws_id")
    assert route == {name: value for name, value in ROUTE.items() if value is not None}
    assert service == {"id": "s", "name": "sv", "host": "h.test", "port": 81, "ws_id": workspace}


@pytest.mark.parametrize(
    ("kind", "body", "seen"),
    [
        ("application/json", b'{"a": ["\xc3\xbc"]}', {"a": ["ü"]}),
        ("application/json", b"[1]", [1]),
        ("application/json", b"5", None),
        ("application/x-www-form-urlencoded", b"a=%C3%BC&b", {"a": "ü", "b": True}),
        ("multipart/form-data; boundary=b", b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xc3\xbc\r\n--b--', {"a": "ü"}),
        ("text/plain", b"a=1", None),
    ],
)  # fmt: skip
def test_the_echo_shows_the_body(kind, body, seen):
    request = echoed(method="POST", body=body, fields=[("Content-Type", kind)])["request"]
    assert request["raw_body"] == body.decode()
    assert request.get("body") == seen
    assert request["headers"] == {"host": "GW.test:8000", "content-length": str(len(body)), "content-type": kind}


def test_the_echo_of_a_request_that_matched_little():
    call = make_call(body=b"\xff")
    told = json.loads(
        compile_rule(PLUGIN, {"echo": True, "status_code": 200}).access(call).body.decode("utf-8", "replace")
    )
    assert "message" not in told
    assert "matched_route" not in told
    assert told["request"]["raw_body"] == "\ufffd"
    assert echoed(message="own", status_code=200)["message"] == "own"


def test_a_trigger_and_an_echo():
    assert run(trigger="X-Stop", echo=True) is None


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"message": "a", "body": "b"}, "message cannot be used with content_type or body"),
        ({"message": "a", "content_type": "b"}, "message cannot be used with content_type or body"),
        ({"content_type": "b"}, "content_type requires a body"),
        ({"echo": True, "body": "b"}, "echo cannot be used with content_type and body"),
        ({"status_code": 99}, "value should be between 100 and 599"),
        ({"trigger": "x y"}, "bad header name 'x y'"),
        ({"body": ""}, "length must be at least 1"),
    ],
)
def test_configurations_that_are_refused(config, text):
    assert text in stored(PLUGIN, config)


def test_what_is_stored():
    assert stored(PLUGIN, {"echo": True, "message": "x"}) == {
        "status_code": 503,
        "message": "x",
        "content_type": None,
        "body": None,
        "echo": True,
        "trigger": None,
    }
