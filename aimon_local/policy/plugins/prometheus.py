"""prometheus: what of each request goes into the metrics. ``gateway.metrics`` keeps the series and shows them."""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.ai import AiRecord
from aimon_local.model.schema import boolean, record
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.call import Call
from aimon_local.policy.rule import LogOrder, Outline, PluginType, Rule, Scope

SWITCHES = (
    "per_consumer",
    "status_code_metrics",
    "ai_metrics",
    "latency_metrics",
    "bandwidth_metrics",
    "upstream_health_metrics",
)


class Prometheus(Rule):
    """One configured instance."""

    __slots__ = ("_config",)

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._config = {name: bool(config.get(name)) for name in SWITCHES}

    def log(self, call: Call, outline: Outline) -> LogOrder | None:
        """The facts that the series are made of; the switches say which. What met no route counts nowhere (Kong)."""
        match, consumer = call.match, call.consumer
        if match is None:
            return None
        service = match.service
        facts = {
            "service": (service.name or service.host) if service is not None else "",
            "route": match.route.name or match.route.id,
            "consumer": (consumer.username or "") if consumer is not None and self._config["per_consumer"] else "",
            "code": outline.status,
            "source": "kong" if outline.upstream_status is None else "service",
            "gateway_us": outline.gateway_us,
            "upstream_us": outline.upstream_us,
            "total_us": outline.total_us,
            "bytes_in": outline.bytes_in,
            "bytes_out": outline.bytes_out,
            "reason": outline.reason,
            "ai": self._ai(call),
        }
        return LogOrder("metrics", self._config, facts)

    def _ai(self, call: Call) -> Mapping[str, Any] | None:
        """What the tiers' rule says of an AI call, where the switch is on."""
        record = call.notes.get(NOTE) if self._config["ai_metrics"] else None
        return record._asdict() if isinstance(record, AiRecord) else None


PLUGIN = PluginType(
    "prometheus",
    13,
    record("config", *(boolean(name, default=False) for name in SWITCHES), required=True),
    Prometheus,
)
