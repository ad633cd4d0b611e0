"""What guards say: to the client, to the ledger, to those who listen. No text of a request is in any of it."""

import json
from collections.abc import Iterable

from aimon_local.metering.dialects import dialect_for
from aimon_local.model.event import GuardSpoke
from aimon_local.model.guard_words import SAID, WORDS
from aimon_local.policy import ai_refusals, reasons
from aimon_local.policy.call import Answer, Call
from aimon_local.policy.guards.boxes import Spoken

NOTE = "ai"
"""Where the tier's rule leaves the record for the ledger (``ai_rule.NOTE``)."""

WARNING = b"X-Aimon-Warning"
TELLS = {
    "repeat": "The same call has come {} times in a row",
    "ping_pong": "The same two steps have taken turns {} times",
    "no_progress": "{} calls in a row got the same result from their tools",
    "growth": "The prompt has grown by leaps {} times in a row",
    "velocity": "The spend of this minute is {} times the usual",
    "storm": "{} calls came again before the time that a refusal had named",
    "errors": "{} calls in a row failed",
}
"""By guard; the count goes in."""

CODES = {
    "repeat": "agent_loop_detected",
    "ping_pong": "agent_loop_detected",
    "no_progress": "agent_loop_detected",
    "growth": "prompt_growth_detected",
    "velocity": "spend_velocity_exceeded",
    "storm": "retry_storm",
    "errors": "error_loop_detected",
}
PROBLEM = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
"""The problem type of the IETF draft on rate limit fields (draft-ietf-httpapi-ratelimit-headers)."""

_NS = 1_000_000_000
_MS = 1_000_000


def note(call: Call, said: Iterable[str]) -> None:
    """Words for the ledger's row."""
    before = call.notes.get(WORDS)
    call.notes[WORDS] = " ".join((*((before,) if isinstance(before, str) else ()), *said))


def say(call: Call, guard: str, action: str, count: int, threshold: int, shadow: bool) -> None:
    """An event."""
    said = call.notes.setdefault(SAID, [])
    consumer = call.consumer
    if isinstance(said, list) and consumer is not None:
        name = consumer.username or consumer.custom_id or ""
        facts = (guard, action, count, threshold, shadow, call.request_id)
        said.append(GuardSpoke(call.now_ns, consumer.id, name, *facts))


def warning(spoken: Iterable[Spoken]) -> bytes:
    """The header's value: which guard, how it stands, what is next."""
    return b", ".join(f"{each.guard}; count={each.times}; action={each.grade.word}".encode() for each in spoken)


def throttled(call: Call, worst: Spoken, wait_ns: int) -> Answer:
    """A 429 for who comes too soon."""
    fields = (
        (b"Retry-After", b"%d" % -(-wait_ns // _NS)),
        (b"retry-after-ms", b"%d" % -(-wait_ns // _MS)),
        (WARNING, warning((worst,))),
    )
    text = f"{TELLS[worst.guard].format(worst.times)}: from {worst.threshold} on calls need a pause between them"
    return _answer(call, reasons.THROTTLED, worst.guard, text, fields)


def denied(call: Call, guard: str, text: str, wait_ns: int) -> Answer:
    """A 429 that no SDK tries again."""
    fields = ((b"Retry-After", b"%d" % -(-wait_ns // _NS)), (b"x-should-retry", b"false"))
    return _answer(call, reasons.ABNORMAL_USAGE, guard, text, fields)


def _answer(call: Call, reason: str, guard: str, text: str, fields: tuple[tuple[bytes, bytes], ...]) -> Answer:
    dialect = dialect_for(call.method, call.path)
    if dialect is not None:
        shape = ai_refusals.TABLE[reason]
        if reason == reasons.ABNORMAL_USAGE:
            shape = ai_refusals.Shape(shape.status, shape.type, CODES.get(guard), shape.anthropic)
        body = ai_refusals.error(dialect.provider, shape, text, call.request_id, aimon={"guard": guard})
        return Answer(429, body, b"application/json", fields, reason)
    problem = {
        "type": PROBLEM,
        "title": "Abnormal usage detected",
        "status": 429,
        "detail": text,
        "violated-policies": [guard],
    }
    return Answer(429, json.dumps(problem).encode(), b"application/problem+json", fields, reason)
