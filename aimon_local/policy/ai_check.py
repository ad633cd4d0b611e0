"""A dry run: what admission would say of a call just now. Nothing is held, counted or sent.

The same gates, estimate and counters as in ``policy.ai_rule``, looked at instead of held. Of the other rules those that
know it beforehand (``Rule.peek``) are asked too, in their order; who calls is given, so no key is. In the mode
async-count, what falls due just now is counted by the next call, not by a look.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aimon_local.metering.dialect import Dialect
from aimon_local.metering.dialects import dialect_for
from aimon_local.policy import ai_gate, ai_refusals
from aimon_local.policy.account import Demand, Full, Peeked, peek
from aimon_local.policy.ai_gate import Ask, Blocked
from aimon_local.policy.ai_rule import TierRule
from aimon_local.policy.call import Answer, Call, NeedBody, Refuse
from aimon_local.policy.rule import Rule

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one tier says of a call."""

    dialect: Dialect | None  # None: a plain call
    ask: Ask | None
    demand: Demand  # the most that it can use
    limits: Sequence[Peeked] = ()  # every limit that it would count on; none where a gate is closed
    shadow: tuple[str, ...] = ()  # gates and limits in shadow that would refuse it
    blocked: Blocked | None = None
    full: Full | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call would be refused."""

    reason: str | None  # see policy.reasons; None: answered by a rule that gives no reason
    status: int
    message: str
    limit: str | None = None  # the limit, or the tier's word for the gate
    used: int = 0
    requested: int = 0
    wait: int | None = None  # nanoseconds until it would pass; NEVER; None: nothing that time changes


def look(rule: TierRule, call: Call, prompt_tokens: int | None = None) -> Look:
    """What a tier says of ``call``; ``prompt_tokens``: take these in place of our estimate of its body."""
    dialect, blocked = dialect_for(call.method, call.path), rule.gate(call)
    ask: Ask | Blocked | None = None
    if blocked is None and dialect is not None:
        document = ai_gate.parse(call.body or b"")
        if isinstance(document, Blocked):
            ask = document
        else:
            ask = ai_gate.judge(rule.terms, dialect, document, call.now_ns // _NS, prompt_tokens)
    barred = getattr(rule, "dry", None)  # an agent's scopes go before its tier
    if barred is not None:
        blocked = barred(call, ask.facts if ask is not None else None) or blocked
    if isinstance(ask, Blocked):
        blocked, ask = blocked or ask, None
    if blocked is not None:
        return Look(dialect, None, Demand(), blocked=blocked)
    accounts, _, _, demand = rule.wants(call, ask)
    limits, full = peek(accounts, demand, call.now_ns)
    shadow = [*(ask.shadow if ask is not None else ()), *(each.status.name for each in limits if _shadowed(each))]
    return Look(dialect, ask, demand, limits, tuple(shadow), full=full)


def _shadowed(peeked: Peeked) -> bool:
    return peeked.shadow and peeked.wait != 0


def denial(call: Call, rules: Sequence[Rule], found: Look) -> Denial | None:
    """The first refusal, in the order of the rules; ``found`` is what the tier among them says."""
    for rule in rules:
        stop = _of_tier(found) if isinstance(rule, TierRule) else _of_rule(rule, call)
        if stop is not None:
            return stop
    return None


def _of_tier(found: Look) -> Denial | None:
    blocked, full = found.blocked, found.full
    if blocked is not None:
        status = ai_refusals.TABLE[blocked.reason].status
        return Denial(blocked.reason, status, blocked.message, blocked.gate, requested=blocked.requested)
    if full is None:
        return None
    reason, standing = ai_refusals.reason_of(full), full.status
    code, text = ai_refusals.TABLE[reason].status, ai_refusals.text_of(full)
    return Denial(reason, code, text, standing.name, standing.used, full.requested, full.wait)


def _of_rule(rule: Rule, call: Call) -> Denial | None:
    stop = rule.peek(call)
    if stop is None or isinstance(stop, NeedBody):
        return None
    if isinstance(stop, Answer):
        return Denial(stop.reason, stop.status, stop.body.decode("utf-8", "replace"))
    assert isinstance(stop, Refuse)
    return Denial(stop.reason, stop.status, stop.message)
