"""OpenTelemetry: committed requests in, traces and measurements out, over OTLP/HTTP. The extra ``otel``.

Only a gateway with an ``otel_endpoint`` imports this. It follows the ring of events as any listener does, and what it
makes of them it makes on a thread, so no call waits for it. What a request tells stands in ``exports.otel``; batches,
tries, sampling, headers and all else that the ``OTEL_…`` variables set are the SDK's. Telemetry may get lost, the
ledger does not: what has to be complete is pushed (``gateway.push``).
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from aimon_local import __version__
from aimon_local.errors import StartError
from aimon_local.exports.otel import MEASURES, Place, points, spans
from aimon_local.gateway.events import Events
from aimon_local.model.catalog import Catalog
from aimon_local.model.event import RequestEnded

_REST_S = 0.1  # between two looks
_LONGEST_S = 3600.0
_END_S = 3.0  # for what is still to be sent at the end
_QUIET_S = 600.0  # the same complaint again
_log = logging.getLogger("opentelemetry")

Told = tuple[RequestEnded, Place]


class Telemetry:
    """Follows the events, from its start on."""

    def __init__(
        self,
        events: Events,
        catalog: Catalog,
        node: str,
        note: Callable[[str], None],
        processor: SpanProcessor,
        reader: MetricReader,
    ) -> None:
        self._events, self._catalog, self._note = events, catalog, note
        resource = _resource(node)
        self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._tracers.add_span_processor(processor)
        self._meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._tracer = self._tracers.get_tracer("aimon-local", __version__)
        self._instruments = self._make_instruments()

    async def run(self) -> None:
        """Tell of requests until the events end."""
        at = self._events.last
        while not self._events.closed:
            await self._events.more(at, _LONGEST_S)
            at = await self._look(at)
            await asyncio.sleep(_REST_S)
        await self._look(at)

    async def _look(self, at: int) -> int:
        """Tell all that stands behind a number; the number that was reached."""
        gap = self._events.gap(at)
        if gap is not None:
            at = gap.next - 1
            self._note(f"otel: {gap.missed} events were gone before they could be told; they are in the ledger")
        while batch := self._events.after(at):
            at = batch[-1][0]
            told = [(event, self._place(event)) for _, event in batch if isinstance(event, RequestEnded)]
            if told:
                await asyncio.to_thread(self._tell, told)
        return at

    def close(self) -> None:
        """Send what is still there; blocking, for as long as the SDK tries."""
        self._tracers.shutdown()
        self._meters.shutdown()

    def _tell(self, batch: Sequence[Told]) -> None:
        for event, place in batch:
            self._trace(event, place)
            for point in points(event.row, event.ai, place):
                instrument = self._instruments[point.measure]
                if isinstance(instrument, Histogram):
                    instrument.record(point.value, point.attributes)
                else:
                    instrument.add(point.value, point.attributes)

    def _trace(self, event: RequestEnded, place: Place) -> None:
        parent = None
        for each in spans(event.row, event.ai, place):
            around = None if parent is None else trace.set_span_in_context(parent)
            kind = SpanKind[each.kind]
            span = self._tracer.start_span(each.name, around, kind, each.attributes, start_time=each.start)
            if each.error is not None:
                span.set_status(Status(StatusCode.ERROR))
            span.end(each.end)
            parent = parent or span

    def _place(self, event: RequestEnded) -> Place:
        """The names and the address of where it went."""
        row = event.row
        route = self._catalog.select("routes", row.route_id) if row.route_id else None
        service = self._catalog.select("services", row.service_id) if row.service_id else None
        paths = [] if route is None else route["paths"] or []
        path = paths[0] if len(paths) == 1 and not paths[0].startswith("~") else None
        name = None if route is None else route["name"]
        if service is None:
            return Place(name, path)
        return Place(name, path, service["name"], service["host"], service["port"])

    def _make_instruments(self) -> dict[str, Histogram | Counter]:
        meter = self._meters.get_meter("aimon-local", __version__)
        made: dict[str, Histogram | Counter] = {}
        for name, each in MEASURES.items():
            if each.buckets:
                made[name] = meter.create_histogram(
                    name, each.unit, each.about, explicit_bucket_boundaries_advisory=each.buckets
                )
            else:
                made[name] = meter.create_counter(name, each.unit, each.about)
        return made


class _Complaints(logging.Handler):
    """What the SDK has to say, as notes of ours, each now and then."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note, self._said = note, dict[tuple[str, str], float]()

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, if it was not said lately."""
        key = (record.name, str(record.msg))
        if record.created - self._said.get(key, -_QUIET_S) >= _QUIET_S:
            self._said[key] = record.created
            self._note(f"otel: {record.getMessage()}")


def _resource(node: str) -> Resource:
    """Who sends; what the environment says of it holds (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES)."""
    ours = {"service.name": "aimon-local", "service.version": __version__, "service.instance.id": node}
    return Resource.create(ours).merge(OTELResourceDetector().detect())


def start(
    events: Events,
    catalog: Catalog,
    endpoint: str,
    node: str,
    note: Callable[[str], None],
    stack: AsyncExitStack,
) -> Telemetry:
    """Begin to tell, until ``stack`` ends; raises StartError for an endpoint that can't be one."""
    base = endpoint.rstrip("/")
    if not base.startswith(("http://", "https://")):
        hint = "give the base of OTLP over HTTP, such as http://localhost:4318"
        raise StartError(f"otel_endpoint: {endpoint!r} is no http address", hint)
    exporter = OTLPSpanExporter(f"{base}/v1/traces")
    metrics = OTLPMetricExporter(f"{base}/v1/metrics")
    reader = PeriodicExportingMetricReader(metrics)
    telemetry = Telemetry(events, catalog, node, note, BatchSpanProcessor(exporter), reader)
    complaints = _Complaints(note)
    _log.addHandler(complaints)
    _log.propagate = False
    task = asyncio.get_running_loop().create_task(telemetry.run())

    async def end() -> None:
        if events.closed:  # else the start has failed, and nothing came
            await asyncio.wait([task], timeout=_END_S)  # what is committed is still told
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _bounded(telemetry.close)
        _log.removeHandler(complaints)
        _log.propagate = True

    stack.push_async_callback(end)
    return telemetry


async def _bounded(close: Callable[[], None]) -> None:
    """Close on a thread that does not keep the process: a collector that is gone must not hold up the end."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        try:
            close()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=work, name="otel-close", daemon=True).start()
    try:
        async with asyncio.timeout(_END_S):
            await done.wait()
    except TimeoutError:
        return
