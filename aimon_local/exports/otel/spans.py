"""The spans of one request: the gateway's own (SERVER) and, where a provider was asked, the call's (CLIENT). Pure.

Times are real ones, whatever the gateway's clock shows. The ledger keeps no ``traceparent``, so each request is a trace
of its own; ``aimon.request_id`` is what its row is found by.
"""

from dataclasses import dataclass, field

from aimon_local.exports.otel.words import Attributes, asked, failure, gen_ai, http, tokens, upstream_failure
from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import UsageRow

_US = 1_000  # nanoseconds
_NANO_DOLLARS = 1e9


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request went, by the names of now; all None where that is gone."""

    route: str | None = None
    path: str | None = None  # the route's own, where it has just one and no pattern
    service: str | None = None
    host: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """One span; the second of a request is the child of the first. Times in nanoseconds since the epoch."""

    name: str
    kind: str  # SERVER or CLIENT
    start: int
    end: int
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None


def spans(row: UsageRow, ai: AiRecord | None, place: Place) -> list[Span]:
    """One, or two."""
    start = row.at_ns - row.shift_ns
    end = start + row.total_us * _US
    told = http(row) | _http_more(row, place) | _ours(row, ai, place)
    method = str(told["http.request.method"]).replace("_OTHER", "HTTP")
    name = f"{method} {place.path}" if place.path else method
    found = [Span(name, "SERVER", start, end, told, failure(row))]
    if ai is not None and asked(row, ai):
        begun = min(start + row.gateway_us * _US, end)
        call = _call(row, ai, place)
        name = f"{call['gen_ai.operation.name']} {ai.model}".rstrip()
        found.append(Span(name, "CLIENT", begun, end, call, upstream_failure(row)))
    return found


def _http_more(row: UsageRow, place: Place) -> Attributes:
    told: Attributes = {
        "url.scheme": "http",
        "http.request.body.size": row.bytes_in,
        "http.response.body.size": row.bytes_out,
    }
    if place.path:
        told["http.route"] = place.path
    return told


def _ours(row: UsageRow, ai: AiRecord | None, place: Place) -> Attributes:
    """Who called, by what plan, and what the gateway decided."""
    said = {
        "aimon.request_id": row.request_id,
        "aimon.decision": row.decision,
        "aimon.deny_reason": row.deny_reason,
        "aimon.route": place.route,
        "aimon.service": place.service,
        "aimon.tier": row.tier,
        "enduser.id": row.consumer,
    }
    if ai is not None:
        said |= {"gen_ai.request.model": ai.model, "gen_ai.agent.name": ai.agent, "aimon.agent.owner": ai.owner}
        said |= {"aimon.agent.run": ai.run, "aimon.denied_limit": ai.denied_limit, "aimon.guard": ai.guard}
    return {name: value for name, value in said.items() if value}


def _call(row: UsageRow, ai: AiRecord, place: Place) -> Attributes:
    """The provider's side of an AI call: model, tokens, money."""
    told = gen_ai(ai) | {"gen_ai.request.stream": ai.stream}
    fault = upstream_failure(row)
    if fault is not None:
        told["error.type"] = fault
    if place.host:
        told["server.address"] = place.host
        if place.port:
            told["server.port"] = place.port
    if ai.finish_reason:
        told["gen_ai.response.finish_reasons"] = (ai.finish_reason,)
    if ai.source == "none":
        return told
    told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"] = tokens(ai)
    parts = {
        "cache_read.input": ai.cache_read,
        "cache_creation.input": ai.cache_write,
        "reasoning.output": ai.reasoning,
    }
    told |= {f"gen_ai.usage.{part}_tokens": count for part, count in parts.items() if count}
    return told | {
        "aimon.usage.source": ai.source,
        "aimon.cost_usd": ai.cost / _NANO_DOLLARS,
        "aimon.charge_usd": ai.charge / _NANO_DOLLARS,
    }
