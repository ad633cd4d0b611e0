"""Clients that leave within a stream: what the ledger holds then, by the tier's word, against the mock's own count."""

import json

import pytest

from tests.support.live import GatewayProcess, Wire, ask, until

pytestmark = pytest.mark.live
TOKENS = 60
CHAT = {"model": "mock-small", "stream": True, "messages": [{"role": "user", "content": "hello there"}]}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("gone") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        running.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
        yield running


def customer(gateway, **tier):
    name, key = gateway.consumer()
    limits = [{"unit": "tokens", "amount": 10**6, "period": "day"}]
    gateway.write("POST", "/tiers", {"name": f"tier-{name}", "limits": limits, **tier})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    return name, key


def leave_within_a_stream(gateway, key, per_second=200):
    """Read a first event, and go."""
    body = json.dumps(CHAT | {"max_tokens": TOKENS}).encode()
    with Wire(gateway.proxy) as wire:
        wire.send(
            f"POST /ai/v1/chat/completions HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nX-Mock-Output-Tokens: {TOKENS}\r\n"
            f"X-Mock-Tokens-Per-S: {per_second}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        wire.until(b"\n\n")
        wire.leave()


def recorded(gateway, name):
    return until(lambda: gateway.rows("consumer = ?", name))[0]


def facts_of(gateway, row):
    return gateway.write("GET", f"/requests/{row['request_id']}")["ai"]


def test_drain_bills_what_the_upstream_really_used(gateway):
    ask(gateway.builtin, "DELETE", "/_mock/stats")
    name, key = customer(gateway, on_disconnect="drain")
    leave_within_a_stream(gateway, key)
    row = recorded(gateway, name)
    ai = facts_of(gateway, row)
    truth = ask(gateway.builtin, "GET", "/_mock/stats").json
    assert (row["complete"], row["status"]) == (0, 200)
    assert (ai["source"], ai["complete"]) == ("reported", False)
    assert ai["output"] == truth["output_tokens"] == TOKENS
    assert ai["input"] == truth["prompt_tokens"]
    assert gateway.write("GET", "/verify")["good"]


def test_abort_bills_what_was_delivered(gateway):
    name, key = customer(gateway)
    leave_within_a_stream(gateway, key)
    row = recorded(gateway, name)
    ai = facts_of(gateway, row)
    assert (row["complete"], ai["source"], ai["complete"]) == (0, "estimated", False)
    assert ai["output"] < TOKENS
    assert gateway.write("GET", "/verify")["good"]


def test_a_stop_cuts_a_drain_at_its_own_bound_and_loses_no_row(tmp_path):
    (tmp_path / "aimon.toml").write_text("[gateway]\nstop_seconds = 0.2\n")
    with GatewayProcess(tmp_path / "data", "--empty", "--config", str(tmp_path / "aimon.toml")) as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        running.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
        name, key = customer(running, on_disconnect="drain")
        leave_within_a_stream(running, key, per_second=2)  # half a minute of it is left
        running.process.terminate()
        assert running.ended() == 0
        row = running.rows("consumer = ?", name)[0]
        assert (row["complete"], row["status"]) == (0, 200)
