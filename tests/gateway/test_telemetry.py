"""Committed requests as the SDK has them: parents, times, sums, what went by unheard, and an end that waits for nobody."""

import asyncio
import logging
import threading
from contextlib import AsyncExitStack

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from aimon_local.gateway.events import Events
from aimon_local.gateway.telemetry import Telemetry, _bounded, _Complaints, start
from aimon_local.model.ai import AiRecord
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.event import Started
from aimon_local.model.rows import Change
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS
from tests.support.ledger import NOON, usage_row

ROUTE, SERVICE = "5f0c3a52-0000-4000-8000-000000000001", "5f0c3a52-0000-4000-8000-000000000002"
AI = AiRecord(
    *("openai.chat", "free", "gpt-4o-mini", "gpt-4o-mini", False, 5, 5, 9, 0),
    **{"input": 5, "output": 7, "cost": 2_000_000, "source": "reported", "complete": True},
)


class Seen:
    """A telemetry that sends nowhere, and what it would have sent."""

    def __init__(self, paths=("/ai",), bound=2_000):
        self.notes, self.events = [], Events(NOON, bound)
        catalog = Catalog(SCHEMAS, PLUGIN_SCHEMAS, {})
        service = {"id": SERVICE, "name": "llm", "host": "api.example", "port": 443}
        route = {"id": ROUTE, "name": "ai-route", "paths": list(paths), "service": {"id": SERVICE}}
        catalog.apply([Change("put", "services", service), Change("put", "routes", route)])
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.telemetry = Telemetry(
            self.events, catalog, "node-1", self.notes.append, SimpleSpanProcessor(self.exporter), self.reader
        )

    def tell(self, *commits):
        """Let it follow these commits, to the end of the events."""

        async def run():
            task = asyncio.get_running_loop().create_task(self.telemetry.run())
            await asyncio.sleep(0)
            for rows, ai in commits:
                self.events.committed(rows, ai)
            self.events.close()
            await task

        asyncio.run(run())
        return self.exporter.get_finished_spans()

    def measured(self):
        """Instrument → points."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {each.name: list(each.data.data_points) for scope in scopes for each in scope.metrics}


def row(number, **changes):
    return usage_row(number, route_id=ROUTE, service_id=SERVICE, **changes)


def test_an_ai_call_is_a_trace_of_two_spans_with_the_times_of_its_row():
    seen, one = Seen(), row(1, method="POST")
    call, server = sorted(seen.tell(([one], [(one.request_id, AI)])), key=lambda span: span.name, reverse=True)
    assert (server.name, server.kind, server.parent) == ("POST /ai", SpanKind.SERVER, None)
    assert (call.name, call.kind, call.parent) == ("chat gpt-4o-mini", SpanKind.CLIENT, server.context)
    assert (server.start_time, server.end_time) == (one.at_ns, one.at_ns + one.total_us * 1000)
    assert call.attributes["server.address"] == "api.example"
    assert server.attributes["aimon.route"] == "ai-route"
    assert server.resource.attributes["service.name"] == "aimon-local"
    assert server.resource.attributes["service.instance.id"] == "node-1"
    assert server.status.status_code is StatusCode.UNSET


def test_each_request_is_a_trace_of_its_own_and_a_failure_is_marked():
    seen = Seen()
    first, second = seen.tell(([row(1)], []), ([row(2, status=502, upstream_status=None)], []))
    assert first.context.trace_id != second.context.trace_id
    assert (first.status.status_code, second.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)


def test_measurements_add_up_and_have_the_buckets_of_the_conventions():
    seen, rows = Seen(), [row(1, method="POST"), row(2, method="POST")]
    denied = row(3, status=429, decision="deny", deny_reason="requests/day", upstream_status=None)
    seen.tell(([*rows, denied], [(each.request_id, AI) for each in rows]))
    found = seen.measured()
    tokens = {point.attributes["gen_ai.token.type"]: point for point in found["gen_ai.client.token.usage"]}
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {"input": (2, 10), "output": (2, 14)}
    assert tokens["input"].explicit_bounds[:3] == (1.0, 4.0, 16.0)
    assert [point.explicit_bounds[0] for point in found["gen_ai.server.request.duration"]] == [0.01]
    assert sum(point.count for point in found["http.server.request.duration"]) == 3
    assert [point.value for point in found["aimon.requests.denied"]] == [1]
    assert [point.value for point in found["aimon.cost"]] == [pytest.approx(0.004)]


@pytest.mark.parametrize("paths", [("/a", "/b"), ("~/a/[0-9]+",)])
def test_a_path_that_is_not_known_for_sure_is_not_told(paths):
    (span,) = Seen(paths).tell(([row(1)], []))
    assert span.name == "GET"
    assert "http.route" not in span.attributes


def test_a_route_that_is_gone_is_told_without_its_name():
    (span,) = Seen().tell(([usage_row(1)], []))
    assert not {"http.route", "aimon.route", "aimon.service"} & set(span.attributes)


def test_what_went_by_unheard_is_said_and_the_rest_is_told():
    seen = Seen(bound=3)
    spans = seen.tell(([row(number) for number in range(10)], []))
    assert [span.attributes["aimon.request_id"] for span in spans] == [row(number).request_id for number in (7, 8, 9)]
    assert seen.notes == ["otel: 7 events were gone before they could be told; they are in the ledger"]


def test_other_events_are_passed_over():
    seen = Seen()
    seen.events.publish(Started(NOON, "1", 1))
    assert seen.tell(([row(1)], []))[0].attributes["aimon.request_id"] == row(1).request_id


def test_the_environment_says_who_it_is(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "team-gateway")
    (span,) = Seen().tell(([row(1)], []))
    assert span.resource.attributes["service.name"] == "team-gateway"


def test_the_same_complaint_is_said_now_and_then():
    notes = []
    handler = _Complaints(notes.append)
    record = logging.LogRecord("opentelemetry.x", logging.ERROR, "", 1, "no %s", ("answer",), None)
    for created in (1_000.0, 1_001.0, 1_601.0):
        record.created = created
        handler.emit(record)
    assert notes == ["otel: no answer"] * 2


def test_an_end_does_not_wait_for_a_collector_that_hangs(monkeypatch):
    monkeypatch.setattr("aimon_local.gateway.telemetry._END_S", 0.01)
    hangs = threading.Event()
    asyncio.run(_bounded(hangs.wait))
    hangs.set()
    for thread in threading.enumerate():
        if thread.name == "otel-close":
            thread.join()  # it ends by itself, though the loop is gone


def test_a_start_that_fails_waits_for_nothing(monkeypatch):
    """What is started is ended at once where the events have not ended: then no request ever came."""
    monkeypatch.setattr("aimon_local.gateway.telemetry._END_S", 3600.0)

    async def run():
        async with asyncio.timeout(20), AsyncExitStack() as stack:
            catalog = Catalog(SCHEMAS, PLUGIN_SCHEMAS, {})
            start(Events(NOON), catalog, "http://127.0.0.1:1", "node-1", [].append, stack)

    asyncio.run(run())
    assert logging.getLogger("opentelemetry").propagate
