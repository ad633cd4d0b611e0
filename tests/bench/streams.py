"""What the gateway adds to each event of a stream: ``python -m tests.bench.streams [--streams N] [--seconds N]``.

Chat completions stream through a tier side by side, fifty events a second each. The upstream writes into every event
when it was sent, the client looks when it came; both run on the load's core, so the same run without the gateway in
between is what they take themselves. The difference of the two is what is added.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import cast

from tests.bench.__main__ import start
from tests.bench.load import KEY
from tests.bench.process import LOAD_CORE, Process
from tests.bench.systems import SYSTEMS, System, free_port, until_ready

RATE = 50  # events a second of a stream
_WARM_S = 1.0  # at the beginning, which is not counted
_STAMP = re.compile(rb'"content":"(\d+)"')
_EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":'
    b'{"content":"%d"},"finish_reason":null}]}\n\n'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_DONE = b"data: [DONE]\n\n"


class Upstream(asyncio.Protocol):
    """One connection: a request for a stream gets one, of as many seconds as its ``max_tokens`` says."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0] or 0)
        if not found or len(body) < length:
            return
        self.buffer = b""
        asked = json.loads(body)
        if not asked.get("stream"):
            self.transport.write(_WHOLE)
            return
        self.transport.write(_HEAD)
        self.left = asked["max_tokens"] * RATE
        self.due = asyncio.get_running_loop().time() + 1 / RATE
        asyncio.get_running_loop().call_at(self.due, self.send)

    def send(self) -> None:
        """The next event; on its own beat, however late the last one was."""
        if self.transport.is_closing():
            return
        self.left -= 1
        if self.left < 0:
            self.transport.write(_chunk(_DONE) + b"0\r\n\r\n")
            return
        self.transport.write(_chunk(_EVENT % time.monotonic_ns()))
        self.due += 1 / RATE
        asyncio.get_running_loop().call_at(self.due, self.send)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Listener(asyncio.Protocol):
    """One stream's client: when each event came, less when it was sent, in nanoseconds."""

    def __init__(self, seconds: int, late: list[tuple[int, int]], over: "asyncio.Future[None]") -> None:
        self.late, self.over, self.tail = late, over, b""
        document = {"model": "bench", "messages": [{"role": "user", "content": "Count."}], "max_tokens": seconds}
        self.body = json.dumps({**document, "stream": True}).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        cast(asyncio.Transport, transport).write(head.encode() + self.body)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self.tail + data
        for stamp in _STAMP.findall(data):
            sent = int(stamp)
            self.late.append((sent, now - sent))
        self.tail = data[data.rfind(b"\n\n") + 2 :] if b"\n\n" in data else data
        if data.endswith(b"0\r\n\r\n") and not self.over.done():
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(RuntimeError(f"a stream was cut: {self.tail[:200]!r}"))


async def _listen(port: int, streams: int, seconds: int) -> list[float]:
    """Milliseconds that each event took, but for those of the beginning."""
    loop, late, ends = asyncio.get_running_loop(), cast(list[tuple[int, int]], []), []
    for _ in range(streams):
        over = loop.create_future()
        await loop.create_connection(partial(Listener, seconds, late, over), "127.0.0.1", port)
        ends.append(over)
        await asyncio.sleep(1 / RATE / streams)  # beats are spread over the time between two of them
    counted = time.monotonic_ns() + int(_WARM_S * 1e9)
    await asyncio.gather(*ends)
    return [spent / 1e6 for sent, spent in late if sent >= counted]


def measure(port: int, streams: int, seconds: int) -> tuple[int, float, float]:
    """Events, and the median and 99th percentile of their milliseconds."""
    os.sched_setaffinity(0, {LOAD_CORE})
    spent = asyncio.run(_listen(port, streams, seconds))
    centiles = statistics.quantiles(spent, n=100)
    return len(spent), centiles[49], centiles[98]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Measure both ways and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return asyncio.run(_serve(options.serve))
    make = SYSTEMS["tiers"]
    assert make is not None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder) / "gateway"
        work.mkdir()
        target = free_port()
        source = System((sys.executable, "-m", "tests.bench.streams", "--serve", str(target)), target)
        upstream = Process(source.argv, LOAD_CORE, Path(folder) / "log")
        try:
            until_ready(source, upstream)
            system = make(work, target)
            gateway, _ = start(system, work / "log")
            try:
                direct = measure(target, options.streams, options.seconds)
                before = gateway.cpu_us()
                through = measure(system.port, options.streams, options.seconds)
                spent = (gateway.cpu_us() - before) / (options.streams * options.seconds * RATE)
            finally:
                gateway.stop()
        finally:
            upstream.stop()
    print(f"{options.streams} streams of {RATE} events/s; milliseconds from the upstream to the client\n")
    for name, (events, p50, p99) in (("direct", direct), ("tiers", through)):
        print(f"{name:7} {events:6} events   p50 {p50:6.2f}   p99 {p99:6.2f}")
    added = [after - before for after, before in zip(through[1:], direct[1:], strict=True)]
    print(f"added                   p50 {added[0]:6.2f}   p99 {added[1]:6.2f}   CPU {spent:.0f} µs/event")
    return None


if __name__ == "__main__":
    main()
