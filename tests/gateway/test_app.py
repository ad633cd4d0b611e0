"""The composition root in this process: what a failed start leaves behind, how long a stop waits."""

import asyncio
import socket
from contextlib import suppress

import pytest

from aimon_local.errors import StartError
from aimon_local.gateway.app import Gateway
from aimon_local.gateway.settings import Settings
from aimon_local.storage.database import Database
from tests.support.ledger import stored


def settings(tmp_path, **more):
    return Settings(tmp_path / "data", **{"proxy_port": 0, "admin_port": 0, "upstream_port": 0} | more)


def test_a_start_that_fails_leaves_nothing_open(tmp_path):
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(StartError, match=f"port {port} for the upstream is taken"):
                await Gateway(settings(tmp_path, upstream_port=port)).start()
        gateway = Gateway(settings(tmp_path), note=notes.append)
        await gateway.start()  # the directory is free again
        await gateway.stop()

    notes = []
    asyncio.run(run())
    assert notes == []


def test_without_a_built_in_upstream_there_is_no_demo(tmp_path):
    async def run():
        gateway = Gateway(settings(tmp_path, upstream_port=None))
        await gateway.start()
        assert set(gateway.addresses()) == {"proxy", "admin"}
        assert gateway.new_keys == {}
        await gateway.stop()

    asyncio.run(run())


def test_a_stop_waits_so_long_and_then_cuts_and_records(tmp_path):
    async def run():
        gateway = Gateway(settings(tmp_path, stop_seconds=0.2))
        await gateway.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.proxy.port)
        key = gateway.new_keys["demo-pro"]
        writer.write(f"GET /demo/drip?duration=9&numbytes=9 HTTP/1.1\r\nHost: a\r\napikey: {key}\r\n\r\n".encode())
        assert b" 200 OK" in await reader.readline()
        began = asyncio.get_running_loop().time()
        await gateway.stop()
        assert 0.1 < asyncio.get_running_loop().time() - began < 3
        with suppress(ConnectionError):
            assert len((await reader.read()).partition(b"\r\n\r\n")[2]) < 9
        writer.close()

    asyncio.run(run())
    assert [(row.status, row.complete) for row in rows(tmp_path / "data")] == [(200, False)]


def rows(directory):
    database = Database.open(directory)
    try:
        return stored(database)
    finally:
        database.close()
