"""Fifty calls at one barrier against room for three: exactly three reach the mock, by the mock's own count, in each round.

All fifty connections are open and all but the last byte of each request is sent before the barrier falls, so the last
bytes arrive together. Five rounds per kind, each with a consumer of its own.
"""

import json
import threading
from contextlib import ExitStack

import pytest

from tests.support.live import WAIT, GatewayProcess, Wire, ask, until

pytestmark = pytest.mark.live
CALLS, ROOM, ROUNDS = 50, 3, 5
PROMPT, OUTPUT = 14, 40  # tokens of each call: our estimate, and the bound that it names
BODY = json.dumps(
    {"model": "mock-small", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": OUTPUT}
).encode()
COST = round((PROMPT * 1 + OUTPUT * 2) / 10**6, 9)  # dollars that each call can cost at most


def limit(unit, amount):
    return {"limits": [{"unit": unit, "amount": amount, "period": "day"}]}


KINDS = {
    "requests": limit("requests", ROOM),
    "tokens": limit("tokens", ROOM * (PROMPT + OUTPUT)),
    "output tokens": limit("output_tokens", ROOM * OUTPUT),
    "cost": limit("cost", round(ROOM * COST, 9)),
    "charge": {**limit("charge", ROOM * 0.01), "plan": "cent"},
    "concurrency": {"concurrency": ROOM},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("barrier") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        running.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
        cent = {"unit": "requests", "steps": [{"price": 0.01}]}
        running.write("POST", "/price_plans", {"name": "cent", "components": [cent]})
        for kind, tier in KINDS.items():
            running.write("POST", "/tiers", {"name": kind.replace(" ", "-"), **tier})
        yield running


def request(key, number):
    """One call, told apart by its query."""
    return (
        f"POST /ai/v1/chat/completions?n={number} HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nX-Mock-Ttft-Ms: 700\r\n"
        f"X-Mock-Output-Tokens: {OUTPUT}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY


def storm(gateway, key):
    """The statuses of fifty calls whose last bytes fall together."""
    statuses, barrier = [0] * CALLS, threading.Barrier(CALLS)

    def one(at, wire):
        data = request(key, at)
        wire.send(data[:-1])
        barrier.wait(WAIT)
        wire.send(data[-1:])
        statuses[at] = wire.answer()[0]

    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(gateway.proxy)) for _ in range(CALLS)]
        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(wires)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
    return statuses


@pytest.mark.parametrize("kind", KINDS)
def test_of_fifty_calls_at_once_three_reach_the_mock(gateway, kind):
    for _ in range(ROUNDS):
        ask(gateway.builtin, "DELETE", "/_mock/stats")
        name, key = gateway.consumer()
        gateway.write("POST", f"/consumer_groups/{kind.replace(' ', '-')}/consumers", {"consumer": name})
        statuses = storm(gateway, key)
        assert (statuses.count(200), statuses.count(429)) == (ROOM, CALLS - ROOM)
        stats = ask(gateway.builtin, "GET", "/_mock/stats").json
        assert (stats["requests"], stats["served"]) == (ROOM, ROOM)
        assert len(until(lambda: len(rows := gateway.rows("consumer = ?", name)) == CALLS and rows)) == CALLS  # noqa: B023
    assert gateway.write("GET", "/verify")["good"]
