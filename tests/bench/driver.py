"""How many requests a second the scenarios' driver sends, against a bare server on the other core.

``python -m tests.bench.driver [RATE] [SECONDS]``: an open-model actor at that rate. It prints what was sent, in which time,
and how late: a driver that can't keep up sends late, it leaves nothing out.
"""

import asyncio
import os
import sys
import time

from aimon_local.scenario.caller import Caller, Stage
from aimon_local.scenario.facts import Evidence, Fact
from aimon_local.scenario.http1 import Pool
from aimon_local.scenario.metrics import measure
from aimon_local.scenario.minting import Cast, Held
from aimon_local.scenario.plan import Turn, arrivals
from aimon_local.scenario.read import parse

_SCRIPT = """
[actors.load]
executor = "constant-arrival-rate"
rate = %s
duration = "%ss"
[[actors.load.steps]]
model = "m"
prompt_tokens = { lognormal = [60, 0.5] }
"""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class _Bare(asyncio.Protocol):
    """Answers each request, whole or not, that ends with its body in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(_ANSWER)


async def _serve(ready: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Bare, "127.0.0.1", 0)
    os.write(ready, b"%d\n" % server.sockets[0].getsockname()[1])
    await asyncio.sleep(3600)


async def drive(port: int, rate: str, seconds: str) -> tuple[int, float, float, Evidence]:
    """(requests, seconds, CPU seconds, facts) of an open-model run."""
    loop, facts = asyncio.get_running_loop(), list[Fact]()
    (actor,) = parse(_SCRIPT % (rate, seconds)).actors
    cast = Cast("", "", {"load": [Held("c", "key", "id")]})
    stage = Stage(cast, Pool(("127.0.0.1", port)), f"127.0.0.1:{port}", 1, loop.time(), "", facts, lambda: None)
    caller, cpu = Caller(actor, stage), time.process_time()
    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(arrivals(actor, 1)):
            wait = stage.began + at - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            elif number % 32 == 0:
                await asyncio.sleep(0)
            group.create_task(caller.turn(Turn(number), at))
    stage.pool.close()
    took = loop.time() - stage.began
    return len(facts), took, time.process_time() - cpu, Evidence(tuple(facts), seconds=took)


def main(rate: str = "3000", seconds: str = "5") -> None:
    """Serve in a child, drive here, print."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_serve(write))
        os._exit(0)
    try:
        port = int(os.read(read, 16))
        count, took, cpu, seen = asyncio.run(drive(port, rate, seconds))
    finally:
        os.kill(child, 15)
        os.waitpid(child, 0)
    late = {
        word: measure("late", (), word, quantile, seen) for word, quantile in (("med", 0.5), ("p", 0.99), ("max", 1))
    }
    failed = measure("failed", (), "count", 0, seen)
    print(
        f"{count} requests in {took:.2f} s: {count / took:.0f}/s, {cpu / count * 1e6:.0f} us of CPU each, {failed:.0f} failed"
    )
    print(f"late: median {late['med']:.2f} ms, p99 {late['p']:.2f} ms, most {late['max']:.2f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
