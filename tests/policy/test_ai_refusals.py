"""What a refused client is told: shapes, and whether its SDK waits, or stops."""

import json

import pytest

from aimon_local.policy import ai_refusals
from aimon_local.policy.account import Full, Status
from aimon_local.policy.call import Refuse
from aimon_local.policy.limits import NEVER

NS = 10**9


def full(name, wait, amount=10, used=10, requested=1):
    return Full(Status("c", name, amount, used, wait), requested, wait)


@pytest.mark.parametrize(
    ("name", "wait", "reason", "fields"),
    [
        ("requests/second", NS // 2, "request_limit", {"Retry-After": "1", "retry-after-ms": "500"}),
        ("burst", 1, "request_limit", {"Retry-After": "1", "retry-after-ms": "1"}),
        ("tokens/minute", 60 * NS, "token_limit", {"Retry-After": "60", "retry-after-ms": "60000"}),
        ("tokens/hour", 61 * NS, "token_limit", {"Retry-After": "61", "x-should-retry": "false"}),
        ("requests/day", 5 * NS, "quota_exhausted", {"Retry-After": "5", "x-should-retry": "false"}),
        ("cost/minute", 5 * NS, "budget_exhausted", {"Retry-After": "5", "x-should-retry": "false"}),
        ("charge/month", 9 * NS, "budget_exhausted", {"Retry-After": "9", "x-should-retry": "false"}),
        ("concurrency", NS // 10, "concurrency", {"Retry-After": "1", "retry-after-ms": "100"}),
        ("tokens/minute", NEVER, "token_limit", {"x-should-retry": "false"}),
    ],
)
def test_what_passes_soon_is_waited_for_and_what_does_not_stops_the_client(name, wait, reason, fields):
    stop = ai_refusals.limit_refusal("openai", full(name, wait), "id", ())
    assert (stop.status, stop.reason) == (429, reason)
    assert {key.decode(): value.decode() for key, value in stop.fields} == fields
    assert ai_refusals.plain_refusal(full(name, wait), ()).reason == reason


def test_the_text_says_what_stands_in_the_way():
    text = ai_refusals.text_of(full("cost/day", 3600 * NS, 500_000_000, 499_000_000, 2_000_000))
    assert text == "Limit cost/day of 0.50: 0.499 used, 0.002 requested; try again in 1h0m0s"
    assert ai_refusals.text_of(full("tokens/day", NEVER, 10, 0, 11)).endswith(
        "one request can't be larger than the whole limit"
    )


@pytest.mark.parametrize("reason", sorted(ai_refusals.TABLE))
def test_each_reason_has_both_providers_objects(reason):
    ours = ai_refusals.refusal("openai", reason, "no", "id", "model")
    body = json.loads(ours.body)
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["param"] == "model"
    theirs = json.loads(ai_refusals.refusal("anthropic", reason, "no", "id").body)
    assert theirs == {
        "type": "error",
        "error": {"type": ai_refusals.TABLE[reason].anthropic, "message": "no"},
        "request_id": "id",
    }
    assert ours.reason == reason


@pytest.mark.parametrize(
    ("reason", "status", "kind", "code"),
    [
        ("no_key", 401, "invalid_request_error", "invalid_api_key"),
        ("key_expired", 401, "invalid_request_error", "key_expired"),
        ("no_login", 401, "invalid_request_error", "invalid_api_key"),
        ("acl_denied", 403, "permission_error", None),
        ("rate_limited", 429, "requests", "rate_limit_exceeded"),
        ("upstream_timeout", 504, "timeout", "upstream_timeout"),
        ("upstream_failed", 502, "server_error", None),
        ("terminated", 418, "invalid_request_error", None),
    ],
)
def test_refusals_of_others_keep_status_fields_and_reason(reason, status, kind, code):
    stop = ai_refusals.reshaped("openai", Refuse(status, "words", reason, ((b"WWW-Authenticate", b"Key"),)), "id")
    error = json.loads(stop.body)["error"]
    assert (stop.status, stop.reason, error["type"], error["code"], error["message"]) == (
        status,
        reason,
        kind,
        code,
        "words",
    )
    assert stop.fields[0] == (b"WWW-Authenticate", b"Key")
