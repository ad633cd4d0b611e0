"""kill -9 under load: what a client saw complete is stored, once, and windows go on where they were."""

import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import pytest

from tests.support.live import WAIT, GatewayProcess, Upstream, Wire, ask, ask_on, room_in, until

CLIENTS = 8
HOUR_LIMIT = 1_000_000


class Load:
    """Clients that note what they saw complete."""

    def __init__(self, where, target, key):
        self.seen = []
        self._where, self._target, self._key = where, target, key
        self._threads = [threading.Thread(target=self._call) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _call(self):
        connection = HTTPConnection(*self._where, timeout=WAIT)
        with suppress(OSError, HTTPException):
            while True:
                reply = ask_on(connection, "GET", self._target, apikey=self._key)
                assert reply.status == 200
                self.seen.append(reply.request_id)
        connection.close()

    def over(self):
        for thread in self._threads:
            thread.join(WAIT)
        return self.seen


@pytest.mark.parametrize("http", ["auto", "h11"])
def test_kill_under_load(tmp_path, upstream, http):
    seen: list[str] = []
    room_in(3600, 20)
    with GatewayProcess(tmp_path / "data", "--http", http) as gateway:
        name = gateway.route(upstream.url)
        gateway.plugin(name, "key-auth")
        loader, key = gateway.consumer(rate_limiting={"hour": HOUR_LIMIT})
        capped, capped_key = gateway.consumer(rate_limiting={"hour": 3})
        for _ in range(3):
            assert ask(gateway.proxy, "GET", f"/{name}/capped", apikey=capped_key).status == 200
        load = Load(gateway.proxy, f"/{name}/load", key)
        until(lambda: len(load.seen) > 100)
        gateway.kill()
        seen += load.over()
    for number in range(3):
        with GatewayProcess(tmp_path / "data", "--http", http) as gateway:
            rows = [row["request_id"] for row in gateway.rows("consumer = ?", loader)]
            assert set(seen) <= set(rows)
            assert len(rows) == len(set(rows)) == gateway.totals(loader)["requests"]
            assert len(rows) <= upstream.count("/load") + number  # a row of each probe below
            # what was admitted and not yet answered is counted or not: never more than the clients there are
            probe = ask(gateway.proxy, "GET", f"/{name}/probe", apikey=key)
            used = HOUR_LIMIT - int(probe.headers["X-RateLimit-Remaining-Hour"]) - 1
            seen.append(probe.request_id)
            assert len(rows) <= used <= len(rows) + CLIENTS * (number + 1)
            refused = ask(gateway.proxy, "GET", f"/{name}/capped", apikey=capped_key)
            assert (refused.status, refused.json["message"]) == (429, "API rate limit exceeded")
            assert gateway.totals(capped)["requests"] == upstream.count("/capped") == 3
            load = Load(gateway.proxy, f"/{name}/load", key)
            enough = len(load.seen) + 50 + 70 * number
            until(lambda load=load, enough=enough: len(load.seen) > enough)
            gateway.kill()
            seen += load.over()


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n"


@pytest.mark.parametrize(
    ("path", "first", "end"), [("whole", b"\r\n\r\n", b"last"), ("chunked", b"end\r\n", b"0\r\n\r\n")]
)
def test_kill_in_the_moment_of_the_last_byte(tmp_path, path, first, end):
    data, seen, name, go = tmp_path / "data", [], "", threading.Event()

    def script(visit):
        if path == "whole":
            visit.send(WHOLE)
        else:
            visit.send(CHUNKED)
            go.wait(WAIT)
            go.clear()
            visit.send(b"0\r\n\r\n")

    with Upstream(script) as upstream:
        for _ in range(5):
            with GatewayProcess(data) as gateway:
                assert [(row["request_id"], row["complete"]) for row in gateway.rows()] == [(each, 1) for each in seen]
                name = name or gateway.route(upstream.url)
                with Wire(gateway.proxy) as wire:
                    wire.send(f"GET /{name}/{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                    head = wire.until(first)
                    go.set()
                    wire.until(end)
                    gateway.process.kill()
                seen.append(head.split(b"X-Kong-Request-Id: ")[1][:32].decode())
        with GatewayProcess(data) as gateway:
            assert [row["request_id"] for row in gateway.rows()] == seen
