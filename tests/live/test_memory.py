"""Memory does not grow with AI calls: a short soak of one process, watched from outside."""

import json
from pathlib import Path

import pytest

from tests.support.live import GatewayProcess, Wire

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc"),
]
ROUND = 1500
GROWTH = 1 << 20  # bytes over two rounds: a leak of half a KiB a call would be more


def resident(gateway):
    for line in Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def requests(key):
    """A whole call, a stream, and one that is refused."""
    for stream, model in ((False, "mock-small"), (True, "mock-small"), (False, "nobody-has-it")):
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9}
        data = json.dumps(body).encode()
        head = (
            f"POST /ai/v1/chat/completions HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        yield head.encode() + data


def read(wire):
    """One answer, whole or in chunks: a stream that is there at once comes with a length."""
    head = wire.until(b"\r\n\r\n").lower()
    if b"chunked" in head:
        return wire.until(b"\r\n0\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return wire.exactly(int(length.split(b":")[1]))


def test_memory_is_level_over_thousands_of_ai_calls(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        running.write("POST", "/model_prices", {"model": "mock-small", "input": 1, "output": 2})
        limits = [{"unit": unit, "amount": 10**9, "period": "day"} for unit in ("requests", "tokens")]
        limits.append({"unit": "requests", "amount": 10**9, "period": "minute", "sliding": True})
        running.write("POST", "/tiers", {"name": "t", "limits": limits, "concurrency": 9})
        name, key = running.consumer()
        running.write("POST", "/consumer_groups/t/consumers", {"consumer": name})
        asked, seen = list(requests(key)), []
        with Wire(running.proxy) as wire:
            for _ in range(5):
                for number in range(ROUND):
                    wire.send(asked[number % len(asked)])
                    read(wire)
                seen.append(resident(running))
        assert seen[4] - seen[2] < GROWTH, seen
