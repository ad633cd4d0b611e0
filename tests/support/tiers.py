"""Terms, calls and answers for tests of tiers: a consumer, a small price book, a body, and what an upstream says."""

import json

from aimon_local.model.tier import Limit, Period, Tier, Unit
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import header
from aimon_local.policy.pricing import ModelPrice, PriceBook, PricePlan, Rates
from aimon_local.policy.spans import UTC
from aimon_local.policy.state import LimitState
from aimon_local.policy.terms import Terms
from tests.support.calls import entity, make_call, make_draft, said

RATES = Rates(1_000_000_000, 4_000_000_000, 500_000_000, 1_000_000_000, 4_000_000_000)  # $1 in, $4 out a million
BOOK = PriceBook([ModelPrice("m-*", "mock", 0, RATES, 1000)])
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def limit(unit, amount, period=Period.DAY, **more):
    return Limit(Unit(unit), amount, period, **more)


def terms(plan=None, book=BOOK, beside=(), **tier):
    made = Tier("t", **tier)
    return Terms(made, made, UTC, plan or PricePlan("free"), book, tuple(beside))


def rule(*args, **tier):
    return TierRule(terms(*args, **tier))


def chat(**fields):
    return {"model": "m-1", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 10} | fields


def ask(document=None, path=CHAT, state=None, consumer="c", route="ai", **facts):
    """A call as it stands behind authentication."""
    body = facts.pop("body", None if document is None else json.dumps(document).encode())
    method = facts.pop("method", "GET" if body is None else "POST")
    made = make_call(method, path, state=state or LimitState(), body=body, **facts)
    made.consumer = entity(id=consumer, username=consumer, custom_id=None, tiers=(("g", "t"),))
    made.match = entity(route=entity(id="r", name=route), service=None)
    return made


def answer(rule, call, body, status=200, content_type="application/json", complete=True, pieces=None):
    """Let an upstream answer, whole or in pieces; the bytes that the client gets."""
    draft = make_draft(status, [("Content-Type", content_type)])
    rule.response(call, draft)
    meter = rule.meter(call, draft)
    data = [body] if pieces is None else pieces
    passed = b"".join(data) if meter is None else b"".join(map(meter.feed, data)) + (meter.rest() if complete else b"")
    rule.settle(call, complete)
    return passed


def completion(prompt=5, output=7, text="x" * 28, **usage):
    """A whole chat completion."""
    return json.dumps(
        {
            "model": "m-1-served",
            "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": output, **usage},
        }
    ).encode()


def fields_of(stop, call=None):
    """The fields of a refusal, or of what a call's answer will carry, by lower-case name."""
    pairs = stop.fields if stop is not None else said(call)
    return {name.decode().lower(): value.decode() for name, value in pairs}


def upstream_field(call, name):
    return next((value for low, value, _ in call.fields if low == header(name, "")[0]), None)
