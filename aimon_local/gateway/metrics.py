"""The series of ``GET /metrics``, under Kong's names, and their text (Prometheus exposition format 0.0.4).

Chosen: a table of our own instead of a client library, because Kong has a counter (``kong_bandwidth_bytes``) whose name
a library would change. Counting is a few dictionary steps on the loop's thread, so it needs no lock; text is made only
when somebody asks. A new series is one entry of ``FAMILIES`` and the line that counts it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimon_local.gateway.standings import EMPTY, Standings, series
from aimon_local.model.money import NANO

CONTENT_TYPE = "text/plain; charset=UTF-8"
WORKSPACE = "default"

MODELS = 200
"""Names of models that are told apart, so that a price for all models makes no endless series; others are OTHER."""

OTHER = "other"

_KONG_BUCKETS = (1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000)
_LONG_BUCKETS = (25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000)

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its kind, what it means, its labels in Kong's order, the upper bounds of its buckets."""

    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()
    scale: int = 1  # what is counted is shown divided by it: money is added up in integers


_PLACE = ("service", "route")
_LIMIT = ("consumer", "tier", "limit")
_AI = ("ai_provider", "ai_model", "cache_status", "vector_db", "embeddings_provider", "embeddings_model")

FAMILIES: Mapping[str, Family] = {
    "aimon_denials_total": Family("counter", "Requests that were refused, by why", (*_PLACE, "reason")),
    "aimon_ai_cost_total": Family("counter", "Dollars that AI calls cost", ("tier", "ai_model"), scale=NANO),
    "aimon_ai_margin_dollars": Family("gauge", "What AI calls brought less what they cost", ("tier", "ai_model")),
    "aimon_ai_charge_total": Family("counter", "Dollars that AI calls bring", ("tier", "ai_model"), scale=NANO),
    "aimon_ai_denials_total": Family("counter", "Requests that a tier's limit or gate refused", ("tier", "limit")),
    "aimon_ai_estimated_total": Family("counter", "AI calls whose usage is our own count", ("tier", "ai_model")),
    "kong_ai_llm_cost_total": Family("counter", "Dollars that AI calls cost", (*_AI, "workspace"), scale=NANO),
    "kong_ai_llm_provider_latency_ms": Family(
        "histogram", "Milliseconds until the provider's head", (*_AI, "workspace"), _LONG_BUCKETS
    ),
    "kong_ai_llm_requests_total": Family("counter", "AI calls", (*_AI, "workspace")),
    "kong_ai_llm_tokens_total": Family("counter", "Tokens of AI calls", (*_AI, "token_type", "workspace")),
    "aimon_tier_in_flight": Family("gauge", "Calls that are admitted and not over", ("tier",)),
    "aimon_tier_limit": Family("gauge", "Size of a limit; money in dollars", _LIMIT),
    "aimon_tier_limit_remaining": Family("gauge", "What is left of a limit; money in dollars", _LIMIT),
    "aimon_tier_limit_omitted": Family("gauge", "Limits that are not shown: the fullest are"),
    "aimon_service_in_flight": Family("gauge", "Requests at a service with a bound", ("service",)),
    "aimon_service_slots": Family("gauge", "Requests that a service bears at once", ("service",)),
    "aimon_service_waiting": Family("gauge", "Requests that wait for a busy service", ("service", "tier")),
    "kong_bandwidth_bytes": Family(
        "counter",
        "Bytes of requests (ingress) and answers (egress), heads included",
        (*_PLACE, "direction", "workspace", "consumer"),
    ),
    "kong_datastore_reachable": Family("gauge", "1 where the database can be written, else 0"),
    "kong_http_requests_total": Family(
        "counter", "Answers by status and by who gave them", (*_PLACE, "code", "source", "workspace", "consumer")
    ),
    "kong_kong_latency_ms": Family(
        "histogram", "Milliseconds spent in the gateway", (*_PLACE, "workspace"), _KONG_BUCKETS
    ),
    "kong_memory_workers_lua_vms_bytes": Family(
        "gauge", "Resident memory of this process", ("node_id", "pid", "kong_subsystem")
    ),
    "aimon_clock_shift_seconds": Family("gauge", "Seconds by which the moved clock is ahead of real time", ()),
    "aimon_clock_speed": Family("gauge", "Times real time that the moved clock runs; 0: frozen", ()),
    "kong_nginx_connections_total": Family("gauge", "Client connections by state", ("node_id", "subsystem", "state")),
    "kong_nginx_metric_errors_total": Family("counter", "Errors while metrics were kept"),
    "kong_nginx_requests_total": Family("gauge", "Requests begun", ("node_id", "subsystem")),
    "kong_nginx_timers": Family("gauge", "Timers by state", ("state",)),
    "kong_node_info": Family("gauge", "Identity and version of this node", ("node_id", "version")),
    "kong_request_latency_ms": Family(
        "histogram",
        "Milliseconds from a request's head to the end of its answer",
        (*_PLACE, "workspace"),
        _LONG_BUCKETS,
    ),
    "kong_upstream_latency_ms": Family(
        "histogram", "Milliseconds until the upstream's head", (*_PLACE, "workspace"), _LONG_BUCKETS
    ),
    "kong_upstream_target_health": Family(
        "gauge",
        "Health of targets: 1 for the state that holds",
        ("upstream", "target", "address", "state", "subsystem"),
    ),
}


@dataclass(slots=True)
class Histogram:
    """Counts per bucket (the last: above all bounds), and the sum."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """What the process itself has to say when its metrics are asked for."""

    node_id: str
    version: str
    pid: int
    resident_bytes: int
    datastore_reachable: bool
    requests: int
    connections: Mapping[str, int] = field(default_factory=dict)  # by nginx's states: accepted, active, …
    health: Iterable[tuple[Labels, int]] = ()  # of kong_upstream_target_health
    clock: tuple[int, int] | None = None  # of a moved one: nanoseconds off real time, speed
    standings: Standings = EMPTY
    busy: Iterable[tuple[str, int, int, Mapping[str, int]]] = ()  # service, slots, in flight, waiting by tier


class Metrics:
    """Counters and histograms of one gateway."""

    __slots__ = ("_counters", "_errors", "_histograms", "_models")

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, int]] = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = {}
        self._errors = 0
        self._models: set[str] = set()

    def take(self, switches: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Count a request: ``switches`` and ``facts`` as the prometheus rule gives them."""
        place = (facts["service"], facts["route"])
        consumer = facts["consumer"]
        if switches["status_code_metrics"]:
            self.add("kong_http_requests_total", (*place, str(facts["code"]), facts["source"], WORKSPACE, consumer), 1)
        if switches["bandwidth_metrics"]:
            self.add("kong_bandwidth_bytes", (*place, "ingress", WORKSPACE, consumer), facts["bytes_in"])
            self.add("kong_bandwidth_bytes", (*place, "egress", WORKSPACE, consumer), facts["bytes_out"])
        if switches["latency_metrics"]:
            labels = (*place, WORKSPACE)
            self.observe("kong_request_latency_ms", labels, facts["total_us"] / 1000)
            self.observe("kong_kong_latency_ms", labels, facts["gateway_us"] / 1000)
            if facts["upstream_us"] is not None:
                self.observe("kong_upstream_latency_ms", labels, facts["upstream_us"] / 1000)

        if facts.get("reason") is not None:
            self.add("aimon_denials_total", (*place, facts["reason"]), 1)
        if facts.get("ai") is not None:
            self._take_ai(facts["ai"], facts["upstream_us"])

    def _take_ai(self, ai: Mapping[str, Any], upstream_us: int | None) -> None:
        """An AI call as the tiers' rule recorded it (model.ai.AiRecord)."""
        tier = ai["tier"]
        if ai["denied_limit"] is not None:
            self.add("aimon_ai_denials_total", (tier, ai["denied_limit"]), 1)
        if ai["source"] == "none":
            return
        model = self._model(ai["model"])
        labels = (ai["dialect"].partition(".")[0], model, "", "", "", "")
        self.add("kong_ai_llm_requests_total", (*labels, WORKSPACE), 1)
        self.add("kong_ai_llm_cost_total", (*labels, WORKSPACE), ai["cost"])
        into, out = ai["input"] + ai["cache_read"] + ai["cache_write"], ai["output"] + ai["reasoning"]
        for kind, tokens in (("prompt_tokens", into), ("completion_tokens", out), ("total_tokens", into + out)):
            self.add("kong_ai_llm_tokens_total", (*labels, kind, WORKSPACE), tokens)
        if upstream_us is not None:
            self.observe("kong_ai_llm_provider_latency_ms", (*labels, WORKSPACE), upstream_us / 1000)
        self.add("aimon_ai_charge_total", (tier, model), ai["charge"])
        self.add("aimon_ai_cost_total", (tier, model), ai["cost"])
        self.add("aimon_ai_estimated_total", (tier, model), int(ai["source"] == "estimated"))

    def _model(self, name: str) -> str:
        """A model's label."""
        if name not in self._models:
            if len(self._models) >= MODELS:
                return OTHER
            self._models.add(name)
        return name

    def _margins(self) -> dict[Labels, float]:
        """A margin can fall, so it is no counter."""
        brought = self._counters.get("aimon_ai_charge_total", {})
        cost = self._counters.get("aimon_ai_cost_total", {})
        return {labels: (value - cost.get(labels, 0)) / NANO for labels, value in sorted(brought.items())}

    def add(self, name: str, labels: Labels, amount: int) -> None:
        """Raise a counter; one that would fall is an error, and counted as such."""
        if amount < 0:
            self._errors += 1
            return
        series = self._counters.setdefault(name, {})
        series[labels] = series.get(labels, 0) + amount

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Put a value into a histogram."""
        bounds = FAMILIES[name].buckets
        series = self._histograms.setdefault(name, {})
        found = series.get(labels)
        if found is None:
            found = series[labels] = Histogram([0] * (len(bounds) + 1))
        found.counts[bisect_left(bounds, value)] += 1
        found.total += value

    def render(self, node: Node) -> str:
        """All series as text, families by name."""
        gauges = _gauges(node)
        gauges["kong_nginx_metric_errors_total"] = {(): self._errors}
        gauges["aimon_ai_margin_dollars"] = self._margins()
        lines: list[str] = []
        for name, family in FAMILIES.items():
            samples = [_sample(name, family.labels, labels, value) for labels, value in gauges.get(name, {}).items()]
            counted = self._counters.get(name, {})
            samples += [
                _sample(name, family.labels, labels, value if family.scale == 1 else value / family.scale)
                for labels, value in sorted(counted.items())
            ]
            for labels, histogram in sorted(self._histograms.get(name, {}).items()):
                samples += _buckets(name, family, labels, histogram)
            if samples:
                lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}", *samples]
        return "\n".join(lines) + "\n"


_STATES = ("accepted", "active", "handled", "reading", "total", "waiting", "writing")


def _gauges(node: Node) -> dict[str, dict[Labels, float]]:
    states = {**node.connections, "total": node.requests}
    shift, speed = node.clock or (0, 0)
    stands, omitted, in_flight = node.standings
    amounts, remaining = series(stands)
    return {
        "aimon_tier_in_flight": {(tier,): count for tier, count in sorted(in_flight.items())},
        "aimon_tier_limit": amounts,
        "aimon_tier_limit_remaining": remaining,
        "aimon_tier_limit_omitted": {(): omitted} if stands else {},
        "aimon_service_in_flight": {(service,): running for service, _, running, _ in node.busy},
        "aimon_service_slots": {(service,): slots for service, slots, _, _ in node.busy},
        "aimon_service_waiting": {
            (service, tier): count for service, _, _, tiers in node.busy for tier, count in tiers.items()
        },
        "aimon_clock_shift_seconds": {(): shift // 1_000_000_000} if node.clock else {},
        "aimon_clock_speed": {(): speed} if node.clock else {},
        "kong_datastore_reachable": {(): int(node.datastore_reachable)},
        "kong_memory_workers_lua_vms_bytes": {(node.node_id, str(node.pid), "http"): node.resident_bytes},
        "kong_nginx_connections_total": {(node.node_id, "http", state): states.get(state, 0) for state in _STATES},
        "kong_nginx_requests_total": {(node.node_id, "http"): node.requests},
        "kong_nginx_timers": {("pending",): 0, ("running",): 0},
        "kong_node_info": {(node.node_id, node.version): 1},
        "kong_upstream_target_health": dict(node.health),
    }


def _buckets(name: str, family: Family, labels: Labels, histogram: Histogram) -> list[str]:
    """Cumulative buckets, count and sum."""
    lines: list[str] = []
    running = 0
    for bound, count in zip((*family.buckets, "+Inf"), histogram.counts, strict=True):
        running += count
        lines.append(_sample(f"{name}_bucket", (*family.labels, "le"), (*labels, str(bound)), running))
    lines.append(_sample(f"{name}_count", family.labels, labels, running))
    lines.append(_sample(f"{name}_sum", family.labels, labels, histogram.total))
    return lines


def _sample(name: str, names: tuple[str, ...], values: Labels, number: float) -> str:
    labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(names, values, strict=True))
    shown = f"{name}{{{labels}}}" if labels else name
    return f"{shown} {number}" if isinstance(number, int) else f"{shown} {number:.14g}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
