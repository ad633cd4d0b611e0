"""The load: keep-alive connections that each send the next request as soon as the last answer is whole.

wrk where it is installed, else this module's own driver (``python -m tests.bench.load PORT CONNECTIONS SECONDS``), which
takes more of its core. Each request has an id and a prompt of its own, so that nothing can be remembered by its bytes.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.bench.process import LOAD_CORE

KEY = "sk-bench-0123456789abcdef0123456789abcdef"
_PROMPT = (
    '{"model":"bench","messages":[{"role":"user","content":"Request %s. ' + "Say in one line what a gateway is for. " * 6
    + '"}],"max_tokens":64}'
)  # fmt: skip
_FIELDS = {
    "User-Agent": "bench/1.0",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Authorization": f"Bearer {KEY}",
}


@dataclass(frozen=True)
class Measured:
    """What a run of the load saw."""

    requests: int
    seconds: float
    errors: int
    p50_us: float
    p99_us: float

    @property
    def rps(self) -> float:
        return self.requests / self.seconds


def drive(port: int, connections: int, seconds: float) -> Measured:
    """Load 127.0.0.1:port from the load's core."""
    wrk = shutil.which("wrk")
    own = [sys.executable, "-m", "tests.bench.load", str(port), str(connections), str(seconds)]
    script = Path(__file__).with_name("load.lua")
    command = (
        own
        if wrk is None
        else [wrk, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    )
    environment = {**os.environ, "BENCH_FIELDS": json.dumps(_FIELDS), "BENCH_BODY": _PROMPT}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(child.pid, {LOAD_CORE})
    out, _ = child.communicate(timeout=seconds + 30)
    found = re.search(r"^MEASURED (.*)$", out, re.M)
    if found is None:
        raise RuntimeError(f"the load failed: {out[-300:]}")
    return Measured(*map(float, found[1].split()))  # type: ignore[arg-type]


class _Connection(asyncio.Protocol):
    """One connection of our own driver."""

    def __init__(self, numbers: "itertools.count[int]", spent: list[float], errors: list[int]) -> None:
        self.numbers, self.spent, self.errors = numbers, spent, errors
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        number = f"{next(self.numbers):016x}"
        body = (_PROMPT % number).encode()
        fields = {"Host": "127.0.0.1", **_FIELDS, "X-Request-Id": number, "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.began = time.monotonic()
        self.transport.write(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode() + body)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]
        if found and len(body) >= int(length):
            if b" 200 " not in head[:13]:
                self.errors[0] += 1
            self.spent.append(time.monotonic() - self.began)
            self.buffer = b""
            self.send()


async def _drive(port: int, connections: int, seconds: float) -> None:
    loop, spent, errors = asyncio.get_running_loop(), cast(list[float], []), [0]
    numbers = itertools.count()
    began = time.monotonic()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(numbers, spent, errors), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    took, centiles = time.monotonic() - began, statistics.quantiles(spent, n=100)
    print("MEASURED", len(spent), took, errors[0], centiles[49] * 1e6, centiles[98] * 1e6)


if __name__ == "__main__":
    asyncio.run(_drive(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
