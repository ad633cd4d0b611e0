"""``POST /check``: would this call be admitted just now? A dry run: nothing is held, counted or sent. Our own.

Given: ``consumer``, and ``body`` as the client would send it, or ``model``, ``prompt_tokens`` and ``max_output`` to
make one of. ``path`` says which API it is; ``route`` names the route, else the router finds it by ``path`` and
``host``.
"""

import json
from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import consumer
from aimon_local.metering.dialects import dialect_for
from aimon_local.model.moment import rfc3339
from aimon_local.model.money import dollars
from aimon_local.policy import ai_check
from aimon_local.policy.account import Peeked
from aimon_local.policy.ai_check import Denial, Look
from aimon_local.policy.ai_headers import unit_of
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import Call
from aimon_local.policy.limits import NEVER
from aimon_local.policy.nouns import Consumer, Match
from aimon_local.policy.reasons import MEANINGS
from aimon_local.policy.rule import Rule

PATH = "/v1/chat/completions"
_NS = 1_000_000_000
_WORDS = ("consumer", "model", "path", "route", "host")
_NUMBERS = ("prompt_tokens", "max_output")
_FIELDS = (*_WORDS, *_NUMBERS, "body", "stream")
_MOST = 10**12  # tokens; nobody means more
# What bounds the output in each dialect's body; those that are not here write nothing.
_OUTPUT = {
    "openai.chat": "max_completion_tokens",
    "openai.completions": "max_tokens",
    "openai.responses": "max_output_tokens",
    "anthropic.messages": "max_tokens",
}
_PROMPT: Mapping[str, Mapping[str, Any]] = {
    "openai.completions": {"prompt": ""},
    "openai.responses": {"input": ""},
    "openai.embeddings": {"input": ""},
}
_CHAT: Mapping[str, Any] = {"messages": [{"role": "user", "content": ""}]}


async def check(ask: Ask) -> Reply:
    """The verdict, in the words of a real refusal, and what each limit would still hold."""
    given = ask.body.data
    fault = _fault(given)
    if fault is not None:
        return message(400, fault)
    row = consumer(ask, given["consumer"])
    if row is None:
        return message(404, f"consumer {given['consumer']!r} not found")
    call = ask.context.trial("POST", given.get("path", PATH), _body(given))
    call.host = given.get("host", call.host)
    call.consumer = who = call.snapshot.consumers[row["id"]]
    call.match = _match(call, given.get("route"))
    if given.get("route") is not None and call.match is None:
        return message(404, f"route {given['route']!r} not found")
    rules = _rules(call, who)
    rule = next((each for each in rules if isinstance(each, TierRule)), None)
    if rule is None:
        return message(409, f"consumer {given['consumer']!r} has no tier, so there is nothing to check against")
    found = ai_check.look(rule, call, _prompt_tokens(given))
    return json_reply(200, _shown(call, rule, found, ai_check.denial(call, rules, found)))


# ---- what is asked


def _fault(given: Mapping[Any, Any]) -> str | None:
    """What is wrong with the arguments."""
    unknown = next((name for name in given if name not in _FIELDS), None)
    if unknown is not None:
        return f"unknown field {unknown!r}; known: {', '.join(_FIELDS)}"
    if not given.get("consumer"):
        return "consumer must be given"
    wrong = next((name for name in _WORDS if not isinstance(given.get(name, ""), str)), None)
    if wrong is not None:
        return f"{wrong} must be a text"
    wrong = next((name for name in _NUMBERS if name in given and not _is_count(given[name])), None)
    if wrong is not None:
        return f"{wrong} must be a whole number from 0 to {_MOST}"
    if not isinstance(given.get("stream", False), bool):
        return "stream must be true or false"
    if not str(given.get("path", PATH)).startswith("/"):
        return "path must begin with /"
    if "body" in given:
        both = [name for name in ("model", *_NUMBERS, "stream") if name in given]
        return f"body says it all: {', '.join(both)} can't stand beside it" if both else None
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _prompt_tokens(given: Mapping[Any, Any]) -> int | None:
    return given.get("prompt_tokens")


def _body(given: Mapping[Any, Any]) -> bytes:
    """What the client would send; nothing, to a path that is no AI call's."""
    if "body" in given:
        return _json(given["body"])
    dialect = dialect_for("POST", given.get("path", PATH))
    if dialect is None:
        return b""
    made: dict[str, Any] = {"model": given.get("model", ""), **_PROMPT.get(dialect.name, _CHAT)}
    most = _OUTPUT.get(dialect.name)
    if most is not None and "max_output" in given:
        made[most] = given["max_output"]
    return _json({**made, "stream": True} if given.get("stream") else made)


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _match(call: Call, name: str | None) -> Match | None:
    """The route that is named, or the one that the router finds."""
    snapshot = call.snapshot
    if name is None:
        return snapshot.route(call.method, call.host, call.path, call.fields, call.scheme)
    route = next((each for each in snapshot.routes.values() if name in (each.name, each.id)), None)
    return None if route is None else Match(route, snapshot.services.get(route.service_id or ""))


def _rules(call: Call, who: Consumer) -> list[Rule]:
    """The rules that would look at the call, in order; without a route, the tier's alone."""
    if call.match is not None:
        return [rule for _, rule in call.snapshot.plan(call.match, who).access]
    rule = call.snapshot.tiering.rule("", who.id, [group for group, _ in who.tiers])
    return [] if rule is None else [rule]


# ---- what is said


def _shown(call: Call, rule: TierRule, found: Look, denied: Denial | None) -> dict[str, Any]:
    facts = found.ask.facts if found.ask is not None else None
    route = call.match.route if call.match is not None else None
    return {
        "verdict": "allow" if denied is None else "deny",
        "consumer": call.consumer and (call.consumer.username or call.consumer.custom_id),
        "tier": rule.terms.tier.name,
        "route": route and (route.name or route.id),
        "path": call.path,
        "dialect": found.dialect and found.dialect.name,
        "model": facts and facts.model,
        "denial": None if denied is None else _denied(call, denied),
        "holds": {
            "input_tokens": found.demand.input_tokens,
            "output_tokens": found.demand.output_tokens,
            "cost": dollars(found.demand.cost),
            "charge": dollars(found.demand.charge),
        },
        "limits": [_limit(call, each) for each in found.limits],
        "shadow": list(found.shadow),
    }


def _denied(call: Call, denied: Denial) -> dict[str, Any]:
    show = _units(denied.limit or "")
    return {
        "reason": denied.reason,
        "meaning": MEANINGS.get(denied.reason or ""),
        "status": denied.status,
        "message": denied.message,
        "limit": denied.limit,
        "used": show(denied.used),
        "requested": show(denied.requested),
        "passes_at": _passes(call, denied.wait),
    }


def _limit(call: Call, peeked: Peeked) -> dict[str, Any]:
    status, show = peeked.status, _units(peeked.status.name)
    return {
        "name": status.name,
        "account": status.subject.partition("@")[2],
        "amount": show(status.amount),
        "used": show(status.used),
        "requested": show(peeked.requested),
        "remaining": show(status.remaining),
        "passes": peeked.wait == 0,
        "shadow": peeked.shadow,
        "passes_at": _passes(call, peeked.wait),
        "resets_at": rfc3339(call.now_ns + status.resets) if status.resets else None,
    }


def _passes(call: Call, wait: int | None) -> str | None:
    """When it would pass if nothing else comes; None: now, or never by waiting."""
    return None if wait is None or wait in (0, NEVER) else rfc3339(call.now_ns + wait)


def _units(name: str) -> Any:
    return dollars if unit_of(name) in ("cost", "charge") else int
