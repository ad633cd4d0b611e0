"""What is measured of each request: instruments of the semantic conventions, with their own buckets, and ours. Pure.

No consumer is in the attributes: a series per consumer is what the ledger is for. To add one: a line in ``MEASURES``
and its points in ``points``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aimon_local.exports.otel.spans import Place
from aimon_local.exports.otel.words import Attributes, asked, failure, gen_ai, http, tokens, upstream_failure
from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import UsageRow

_HTTP_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_AI_S = tuple(0.01 * 2**each for each in range(14))
_TOKENS = tuple(float(4**each) for each in range(14))
_NANO_DOLLARS = 1e9


@dataclass(frozen=True, slots=True)
class Measure:
    """An instrument: a histogram where it has buckets, else a counter."""

    unit: str
    about: str
    buckets: tuple[float, ...] = ()


MEASURES = {
    "http.server.request.duration": Measure("s", "Duration of HTTP server requests.", _HTTP_S),
    "gen_ai.client.token.usage": Measure("{token}", "Number of input and output tokens used.", _TOKENS),
    "gen_ai.client.operation.duration": Measure("s", "GenAI operation duration: the provider's part.", _AI_S),
    "gen_ai.server.request.duration": Measure("s", "GenAI request duration: as the client sees it.", _AI_S),
    "aimon.requests.denied": Measure("{request}", "Requests that were refused, by reason."),
    "aimon.cost": Measure("USD", "What AI calls cost us."),
    "aimon.charge": Measure("USD", "What AI calls bring."),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement on an instrument of ``MEASURES``."""

    measure: str
    value: float
    attributes: Attributes


def points(row: UsageRow, ai: AiRecord | None, place: Place) -> Iterator[Point]:
    """All that one request gives."""
    told: Attributes = http(row) | {"url.scheme": "http"}
    if place.path:
        told["http.route"] = place.path
    yield Point("http.server.request.duration", row.total_us / 1e6, told)
    tier: Attributes = {"aimon.tier": row.tier} if row.tier else {}
    if row.decision == "deny":
        yield Point("aimon.requests.denied", 1, {"aimon.deny_reason": row.deny_reason or "", **tier})
    if ai is not None and asked(row, ai):
        yield from _call(row, ai, tier)


def _call(row: UsageRow, ai: AiRecord, tier: Attributes) -> Iterator[Point]:
    key = gen_ai(ai)
    yield Point("gen_ai.client.operation.duration", _upstream_s(row), _failed(key, upstream_failure(row)))
    yield Point("gen_ai.server.request.duration", row.total_us / 1e6, _failed(key, failure(row)))
    if ai.source == "none":
        return
    for kind, count in zip(("input", "output"), tokens(ai), strict=True):
        yield Point("gen_ai.client.token.usage", count, {**key, "gen_ai.token.type": kind})
    for name, amount in (("aimon.cost", ai.cost), ("aimon.charge", ai.charge)):
        yield Point(name, amount / _NANO_DOLLARS, {**key, **tier})


def _upstream_s(row: UsageRow) -> float:
    return max(0, row.total_us - row.gateway_us) / 1e6


def _failed(key: Attributes, fault: str | None) -> Attributes:
    return key if fault is None else {**key, "error.type": fault}
