"""A gateway with ``otel_endpoint``, and a collector that decodes what OTLP over HTTP brings."""

import gzip
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.live import GatewayProcess, ask, until

pytestmark = pytest.mark.live
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
PLAIN = {"": lambda body: body, "gzip": gzip.decompress, "deflate": zlib.decompress}


class Collector:
    """Keeps spans and instruments by name; ``heads``: of each request."""

    def __init__(self, port=0):
        self.spans, self.instruments, self.heads, self.service = [], {}, [], set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.heads.append({"path": self.path, **self.headers})
                outer.take(self.path, PLAIN[self.headers.get("Content-Encoding", "")](body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def take(self, path, body):
        if path == "/v1/traces":
            for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.service |= {
                    told.value.string_value for told in each.resource.attributes if told.key == "service.name"
                }
                self.spans += [span for scope in each.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for each in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.instruments |= {metric.name: metric for scope in each.scope_metrics for metric in scope.metrics}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def attributes(span):
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def chat(gateway):
    """One AI call of a consumer with a tier; its request's id."""
    host, port = gateway.builtin
    name = gateway.route(f"http://{host}:{port}")
    gateway.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
    gateway.write("POST", "/consumer_groups", {"name": "free"})
    gateway.write("POST", "/tiers", {"name": "free", "limits": [{"unit": "requests", "amount": 9, "period": "day"}]})
    gateway.plugin(name, "key-auth")
    consumer = gateway.write("POST", "/consumers", {"username": "ann"})["username"]
    gateway.write("POST", f"/consumers/{consumer}/consumer_groups", {"group": "free"})
    key = gateway.write("POST", f"/consumers/{consumer}/key-auth", {})["key"]
    body = b'{"model": "mock-small", "messages": [{"role": "user", "content": "hello"}]}'
    answer = ask(
        gateway.proxy, "POST", f"/{name}/v1/chat/completions", body, apikey=key, **{"Content-Type": "application/json"}
    )
    assert answer.status == 200, answer.body
    return answer.headers["X-Kong-Request-Id"], answer.json["usage"]


def test_a_call_is_traced_and_measured(tmp_path):
    with Collector() as collector:
        with GatewayProcess(tmp_path / "data", "--empty", "--otel-endpoint", collector.url, **QUICK) as gateway:
            request_id, usage = chat(gateway)
            until(lambda: len(collector.spans) >= 2 and "gen_ai.client.token.usage" in collector.instruments)
        server, call = sorted(collector.spans, key=lambda span: span.kind)
        assert (call.trace_id, call.parent_span_id) == (server.trace_id, server.span_id)
        assert attributes(server)["aimon.request_id"] == request_id
        assert attributes(server)["enduser.id"] == "ann"
        told = attributes(call)
        assert (told["gen_ai.operation.name"], told["gen_ai.request.model"]) == ("chat", "mock-small")
        sums = [told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]]
        assert sums == [usage["prompt_tokens"], usage["completion_tokens"]]
        points = collector.instruments["gen_ai.client.token.usage"].histogram.data_points
        assert sum(point.sum for point in points) == usage["total_tokens"]
        assert collector.service == {"aimon-local"}


def test_the_variable_of_opentelemetry_turns_it_on_and_the_end_tells_the_rest(tmp_path):
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "x-team=blue", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    with Collector() as collector:
        environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url  # batches wait 5 s by default, the end does not
        with GatewayProcess(tmp_path / "data", "--empty", **environ) as gateway:
            host, port = gateway.builtin
            name = gateway.route(f"http://{host}:{port}")
            assert ask(gateway.proxy, "GET", f"/{name}/get").status == 200
        assert [span.name for span in collector.spans] == [f"GET /{name}"]
        assert {head["x-team"] for head in collector.heads} == {"blue"}
        assert set(collector.instruments) == {"http.server.request.duration"}


def test_a_collector_that_is_gone_is_said_once_and_stops_nobody(tmp_path):
    with Collector() as collector:
        pass
    environ = {**QUICK, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"}
    with GatewayProcess(tmp_path / "data", "--empty", "--otel-endpoint", collector.url, **environ) as gateway:
        host, port = gateway.builtin
        name = gateway.route(f"http://{host}:{port}")
        for _ in range(3):
            assert ask(gateway.proxy, "GET", f"/{name}/get").status == 200
            until(lambda: "Failed to export spans" in gateway.said())
    said = gateway.said()
    assert said.count("Failed to export spans") == 1, said
    assert "Traceback" not in said


def test_off_by_default_nothing_of_it_is_imported(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        maps = f"/proc/{gateway.process.pid}/maps"
        try:
            with open(maps, encoding="utf-8") as file:
                loaded = file.read()
        except FileNotFoundError:
            pytest.skip("no /proc here")
        assert "google/_upb" not in loaded  # protobuf's own module


def test_an_address_that_is_none_keeps_it_from_starting(tmp_path):
    with pytest.raises(AssertionError, match="otel_endpoint: 'localhost:4317' is no http address"):
        GatewayProcess(tmp_path / "data", "--empty", "--otel-endpoint", "localhost:4317")


def without_the_extra(tmp_path):
    """Environment of a Python whose OpenTelemetry is not there."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    return {"PYTHONPATH": str(tmp_path)}


def test_without_the_extra_the_setting_says_what_to_install(tmp_path):
    with pytest.raises(
        AssertionError, match=r"otel_endpoint needs OpenTelemetry(.|\n)*pip install 'aimon-local\[otel\]'"
    ):
        GatewayProcess(
            tmp_path / "data", "--empty", "--otel-endpoint", "http://127.0.0.1:1", **without_the_extra(tmp_path)
        )


def test_without_the_extra_the_variable_of_other_programs_stops_nobody(tmp_path):
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **without_the_extra(tmp_path)}
    with GatewayProcess(tmp_path / "data", "--empty", **environ) as gateway:
        assert "OTEL_EXPORTER_OTLP_ENDPOINT is not used: pip install 'aimon-local[otel]'" in gateway.said()
