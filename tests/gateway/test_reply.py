"""Heads of answers: the upstream's fields, what a rule set, and Kong's marks."""

import json

import pytest

from aimon_local.gateway import reply
from aimon_local.policy.call import Answer, Refuse, ResponseDraft, header
from tests.support.calls import make_call
from tests.support.stage import make_live

PRODUCT, SPENT = b"aimon-local/9", (1, 20, 300)
DATE = b"Date: Wed, 15 Nov 2023 12:00:00 GMT"
DENIED = Refuse(403, 'no "entry"', "acl_denied")


def proxied(fields, **rules):
    call = make_call()
    call.reply_fields += rules.get("ruled", [])
    return reply.proxied_lines(call, [header(name, value) for name, value in fields], PRODUCT, SPENT)


def own(stop, fields=(), accept=None):
    call = make_call(fields=[("Accept", accept)] if accept else [], snapshot=make_live().snapshot)
    draft, body = reply.own_draft(call, stop)
    draft.fields += [header(name, value) for name, value in fields]
    return reply.own_lines(call, stop, draft, PRODUCT, SPENT), draft, body


def test_a_proxied_answer():
    assert proxied([("Server", "nginx"), ("X-Up", "1"), ("x-up", "2")]) == [
        b"Server: nginx",
        b"X-Up: 1",
        b"x-up: 2",
        DATE,
        b"X-Kong-Upstream-Latency: 20",
        b"X-Kong-Proxy-Latency: 1",
        b"Via: 1.1 aimon-local/9",
        b"X-Kong-Request-Id: 0123456789abcdef0123456789abcdef",
    ]


def test_every_answer_has_one_date_and_the_upstreams_own_stands():
    given = "Wed, 15 Nov 2023 11:59:59 GMT"
    assert [line for line in proxied([("date", given)]) if line.lower().startswith(b"date")] == [
        b"date: " + given.encode()
    ]
    kept = own(Answer(200, fields=((b"Date", given.encode()),)))[0]
    assert [line for line in kept if line.startswith(b"Date")] == [b"Date: " + given.encode()]


def test_our_own_fields_are_not_the_upstreams_to_set_and_via_grows():
    lines = proxied(
        [("Via", "1.0 a"), ("X-Kong-Request-Id", "forged"), ("X-Kong-Proxy-Latency", "9"), ("Via", "1.1 b")]
    )
    assert [line for line in lines if line.startswith(b"Via")] == [b"Via: 1.0 a, 1.1 b, 1.1 aimon-local/9"]
    assert sum(line.startswith(b"X-Kong-Request-Id") for line in lines) == 1
    assert b"X-Kong-Proxy-Latency: 9" not in lines
    assert b"Server: aimon-local/9" in lines  # the upstream named none


def test_what_a_rule_sets_takes_the_upstreams_place_in_any_spelling():
    lines = proxied([("X-RateLimit-limit-minute", "999"), ("X-Up", "1")], ruled=[(b"X-RateLimit-Limit-Minute", b"5")])
    assert [line for line in lines if b"imit" in line] == [b"X-RateLimit-Limit-Minute: 5"]
    assert b"X-Up: 1" in lines


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("text/html", "text/html; charset=UTF-8"),
        ("Text/Plain", "Text/Plain; charset=UTF-8"),
        ("text/html; charset=latin-1", "text/html; charset=latin-1"),
        ("text/css", "text/css"),
        ("application/json", "application/json"),
        ("text/event-stream", "text/event-stream"),
    ],
)
def test_a_text_without_a_charset_gets_one(given, told):
    assert proxied([("Content-Type", given)])[0] == b"Content-Type: " + told.encode()


def test_a_refusal():
    lines, draft, body = own(DENIED)
    assert (draft.status, draft.from_upstream) == (403, False)
    assert json.loads(body) == {"message": 'no "entry"', "request_id": "0123456789abcdef0123456789abcdef"}
    assert lines == [
        b"Content-Type: application/json; charset=utf-8",
        b"Server: aimon-local/9",
        DATE,
        b"X-Kong-Response-Latency: 300",
        b"X-Kong-Request-Id: 0123456789abcdef0123456789abcdef",
    ]


def test_a_refusal_in_the_form_that_is_asked_for():
    assert own(DENIED, accept="text/html")[1].get(b"content-type") == b"text/html; charset=utf-8"
    assert own(DENIED, accept="text/html")[2].startswith(b"<!doctype html>")


def test_a_failure_of_the_upstream_is_worded_by_the_request():
    failed = Refuse(502, "bad", "upstream_failed", failure=True, proxied=True)
    lines, draft, _ = own(failed)
    assert draft.get(b"content-type") == b"text/plain; charset=utf-8"
    assert [line.split(b":")[0] for line in lines[-4:]] == [
        b"X-Kong-Upstream-Latency", b"X-Kong-Proxy-Latency", b"Via", b"X-Kong-Request-Id",
    ]  # fmt: skip


def test_an_answer_goes_out_as_it_is():
    lines, draft, body = own(Answer(202, b"hi", b"text/x", ((b"X-A", b"1"), (b"Server", b"me"))))
    assert (draft.status, body) == (202, b"hi")
    assert lines[:3] == [b"Content-Type: text/x", b"X-A: 1", b"Server: me"]
    assert not any(line.startswith(b"Server: aimon") for line in lines)
    assert own(Answer(204))[0][0] == b"Server: aimon-local/9"  # no type where there is none


def test_a_value_that_would_break_out_is_refused():
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        own(Answer(200, fields=((b"X-A", b"1\r\nSet-Cookie: a"),)))


def test_drafts_of_our_own_are_editable():
    draft = own(DENIED)[1]
    assert isinstance(draft, ResponseDraft)
    draft.set("Content-Type", "text/plain")
    assert draft.get(b"content-type") == b"text/plain"
