"""The gateway's own refusals, with Kong's words, and what an upstream's failure looks like to a client."""

import re

from aimon_local.policy import reasons
from aimon_local.policy.call import Refuse
from aimon_local.wire.message import Failure, FailureKind, Header

CLIENT_GONE = 499  # nginx's word for "the client closed the request", known to Kong's users

STORE_DOWN = Refuse(503, "The usage ledger is not available", reasons.LEDGER_UNAVAILABLE)
NO_ROUTE = Refuse(404, "no Route matched with those values", reasons.NO_ROUTE)
NO_SERVICE = Refuse(503, "no Service found with those values", reasons.NO_SERVICE)
NO_PEER = Refuse(503, "failure to get a peer from the ring-balancer", reasons.NO_PEER)
TOO_LARGE = Refuse(413, "Payload too large", reasons.BODY_TOO_LARGE)
ANSWER_TOO_LARGE = Refuse(502, "The upstream's answer is too large to be transformed", reasons.ANSWER_TOO_LARGE)
FAULT = Refuse(500, "An unexpected error occurred", reasons.INTERNAL_FAULT, failure=True)

NEVER_PASSED = frozenset(("TRACE", "CONNECT"))
"""TRACE would show the gateway's own fields (RFC 9110 §9.3.8), CONNECT is no proxying here."""
METHOD = re.compile(r"[A-Z_-]+")
"""What nginx, and so Kong, takes for a method."""
_NOT_ALLOWED = Refuse(405, "Method not allowed", reasons.METHOD_NOT_ALLOWED, failure=True)
_NO_METHOD = Refuse(400, "Bad request", reasons.METHOD_NOT_ALLOWED, failure=True)

REPEATED = Refuse(400, "Bad request", reasons.FIELD_REPEATED, failure=True)
_UNIQUE = frozenset(
    (
        b"authorization",
        b"content-range",
        b"expect",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
    )
)  # as nginx, and so Kong, has them; Host and the framing fields are the wire's own matter

_UNRESOLVED = Refuse(503, "name resolution failed", reasons.UPSTREAM_UNRESOLVED)
_INVALID = Refuse(
    502,
    "An invalid response was received from the upstream server",
    reasons.UPSTREAM_FAILED,
    failure=True,
    proxied=True,
)
_TIMED_OUT = Refuse(504, "The upstream server is timing out", reasons.UPSTREAM_TIMEOUT, failure=True, proxied=True)
_BY_KIND = {
    FailureKind.RESOLVE: _UNRESOLVED,
    FailureKind.CONNECT_TIMEOUT: _TIMED_OUT,
    FailureKind.WRITE_TIMEOUT: _TIMED_OUT,
    FailureKind.READ_TIMEOUT: _TIMED_OUT,
}

_NS = 1_000_000_000


def queue_full(wait: int) -> Refuse:
    """As many requests of the caller's tier wait for a busy service as may; ``wait``: about how long, nanoseconds."""
    return Refuse(429, "Too many requests are waiting for this service", reasons.QUEUE_FULL, _again(wait))


def queue_timeout(wait: int) -> Refuse:
    """It waited in vain."""
    return Refuse(503, "The service is busy", reasons.QUEUE_TIMEOUT, _again(wait))


def _again(wait: int) -> tuple[tuple[bytes, bytes], ...]:
    """When to come again: a guess, from a second to a minute, which is as long as official SDKs obey."""
    wait = min(max(wait, _NS), 60 * _NS)
    return (b"Retry-After", b"%d" % -(-wait // _NS)), (b"retry-after-ms", b"%d" % (wait // 1_000_000))


FINAL = frozenset((FailureKind.RESOLVE, FailureKind.TLS, FailureKind.BAD_ANSWER, FailureKind.CUT))
"""Failures that another try would not change."""


def repeats(fields: list[Header]) -> bool:
    """Whether a field that can only come once came twice: which one would the upstream believe?"""
    names = [name for name, _, _ in fields]
    once = set(names)
    return len(once) != len(names) and any(names.count(name) > 1 for name in once & _UNIQUE)


def for_method(method: str) -> Refuse:
    """What a method that is never passed on gets."""
    return _NOT_ALLOWED if method in NEVER_PASSED else _NO_METHOD


def for_failure(failure: Failure) -> Refuse:
    """What the client is told."""
    return _BY_KIND.get(failure.kind, _INVALID)
