"""The dashboard's budgets: ``python -m tests.bench.tui`` measures them on this machine and fails where one is broken.

A made-up gateway in this process says what a busy one would say; the dashboard runs in a real pseudo-terminal, and its
CPU and memory are read from /proc. The last figure takes a real gateway, with and without a dashboard attached.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bench.process import _TICK_US
from tests.support.live import COMMAND, GatewayProcess, ask_on
from tests.support.terminal import Terminal
from tests.tui.made import consumer, event, limit, snapshot, tier

BUDGETS = {
    "first paint after attach, s": 0.5,
    "idle, % of a core": 1.0,
    "20 tiers at 500 requests/s, % of a core": 10.0,
    "key to paint under that load, p50 ms": 50.0,
    "memory over 100,000 events, MiB more": 8.0,
    "gateway p99 with it attached, ratio": 1.5,
}
_RATE, _TIERS = 500, 20


class Made:
    """A gateway that sends what it is told to."""

    def __init__(self) -> None:
        self.asked_at = 0.0
        self.number = 0
        self.out: Any = None
        made = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not self.path.startswith("/events"):
                    made.asked_at = made.asked_at or time.monotonic()
                    body = json.dumps(made.document()).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.flush()
                made.out = self.wfile
                made.over.wait()
                self.close_connection = True

            def log_message(self, *arguments: object) -> None:
                pass

        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def document(self) -> dict[str, Any]:
        """Twenty tiers with a consumer each."""
        names = [f"tier-{at:02}" for at in range(_TIERS)]
        people = [consumer(f"c-{name}", name, [limit("requests/day", 10**6, 10)]) for name in names]
        found: dict[str, Any] = snapshot(
            number=self.number, at=time.time_ns(), tiers=[tier(name) for name in names], consumers=people
        )
        return found

    def send(self, count: int) -> None:
        """So many requests that end now."""
        blocks = []
        for _ in range(count):
            self.number += 1
            name = f"tier-{self.number % _TIERS:02}"
            reason = "rate_limited" if self.number % 7 == 0 else None
            made = event(
                at_ns=time.time_ns(), consumer=f"c-{name}", tier=name, deny_reason=reason, model="m-1", tokens=900,
                cost=10**6, limits=[_mark(self.number), {**_mark(self.number), "name": "tokens/minute"}],
            )  # fmt: skip
            text = f"id: {self.number}\nevent: request\ndata: {json.dumps(made)}\n\n"
            blocks.append(f"{len(text):x}\r\n{text}\r\n")  # a chunk each, as single commits are
        self.out.write("".join(blocks).encode())
        self.out.flush()

    def steadily(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """At the rate, in small pieces."""
        begin, sent = time.monotonic(), 0
        while (gone := time.monotonic() - begin) < seconds:
            due = int(gone * _RATE)
            if due > sent:
                self.send(due - sent)
                sent = due
            meanwhile()
            time.sleep(0.01)


def _mark(number: int) -> dict[str, Any]:
    resets = (time.time_ns() // 10**9 // 86_400 + 1) * 86_400
    return {
        "name": "requests/day",
        "account": "",
        "amount": 10**6,
        "before": number,
        "held": 1,
        "after": number + 1,
        "resets": resets,
    }


def _cpu_us(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_US


def _rss_mib(pid: int) -> float:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _share(pid: int, work: Callable[[], None]) -> float:
    """CPU of a process while something goes on, percent of a core."""
    before, begin = _cpu_us(pid), time.monotonic()
    work()
    return (_cpu_us(pid) - before) / (time.monotonic() - begin) / 10_000


def _reading(terminal: Terminal, seconds: float) -> Callable[[], None]:
    """Let time go by; what is painted is read away, as a terminal does."""

    def wait() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            terminal.read(0.05)
            terminal.forget()

    return wait


def _key_to_paint(terminal: Terminal, made: Made) -> float:
    """Median over 15 presses of ``w``: each shows the next window's name in the status line."""
    took = []
    stop = threading.Event()
    sender = threading.Thread(target=lambda: [made.steadily(0.2) for _ in iter(stop.is_set, True)])
    sender.start()
    try:
        for at in range(15):
            terminal.forget()
            begin = time.monotonic()
            terminal.type("w")
            want = ("5m", "1h", "1m")[at % 3]
            while want not in terminal.text:
                terminal.read(0.001)
            took.append((time.monotonic() - begin) * 1000)
            _reading(terminal, 0.1)()
    finally:
        stop.set()
        sender.join()
    return statistics.median(took)


def dashboard() -> Iterator[tuple[str, float]]:
    """All figures of the dashboard alone."""
    made = Made()
    with Terminal([*COMMAND, "tui", "--url", made.url], 160, 50) as terminal:
        terminal.until("tier-19")
        yield "first paint after attach, s", time.monotonic() - made.asked_at
        pid = terminal.process.pid
        _reading(terminal, 1.0)()
        yield "idle, % of a core", _share(pid, _reading(terminal, 8.0))

        def load() -> None:
            made.steadily(10.0, lambda: (terminal.read(0.0), terminal.forget())[0])

        yield "20 tiers at 500 requests/s, % of a core", _share(pid, load)
        yield "key to paint under that load, p50 ms", _key_to_paint(terminal, made)
        filled = [_burst(terminal, made, 25_000, pid), _burst(terminal, made, 100_000, pid)]
        yield "memory over 100,000 events, MiB more", filled[1] - filled[0]
        terminal.type("q")
        terminal.ended()
    made.over.set()
    made.server.shutdown()


def _burst(terminal: Terminal, made: Made, count: int, pid: int) -> float:
    """Resident memory behind so many events more."""
    for _ in range(count // 500):
        made.send(500)
        terminal.read(0.0)
        terminal.forget()
    _reading(terminal, 2.0)()
    return _rss_mib(pid)


def _p99(gateway: GatewayProcess, count: int = 1500) -> float:
    key = gateway.keys["demo-pro"]
    connection = HTTPConnection(*gateway.proxy, timeout=10)
    took = []
    for _ in range(count):
        begin = time.monotonic()
        ask_on(connection, "GET", "/demo/get", apikey=key)
        took.append(time.monotonic() - begin)
    connection.close()
    return sorted(took)[int(count * 0.99)]


def gateway() -> Iterator[tuple[str, float]]:
    """A real gateway's p99 with the dashboard attached, to that without; the median of three pairs."""
    with tempfile.TemporaryDirectory() as folder, GatewayProcess(Path(folder) / "data") as running:
        _p99(running)
        ratios = []
        for _ in range(3):
            alone = _p99(running)
            ratios.append(_attached(running) / alone)
        yield "gateway p99 with it attached, ratio", statistics.median(ratios)


def _attached(running: GatewayProcess) -> float:
    """The p99 while a dashboard looks on."""
    with Terminal([*COMMAND, "tui", "--url", "http://{}:{}".format(*running.admin)], 160, 50) as terminal:
        terminal.until("free")
        over = threading.Event()
        thread = threading.Thread(target=lambda: [_reading(terminal, 0.1)() for _ in iter(over.is_set, True)])
        thread.start()
        try:
            return _p99(running)
        finally:
            over.set()
            thread.join()
            terminal.type("q")
            terminal.ended()


def main() -> int:
    """Print each figure with its budget; 1 where one is broken."""
    broken = 0
    for part in (dashboard, gateway):
        for name, value in part():
            holds = value <= BUDGETS[name]
            broken += not holds
            print(f"{'kept  ' if holds else 'BROKEN'}  {name:<44} {value:8.2f}   budget {BUDGETS[name]:g}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
