"""What a refused client sees on an AI route: the provider's own error object, status and retry signals. Pure.

``TABLE`` says it for each deny reason; an official SDK raises the exception that it would raise with the provider, and
stops or backs off as it should: both SDKs obey ``x-should-retry`` before all else, then ``retry-after-ms``, then
``Retry-After`` up to a minute; a longer one they ignore and hammer on, so what takes longer says not to retry.

To add a reason: one line in ``TABLE``, its text where it is refused, its meaning in ``policy.reasons``.
"""

import json
from dataclasses import dataclass
from typing import Any

from aimon_local.model.money import dollars
from aimon_local.policy.account import Full
from aimon_local.policy.ai_headers import duration, period_of, unit_of
from aimon_local.policy.call import Answer, Refuse

Field = tuple[bytes, bytes]
_JSON = b"application/json"
_NS = 1_000_000_000
_ENDLESS = ("run", "token")  # limits of an agent's run, and of a token: they are over when they are used up
_PATIENCE = 60 * _NS  # the longest wait that both SDKs honour


@dataclass(frozen=True, slots=True)
class Shape:
    """How a reason looks in OpenAI's and Anthropic's words."""

    status: int
    type: str  # OpenAI's
    code: str | None
    anthropic: str  # Anthropic's type
    retry: bool | None = None  # x-should-retry; None: the SDK's own rule for the status is right


TABLE: dict[str, Shape] = {
    "no_key": Shape(401, "invalid_request_error", "invalid_api_key", "authentication_error"),
    "invalid_key": Shape(401, "invalid_request_error", "invalid_api_key", "authentication_error"),
    "duplicate_key": Shape(401, "invalid_request_error", "invalid_api_key", "authentication_error"),
    "key_expired": Shape(401, "invalid_request_error", "key_expired", "authentication_error", False),
    "bad_request": Shape(400, "invalid_request_error", None, "invalid_request_error"),
    "route_not_allowed": Shape(403, "permission_error", "route_not_allowed", "permission_error"),
    "model_not_allowed": Shape(403, "permission_error", "model_not_allowed", "permission_error"),
    "model_not_priced": Shape(403, "permission_error", "model_not_priced", "permission_error"),
    "prompt_too_large": Shape(413, "invalid_request_error", "prompt_too_large", "request_too_large"),
    "output_too_large": Shape(400, "invalid_request_error", "output_too_large", "invalid_request_error"),
    "body_too_large": Shape(413, "invalid_request_error", "request_too_large", "request_too_large"),
    "request_limit": Shape(429, "requests", "rate_limit_exceeded", "rate_limit_error"),
    "token_limit": Shape(429, "tokens", "rate_limit_exceeded", "rate_limit_error"),
    "quota_exhausted": Shape(429, "insufficient_quota", "insufficient_quota", "rate_limit_error", False),
    "budget_exhausted": Shape(429, "insufficient_quota", "insufficient_quota", "rate_limit_error", False),
    "concurrency": Shape(429, "concurrent_requests", "concurrency_limit_exceeded", "rate_limit_error"),
    "approval_required": Shape(429, "approval_required", "approval_required", "rate_limit_error", False),
    "agent_disabled": Shape(403, "permission_error", "agent_disabled", "permission_error"),
    "owner_revoked": Shape(403, "permission_error", "owner_revoked", "permission_error"),
    "token_revoked": Shape(401, "invalid_request_error", "key_revoked", "authentication_error", False),
    "token_budget": Shape(429, "insufficient_quota", "token_budget_exceeded", "rate_limit_error", False),
    "scope_route": Shape(403, "permission_error", "route_not_allowed", "permission_error"),
    "scope_method": Shape(403, "permission_error", "method_not_allowed", "permission_error"),
    "scope_model": Shape(403, "permission_error", "model_not_allowed", "permission_error"),
    "scope_tool": Shape(403, "permission_error", "tool_not_allowed", "permission_error"),
    "scope_output": Shape(400, "invalid_request_error", "output_too_large", "invalid_request_error"),
    "run_forged": Shape(403, "permission_error", "run_forged", "permission_error"),
    "run_replayed": Shape(403, "permission_error", "run_replayed", "permission_error"),
    "run_requests": Shape(429, "insufficient_quota", "run_limit_exceeded", "rate_limit_error", False),
    "run_tokens": Shape(429, "insufficient_quota", "run_limit_exceeded", "rate_limit_error", False),
    "run_cost": Shape(429, "insufficient_quota", "run_limit_exceeded", "rate_limit_error", False),
    "run_time": Shape(429, "insufficient_quota", "run_limit_exceeded", "rate_limit_error", False),
    "run_depth": Shape(429, "abnormal_usage", "chain_depth_exceeded", "rate_limit_error", False),
    "run_fanout": Shape(429, "abnormal_usage", "chain_fanout_exceeded", "rate_limit_error", False),
    "throttled": Shape(429, "abnormal_usage", "agent_loop_suspected", "rate_limit_error"),
    "abnormal_usage": Shape(429, "abnormal_usage", "agent_loop_detected", "rate_limit_error", False),
    "queue_full": Shape(429, "requests", "queue_full", "rate_limit_error"),
    "queue_timeout": Shape(503, "server_error", "service_busy", "overloaded_error"),
    "rate_limited": Shape(429, "requests", "rate_limit_exceeded", "rate_limit_error"),
    "upstream_timeout": Shape(504, "timeout", "upstream_timeout", "timeout_error"),
}
"""By deny reason."""

_BY_STATUS = {
    401: Shape(401, "invalid_request_error", "invalid_api_key", "authentication_error"),
    403: Shape(403, "permission_error", None, "permission_error"),
    404: Shape(404, "invalid_request_error", "not_found", "not_found_error"),
    413: TABLE["body_too_large"],
    429: TABLE["rate_limited"],
    504: TABLE["upstream_timeout"],
}


def error(provider: str, shape: Shape, message: str, request_id: str, param: str | None = None, **more: Any) -> bytes:
    """The error object; ``more`` stands beside the provider's own members."""
    if provider == "anthropic":
        inner: dict[str, Any] = {"type": shape.anthropic, "message": message, **more}
        return json.dumps({"type": "error", "error": inner, "request_id": request_id}).encode()
    return json.dumps(
        {"error": {"message": message, "type": shape.type, "param": param, "code": shape.code, **more}}
    ).encode()


def refusal(provider: str, reason: str, message: str, request_id: str, param: str | None = None) -> Answer:
    """A refusal that no limit made."""
    shape = TABLE[reason]
    return Answer(shape.status, error(provider, shape, message, request_id, param), _JSON, _signals(shape), reason)


def reshaped(provider: str, stop: Refuse, request_id: str) -> Answer:
    """Another rule's or the gateway's refusal in the provider's words."""
    shape = TABLE.get(stop.reason) or _BY_STATUS.get(stop.status) or _fallback(stop.status)
    body = error(provider, shape, stop.message, request_id)
    return Answer(stop.status, body, _JSON, (*stop.fields, *_signals(shape)), stop.reason, stop.proxied)


def _fallback(status: int) -> Shape:
    if status >= 500:
        return Shape(status, "server_error", None, "api_error")
    return Shape(status, "invalid_request_error", None, "invalid_request_error")


def _signals(shape: Shape) -> tuple[Field, ...]:
    return () if shape.retry is None else ((b"x-should-retry", b"true" if shape.retry else b"false"),)


def reason_of(full: Full) -> str:
    """The deny reason of a limit without room."""
    name = full.status.name
    unit, period = unit_of(name), period_of(name)
    if period in _ENDLESS:
        return f"run_{unit}" if period == "run" else "token_budget"
    if unit == "concurrency":
        return "concurrency"
    if unit in ("cost", "charge"):
        return "budget_exhausted"
    if period in ("day", "week", "month"):
        return "quota_exhausted"
    return "token_limit" if unit.endswith("tokens") else "request_limit"


def waiting(full: Full) -> list[Field]:
    """When to come again: Retry-After always where there is such a time, and whether an SDK should wait for it."""
    if full.never:
        return [(b"x-should-retry", b"false")]
    fields = [(b"Retry-After", b"%d" % -(-full.wait // _NS))]
    shape = TABLE[reason_of(full)]
    if shape.retry is False or full.wait > _PATIENCE:
        fields.append((b"x-should-retry", b"false"))
    else:
        fields.append((b"retry-after-ms", b"%d" % -(-full.wait // 1_000_000)))
    return fields


def text_of(full: Full) -> str:
    """One sentence for people: which limit, how it stands, what was asked, when it is free again."""
    status = full.status
    unit = unit_of(status.name)
    show = dollars if unit in ("cost", "charge") else str
    standing = f"{status.name} of {show(status.amount)}: {show(status.used)} used, {show(full.requested)} requested"
    if period_of(status.name) in _ENDLESS:
        return f"Limit {standing}; it has no window that would begin anew"
    if full.never:
        return f"Limit {standing}; one request can't be larger than the whole limit"
    return f"Limit {standing}; try again in {duration(full.wait)}"


def limit_refusal(provider: str, full: Full, request_id: str, fields: tuple[Field, ...]) -> Answer:
    """A refusal by a limit; ``fields`` say how all limits stand."""
    reason = reason_of(full)
    shape, status = TABLE[reason], full.status
    detail = {
        "limit": status.name,
        "amount": status.amount,
        "used": status.used,
        "requested": full.requested,
        "resets_in_ms": None if full.never else -(-full.wait // 1_000_000),
    }
    body = error(provider, shape, text_of(full), request_id, aimon=detail)
    return Answer(shape.status, body, _JSON, (*fields, *waiting(full)), reason)


def approval_refusal(
    provider: str | None, full: Full, request_id: str, fields: tuple[Field, ...], id_: str
) -> Answer | Refuse:
    """A refusal by a limit that asks the operator: the question's id, and when the limit is free again anyway."""
    shape = TABLE["approval_required"]
    told = tuple(field for field in waiting(full) if field[0] == b"Retry-After")
    signals = (*fields, (b"X-Aimon-Approval", id_.encode()), *told, *_signals(shape))
    if provider is None:
        return Refuse(429, f"Approval required: {id_}", "approval_required", signals)
    text = f"{text_of(full)}, or when the operator approves {id_}"
    body = error(provider, shape, text, request_id, aimon={"approval": id_, "limit": full.status.name})
    return Answer(shape.status, body, _JSON, signals, "approval_required")


def plain_refusal(full: Full, fields: tuple[Field, ...]) -> Refuse:
    """The same on a plain route, in Kong's words."""
    return Refuse(429, "API rate limit exceeded", reason_of(full), (*fields, *waiting(full)))
