"""Events of a running gateway: what is committed, from anywhere in the ring, and no cost for others."""

import asyncio
import json
import socket
import sqlite3
from contextlib import closing, suppress

from aimon_local.client.events import parsed
from aimon_local.gateway.app import Gateway
from aimon_local.gateway.settings import Settings
from tests.support.ledger import usage_row
from tests.support.live import GatewayProcess, Wire, ask


class Listener:
    """A raw client of ``GET /events``."""

    def __init__(self, gateway, query="", last=None):
        self.wire = Wire(gateway.admin)
        resume = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.wire.send(f"GET /events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{resume}\r\n".encode())
        assert b" 200 OK" in self.wire.until(b"\r\n\r\n")
        self._chunk()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.wire.socket.close()

    def _chunk(self):
        size = int(self.wire.until(b"\r\n"), 16)
        return self.wire.exactly(size + 2)[:-2]

    def events(self, count):
        """The next events; those of one chunk come together, so there may be more."""
        found = []
        while len(found) < count:
            found += parsed(self._chunk().splitlines(keepends=True))
        return found


def open_route(gateway):
    return gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))


def test_a_request_is_told_with_its_row(gateway):
    name = open_route(gateway)
    with Listener(gateway, "?kinds=request") as listener:
        request_id = ask(gateway.proxy, target=f"/{name}/get").request_id
        told = listener.events(1)[0]
    assert told.data["request_id"] == request_id
    assert ask(gateway.admin, target=f"/requests/{request_id}").json == {
        **told.data, "route": name, "service": name, "corrections": [],
    }  # fmt: skip


def test_who_comes_back_misses_nothing(gateway):
    name = open_route(gateway)
    with Listener(gateway, "?kinds=request") as listener:
        ids = [ask(gateway.proxy, target=f"/{name}/get").request_id for _ in range(3)]
        told = listener.events(3)
    ids += [ask(gateway.proxy, target=f"/{name}/get").request_id for _ in range(3)]
    with Listener(gateway, "?kinds=request", told[1].number) as listener:
        again = listener.events(4)
    assert [each.data["request_id"] for each in told[:2] + again] == ids
    numbers = [each.number for each in told[:2] + again]
    assert numbers == list(range(numbers[0], numbers[0] + 6))


def test_a_write_is_told_without_what_it_wrote(gateway):
    with Listener(gateway, "?kinds=config") as listener:
        consumer, key = gateway.consumer()
        first, second = listener.events(2)
    assert [(each["op"], each["kind"], each["name"]) for each in first.data["changes"]] == [
        ("put", "consumers", consumer)
    ]
    assert second.data["changes"][0]["kind"] == "keyauth_credentials"
    assert key not in json.dumps(second.data)


def test_a_restart_is_a_gap(tmp_path):
    with GatewayProcess(tmp_path / "data") as gateway, Listener(gateway, "?after=0") as listener:
        last = listener.events(2)[-1].number
    with GatewayProcess(tmp_path / "data") as gateway, Listener(gateway, "", last) as listener:
        gap, start = listener.events(2)[:2]
    assert (gap.kind, gap.data["after"], gap.data["reason"], start.kind) == ("gap", last, "restart", "start")
    assert gap.data["next"] == start.number > last


def test_only_what_is_committed_is_told(tmp_path):
    with GatewayProcess(tmp_path / "data") as gateway:
        name = open_route(gateway)
        with (
            Listener(gateway, "?kinds=request,ledger") as listener,
            closing(sqlite3.connect(gateway.data / "aimon-local.db", isolation_level=None)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            assert ask(gateway.proxy, target=f"/{name}/get").status == 503  # after the writer's patience
            told = listener.events(1)
            other.execute("ROLLBACK")
            told += listener.events(2)
        assert [each.kind for each in told] == ["ledger", "ledger", "request"]
        assert told[0].data["failure"]
        assert told[1].data["failure"] is None
        assert len(gateway.rows("request_id = ?", told[2].data["request_id"])) == 1


def test_an_open_stream_ends_with_the_gateway(tmp_path):
    with GatewayProcess(tmp_path / "data") as gateway, Listener(gateway) as listener:
        gateway.process.terminate()
        assert listener.wire.rest().endswith(b"0\r\n\r\n")
        assert gateway.ended() == 0


def test_one_that_does_not_read_holds_nobody_up_and_is_told_what_it_lost(tmp_path):
    async def run():
        settings = Settings(tmp_path / "data", proxy_port=0, admin_port=0, upstream_port=0)
        gateway = Gateway(settings, note=lambda line: None)
        await gateway.start()
        try:
            return await slow(gateway)
        finally:
            await gateway.stop()

    async def slow(gateway):
        loop = asyncio.get_running_loop()
        events, first = gateway.events, gateway.events.last
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setblocking(False)
            await loop.sock_connect(peer, ("127.0.0.1", gateway._listeners["admin"].port))
            await loop.sock_sendall(peer, b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            seen = await loop.sock_recv(peer, 1024)
            for burst in range(40):
                events.committed([usage_row(burst * 1000 + at) for at in range(1000)])
                assert await get(gateway, "/demo/get") == 200
            last = events.last
            events.close()  # it reads on to the end of what is there
            while data := await loop.sock_recv(peer, 1 << 20):
                seen += data
                await asyncio.sleep(0)
        return first, last, seen

    async def get(gateway, target):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.proxy.port)
        key = gateway.new_keys["demo-pro"]
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nConnection: close\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readline(), 10)
        await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return int(head.split()[1])

    first, last, seen = asyncio.run(run())
    told = list(parsed(unchunked(seen.partition(b"\r\n\r\n")[2]).splitlines(keepends=True)))
    at, lost = first, 0
    for each in told:
        if each.kind == "gap":
            assert each.data["after"] == at
            lost += each.data["missed"]
        else:
            assert each.number == at + 1
        at = each.number
    assert at == last
    assert lost > 0
    assert len([each for each in told if each.kind != "gap"]) + lost == last - first


def unchunked(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        out, data = out + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return out
