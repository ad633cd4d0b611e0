"""The gateway in virtual time: days pass in no time, windows and time limits by the loop's clock, nothing is waited for."""

import asyncio
import json

import pytest

from aimon_local.gateway.virtual import START_NS, VirtualGateway, connect, run_virtual
from aimon_local.scenario.http1 import Pool, request_bytes


def ask(method, path, body=None, *fields):
    payload = b"" if body is None else json.dumps(body).encode()
    kind = () if body is None else (("Content-Type", "application/json"),)
    return request_bytes(method, path, "localhost", (*kind, *fields), payload)


async def behind(virtual, path="/a", **config):
    """A route to the built-in upstream, with a plugin."""
    admin = Pool(virtual.admin, connect)
    host, port = virtual.upstream
    service = {"name": "s", "url": f"http://{host}:{port}", **config.pop("service", {})}
    await admin.send(ask("POST", "/services", service))
    await admin.send(ask("POST", "/services/s/routes", {"paths": [path]}))
    for name, each in config.items():
        made = await admin.send(ask("POST", "/services/s/plugins", {"name": name.replace("_", "-"), "config": each}))
        assert made.status == 201, made.body
    return Pool(virtual.proxy, connect)


def test_days_of_a_daily_limit_pass_at_once_and_forty_more_by_the_clock():
    async def main():
        async with VirtualGateway(empty=True) as virtual:
            pool = await behind(virtual, rate_limiting={"day": 2, "limit_by": "service"})
            seen = []
            admin = Pool(virtual.admin, connect)
            for day in range(42):
                seen += [(await pool.send(ask("GET", "/a/get"))).status for _ in range(3)]
                if day < 2:
                    await asyncio.sleep(86_400)
                else:
                    await admin.send(ask("POST", "/clock", {"advance": "1d"}))
            rows = await virtual.gateway.queries.usage_totals()
            return seen, rows.requests, virtual.gateway.clock.now_ns()

    seen, rows, now = run_virtual(main)
    assert seen == [200, 200, 429] * 42
    assert rows == 84  # what was admitted
    assert 0 <= now - START_NS - 42 * 86_400 * 10**9 < 10**9


def test_time_limits_of_the_wire_are_virtual_too():
    async def main():
        loop = asyncio.get_running_loop()
        async with VirtualGateway(empty=True) as virtual:
            pool = await behind(virtual, service={"read_timeout": 1500, "retries": 0})
            began = loop.time()
            answer = await pool.send(ask("GET", "/a/delay/9"))
            return answer.status, loop.time() - began

    status, seconds = run_virtual(main)
    assert status == 504
    assert 1.4 < seconds < 1.6


def test_a_stream_takes_its_time_and_its_row_tells_it():
    async def main():
        loop = asyncio.get_running_loop()
        async with VirtualGateway(empty=True) as virtual:
            pool = await behind(virtual)
            body = {"model": "m", "stream": True, "max_tokens": 16, "messages": [{"role": "user", "content": "go"}]}
            knobs = (("X-Mock-Ttft-Ms", "2000"), ("X-Mock-Tokens-Per-S", "1"))
            began = loop.time()
            answer = await pool.send(ask("POST", "/a/v1/chat/completions", body, *knobs))
            row = (await virtual.gateway.queries.usage_rows()).rows[0]
            return answer, loop.time() - began, row.total_us

    answer, seconds, total_us = run_virtual(main)
    assert answer.status == 200
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert seconds > 2
    assert total_us == pytest.approx(seconds * 1e6, abs=10)


def test_its_clock_can_be_moved_too():
    async def main():
        async with VirtualGateway(empty=True) as virtual:
            pool = await behind(virtual)
            admin = Pool(virtual.admin, connect)
            await admin.send(ask("POST", "/clock", {"jump": "2028-02-29"}))
            return (await pool.send(ask("GET", "/a/get"))).headers

    headers = run_virtual(main)
    assert headers["date"] == "Tue, 29 Feb 2028 00:00:00 GMT"
    assert headers["x-aimon-clock"].startswith("2028-02-29T00:00:00Z; shift=")


def test_the_same_seed_makes_the_same_keys_and_ids():
    async def main(seed):
        async with VirtualGateway(seed=seed) as virtual:
            pool = Pool(virtual.proxy, connect)
            key = virtual.gateway.new_keys["demo-pro"]
            answer = await pool.send(ask("GET", "/demo/uuid", None, ("apikey", key)))
            return dict(virtual.gateway.new_keys), answer.headers["x-kong-request-id"], answer.body

    first, second, other = (run_virtual(lambda seed=seed: main(seed)) for seed in (5, 5, 6))
    assert first == second
    assert other[0] != first[0]
    assert other[2] != first[2]


def test_it_needs_its_loop():
    async def main():
        async with VirtualGateway():
            pass

    with pytest.raises(RuntimeError, match="run_virtual"):
        asyncio.run(main())
