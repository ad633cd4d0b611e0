"""The ledger pushed to a sink that fails in every way: nothing is lost, and what comes twice has the same id."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, ask, until

pytestmark = pytest.mark.live


class Sink:
    """Takes batches; answers by a list of statuses first (None: it drops the connection), then 204."""

    def __init__(self, *statuses, port=0):
        self.ids, self.heads, self.statuses = [], [], list(statuses)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 204
                if status is None or status == "taken, then dropped":
                    outer.take(body, self.headers) if status else None
                    self.close_connection = True
                    return
                if status < 300:
                    outer.take(body, self.headers)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/events?key=hidden"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def take(self, body, heads):
        self.heads.append(dict(heads))
        self.ids += [event["id"] for event in json.loads(body)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def prepared(data, sink, **environ):
    return GatewayProcess(data, "--empty", "--push-url", sink.url, **environ)


def calls(gateway, times):
    """Ids of so many calls on a route of their own."""
    host, port = gateway.builtin
    name = gateway.route(f"http://{host}:{port}")
    return [ask(gateway.proxy, "GET", f"/{name}/get").headers["X-Kong-Request-Id"] for _ in range(times)]


def test_a_sink_that_fails_gets_everything_and_knows_what_came_twice(tmp_path):
    with Sink(500, None, "taken, then dropped", 503) as sink, prepared(tmp_path / "data", sink) as gateway:
        made = calls(gateway, 12)
        until(lambda: gateway.write("GET", "/push")["reached"] == len(made))
        twice = len(sink.ids) - len(set(sink.ids))
        assert twice > 0  # the batch that was taken without an answer came again, under the same ids
        assert [one for at, one in enumerate(sink.ids) if one not in sink.ids[:at]] == made
        assert sink.heads[0]["Content-Type"] == "application/cloudevents-batch+json"


def test_the_state_is_shown_without_what_is_secret(tmp_path):
    environ = {"AIMON_LOCAL_PUSH_TOKEN": "t0ken"}
    with Sink() as sink, prepared(tmp_path / "data", sink, **environ) as gateway:
        made = calls(gateway, 2)
        until(lambda: gateway.write("GET", "/push")["reached"] == len(made))
        shown = gateway.write("GET", "/push")
        assert shown == {
            **{"sink": f"http://127.0.0.1:{sink.port}/events", "state": "idle", "reached": 2, "lag": 0},
            **{"failures": 0, "error": None},
        }
        assert sink.heads[0]["Authorization"] == "Bearer t0ken"


def test_a_gateway_that_is_killed_goes_on_where_the_sink_is(tmp_path):
    with Sink() as sink:
        with prepared(tmp_path / "data", sink) as gateway:
            made = calls(gateway, 5)
            until(lambda: set(made) <= set(sink.ids))
            sink.statuses = [500] * 1000
            made += calls(gateway, 5)
            gateway.kill()
        sink.statuses = []
        with prepared(tmp_path / "data", sink):
            until(lambda: set(made) <= set(sink.ids))
    assert [one for at, one in enumerate(sink.ids) if one not in sink.ids[:at]] == made


def test_a_sink_that_is_down_gets_everything_when_it_is_back(tmp_path):
    with Sink() as sink:
        port = sink.port
    with prepared(tmp_path / "data", sink) as gateway:
        made = calls(gateway, 3)
        until(lambda: gateway.write("GET", "/push")["state"] == "waiting")
        with Sink(port=port) as back:
            until(lambda: set(made) <= set(back.ids))


def test_a_sink_that_refuses_for_good_is_said_and_left_alone(tmp_path):
    with Sink(403) as sink, prepared(tmp_path / "data", sink) as gateway:
        calls(gateway, 1)
        until(lambda: gateway.write("GET", "/push")["state"] == "stopped")
        shown = gateway.write("GET", "/push")
        assert (shown["error"], shown["lag"]) == ("it answered 403", 1)
        assert ask(gateway.proxy, "GET", "/").status == 404  # the proxy does not care


def test_without_a_sink_there_is_nothing_to_show(cli_gateway):
    assert ask(cli_gateway.admin, "GET", "/push").status == 404


@pytest.fixture(scope="module")
def cli_gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("no-push") / "data", "--empty") as running:
        yield running


@pytest.mark.parametrize("url", ["nowhere", "ftp://h/", "http://u:p@h/"])
def test_an_address_that_is_none_is_one_clear_line(tmp_path, url):
    words = (
        "up",
        "--headless",
        "--data",
        str(tmp_path),
        "--proxy-port",
        "0",
        "--admin-port",
        "0",
        "--upstream-port",
        "0",
    )
    said = Cli({}).fails(*words, "--push-url", url)
    assert "is no address of a sink" in said
