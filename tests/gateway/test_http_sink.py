"""Log entries to endpoints: in order, in batches, again after failures, bounded."""

import asyncio
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aimon_local.gateway.metrics import Metrics
from aimon_local.gateway.sinks import Sinks
from aimon_local.policy.rule import LogOrder
from tests.support.sinks import Rig


class Collector:
    """An HTTP server that notes what it gets and answers by a list of statuses, then 200."""

    def __init__(self):
        self.got, self.statuses = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.command, self.path, dict(self.headers), json.loads(body)))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def order(self, number, url="/log?x=1", queue=(), **config):
        bounds = {
            "max_batch_size": 1, "max_coalescing_delay": 1, "max_entries": 10, "max_bytes": None, "max_retry_time": 60,
            "initial_retry_delay": 0.01, "max_retry_delay": 60, "concurrency_limit": 1,
        } | dict(queue)  # fmt: skip
        known = {
            "plugin_id": "p", "http_endpoint": f"http://127.0.0.1:{self.port}{url}", "method": "POST", "timeout": 5000,
            "content_type": "application/json", "headers": None, "keepalive": 1000, "queue": bounds,
        }  # fmt: skip
        return LogOrder("http", known | config, {"n": number})


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.stop()


def test_entries_go_one_by_one(collector):
    rig = Rig()
    rig.run(*(collector.order(n, headers={"X-Own": "1"}) for n in range(3)))
    assert [body for *_, body in collector.got] == [{"n": 0}, {"n": 1}, {"n": 2}]
    method, path, headers, _ = collector.got[0]
    assert (method, path, headers["Content-Type"], headers["X-Own"]) == ("POST", "/log?x=1", "application/json", "1")
    assert (rig.reports, rig.pauses) == ([], [])


def test_batches_are_lists_and_wait_for_company(collector):
    rig = Rig()
    rig.run(
        *(collector.order(n, queue={"max_batch_size": 2, "max_coalescing_delay": 7}, method="PUT") for n in range(3))
    )
    assert [(method, body) for method, _, _, body in collector.got] == [
        ("PUT", [{"n": 0}, {"n": 1}]),
        ("PUT", [{"n": 2}]),
    ]
    assert rig.pauses == [7]


def test_a_refusal_is_tried_again_with_doubling_pauses(collector):
    rig = Rig()
    collector.statuses = [500, 429, 503]
    rig.run(collector.order(1, queue={"max_retry_delay": 0.03}))
    assert len(collector.got) == 4
    assert rig.pauses == [0.01, 0.02, 0.03]
    assert rig.reports == []


def test_after_the_retry_time_a_batch_is_given_up_and_the_next_one_sent(collector):
    rig = Rig()
    collector.statuses = [500, 500, 500]
    rig.run(*(collector.order(n, queue={"initial_retry_delay": 1, "max_retry_time": 3}) for n in (1, 2)))
    assert [body["n"] for *_, body in collector.got] == [1, 1, 1, 2]
    assert "given up: it answered 500" in str(rig.reports[0])


def test_credentials_of_the_url_are_sent_and_not_told(collector):
    rig = Rig()
    collector.statuses = [500] * 9
    url = f"http://us:pa@127.0.0.1:{collector.port}/l?key=secret"
    rig.run(collector.order(1, http_endpoint=url, queue={"max_retry_time": 0}))
    assert collector.got[0][2]["Authorization"] == "Basic dXM6cGE="
    assert not any(word in str(rig.reports[0]) for word in ("pa@", "secret"))


def test_a_full_queue_drops_the_oldest_and_says_so(collector):
    rig = Rig()
    rig.run(*(collector.order(n, queue={"max_entries": 2}) for n in range(6)))
    assert [body["n"] for *_, body in collector.got] == [4, 5]
    assert "4 entries" in str(rig.reports[0])


def test_a_queue_bounded_in_bytes(collector):
    rig, size = Rig(), len(b'{"n":0}')
    rig.run(*(collector.order(n, queue={"max_bytes": 3 * size}) for n in range(6)))
    assert [body["n"] for *_, body in collector.got] == [3, 4, 5]


def test_nobody_listening_is_a_fault_that_ends():
    with contextlib.closing(HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler).socket) as gone:
        port = gone.getsockname()[1]
    rig, collector = Rig(), Collector()
    try:
        order = collector.order(1, http_endpoint=f"http://127.0.0.1:{port}/", queue={"max_retry_time": 0.02})
        rig.run(order)
    finally:
        collector.stop()
    assert "given up" in str(rig.reports[0])


def test_an_end_that_comes_too_early_cuts_what_is_late(collector):
    async def main():
        async def forever(_):
            await asyncio.Event().wait()

        sinks = Sinks(Metrics(), lambda fault: None, forever)
        sinks.take(collector.order(1, queue={"max_batch_size": 2}))
        await asyncio.sleep(0)
        await sinks.close(0)

    asyncio.run(main())
    assert collector.got == []
