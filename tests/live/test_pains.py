"""Pains of other gateways' users that show over real connections alone: streams that break, errors inside them, leaks."""

import json

import openai
import pytest

from tests.support.live import WAIT, GatewayProcess, Wire, ask, until

pytestmark = pytest.mark.live
HELLO = [{"role": "user", "content": "hello there"}]
PATH = "/ai/v1/chat/completions"
TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
FORCED = {
    "tools": [{"type": "function", "function": TOOL}],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("pains") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth", key_names=["x-api-key", "authorization"])
        running.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
        yield running


def customer(gateway, **tier):
    """A consumer in a tier of its own: (name, key)."""
    name, key = gateway.consumer()
    gateway.write("POST", "/tiers", {"name": f"tier-{name}", **tier})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    return name, key


def limit(unit, amount, period="day"):
    return {"unit": unit, "amount": amount, "period": period}


LIMITS = [limit("requests", 1000), limit("output_tokens", 10**6), limit("cost", 1)]


def me(gateway, key):
    document = ask(gateway.proxy, "GET", "/ai/aimon/me", x_api_key=key).json
    return {each["name"]: each["used"] for each in document["limits"]}


def used(gateway, name):
    """What the AI calls of a consumer used, the last ended first."""
    rows = ask(gateway.admin, "GET", f"/requests?consumer={name}&size=1000").json["data"]
    return [row["ai"] for row in rows if row["method"] == "POST"]


def client_of(gateway, key, **knobs):
    headers = {f"x-mock-{name.replace('_', '-')}": str(value) for name, value in knobs.items()}
    base = "http://{}:{}/ai/v1".format(*gateway.proxy)
    return openai.OpenAI(api_key=key, base_url=base, timeout=WAIT, max_retries=0, default_headers=headers)


def post(gateway, key, stream=False, **knobs):
    """A raw client whose request is on its way."""
    body = json.dumps({"model": "mock-small", "messages": HELLO, "max_tokens": 40, "stream": stream}).encode()
    more = "".join(f"X-Mock-{name.replace('_', '-')}: {value}\r\n" for name, value in knobs.items())
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nx-api-key: {key}\r\nConnection: close\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    wire = Wire(gateway.proxy)
    wire.send(head.encode() + body)
    return wire


@pytest.mark.parametrize("knob", ["disconnect_after", "truncate_after", "error_after"])
def test_a_stream_that_breaks_after_any_chunk_has_one_row_and_bills_what_came(gateway, knob):
    name, key = customer(gateway, limits=LIMITS, concurrency=1)
    billed = []
    for after in range(1, 24):
        with post(gateway, key, True, **{knob: after}) as wire:
            seen = wire.rest()
        assert b"200 OK" in seen
        chunks = seen.count(b'"content"')
        record = used(gateway, name)[0]
        billed.append(record["output"])
        assert len(used(gateway, name)) == after
        assert record["complete"] == (knob != "disconnect_after")
        assert record["output"] <= 40
        assert record["output"] > 0 or chunks <= 1
        assert me(gateway, key)["concurrency"] == 0
    assert billed == sorted(billed)
    assert billed[-1] >= 15
    assert me(gateway, key)["output_tokens/day"] == sum(billed)


def test_an_error_inside_a_stream_reaches_the_client_and_the_part_is_billed(gateway):
    name, key = customer(gateway, limits=LIMITS, concurrency=1)
    with client_of(gateway, key, error_after=6) as client:
        stream = client.chat.completions.create(model="mock-small", messages=HELLO, max_tokens=40, stream=True)
        got = []
        with pytest.raises(openai.APIError):
            got.extend(stream)
    assert got
    record = used(gateway, name)[0]
    assert "error_in_stream" in record["flags"]
    assert record["source"] == "estimated"
    assert 0 < record["output"] < 24
    assert me(gateway, key)["concurrency"] == 0


@pytest.mark.parametrize(("stream", "asked"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("tools", [False, True])
def test_streams_usage_and_tools_in_every_mix_are_counted_as_the_mock_counts(gateway, stream, asked, tools):
    ask(gateway.builtin, "DELETE", "/_mock/stats")
    name, key = customer(gateway, limits=LIMITS)
    options = {"stream_options": {"include_usage": True}} if asked else {}
    options |= FORCED if tools else {}
    with client_of(gateway, key) as client:
        got = client.chat.completions.create(model="mock-small", messages=HELLO, stream=stream, **options)
        chunks = list(got) if stream else [got]
    assert (chunks[-1].usage is not None) == (asked or not stream)
    truth = ask(gateway.builtin, "GET", "/_mock/stats").json
    (record,) = used(gateway, name)
    assert (record["source"], record["flags"], record["complete"]) == ("reported", [], True)
    assert (record["input"], record["output"]) == (truth["prompt_tokens"], truth["output_tokens"])


@pytest.mark.parametrize(
    "end",
    [
        {"error_status": 400},
        {"error_status": 429, "retry_after": 1},
        {"error_status": 500},
        {"malformed": "true"},
        {"disconnect_after": 1},
        {"ttft_ms": 1000},
        {"leave": 1, "ttft_ms": 5000},
        {"leave": 1, "tokens_per_s": 20},
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
def test_no_way_to_end_keeps_a_place(gateway, end, stream):
    _, key = customer(gateway, limits=LIMITS, concurrency=1, first_byte_s=0.3 if "leave" not in end else 9)
    knobs = {name: value for name, value in end.items() if name != "leave"}
    for _ in range(2):
        wire = post(gateway, key, stream, **knobs)
        if "leave" in end:
            until(lambda: me(gateway, key)["concurrency"] == 1)
            wire.leave()
        else:
            head = wire.until(b"\r\n\r\n")
            assert b"rate_limit" not in head
            wire.socket.close()
        until(lambda: me(gateway, key)["concurrency"] == 0)
    with post(gateway, key) as wire:
        assert wire.answer()[0] == 200


def test_the_n_plus_first_stream_is_refused_while_n_are_open(gateway):
    _, key = customer(gateway, concurrency=2)
    open_ones = [post(gateway, key, True, tokens_per_s=20) for _ in range(2)]
    for wire in open_ones:
        wire.until(b"data: ")
    with post(gateway, key, True) as wire:
        assert wire.answer()[0] == 429
    open_ones[0].rest()
    with post(gateway, key) as wire:
        assert wire.answer()[0] == 200
    for wire in open_ones:
        wire.socket.close()
