"""The official openai and anthropic SDKs, unmodified, against a running gateway and its mock LLM.

What they raise and how often they really ask again is counted at the gateway: its ledger holds every attempt.
"""

import asyncio
import json
import sqlite3
from contextlib import closing

import anthropic
import httpx
import openai
import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import WAIT, GatewayProcess, Wire, ask, until

pytestmark = pytest.mark.live
PRICES = {"mock-small": (0.15, 0.6), "mock-large": (2.5, 10), "mock-embed": (0.02, 0), "claude-haiku": (1, 5)}
HELLO = [{"role": "user", "content": "hello there"}]
TOOL = {
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("sdks") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth", key_names=["x-api-key", "authorization"])
        for model, (into, out) in PRICES.items():
            running.write("POST", "/model_prices", {"model": model, "input": into, "output": out, "max_output": 4096})
        yield running


def customer(gateway, **tier):
    """A consumer in a tier of its own: (name, key)."""
    name, key = gateway.consumer()
    gateway.write("POST", "/tiers?allow_unarmed=1", {"name": f"tier-{name}", **tier})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    return name, key


def limit(unit, amount, period="day", **more):
    return {"unit": unit, "amount": amount, "period": period, **more}


def url(gateway, path="/ai/v1"):
    return "http://{}:{}{}".format(*gateway.proxy, path)


def openai_of(gateway, key, kind=openai.OpenAI, **options):
    return kind(api_key=key, base_url=url(gateway), timeout=WAIT, **options)


def anthropic_of(gateway, key, kind=anthropic.Anthropic, **options):
    return kind(api_key=key, base_url=url(gateway, "/ai"), timeout=WAIT, **options)


def me(gateway, key):
    document = ask(gateway.proxy, "GET", "/ai/aimon/me", x_api_key=key).json
    return {each["name"]: each["used"] for each in document["limits"]}


def attempts(gateway, name):
    return [(row["status"], row["deny_reason"]) for row in gateway.rows("consumer = ? AND method = 'POST'", name)]


def served(gateway):
    return ask(gateway.builtin, "GET", "/_mock/stats").json


def test_openais_calls_of_every_kind_and_the_counters_agree_with_the_mock(gateway):
    ask(gateway.builtin, "DELETE", "/_mock/stats")
    limits = [limit("requests", 100), limit("input_tokens", 10**6), limit("output_tokens", 10**6), limit("cost", 5)]
    name, key = customer(gateway, limits=limits)
    with openai_of(gateway, key) as client:
        whole = client.chat.completions.create(model="mock-small", messages=HELLO)
        assert whole.choices[0].message.content
        streamed = list(client.chat.completions.create(model="mock-small", messages=HELLO, stream=True))
        assert all(chunk.usage is None and chunk.choices for chunk in streamed)
        options = {"include_usage": True}
        asked = list(
            client.chat.completions.create(model="mock-small", messages=HELLO, stream=True, stream_options=options)
        )
        assert asked[-1].usage.completion_tokens == whole.usage.completion_tokens
        forced = client.chat.completions.create(
            model="mock-small",
            messages=HELLO,
            tools=[{"type": "function", "function": TOOL}],
            tool_choice={"type": "function", "function": {"name": "weather"}},
        )
        assert "city" in json.loads(forced.choices[0].message.tool_calls[0].function.arguments)
        assert client.responses.create(model="mock-small", input="hello").output_text
        assert (
            list(client.responses.create(model="mock-small", input="hello", stream=True))[-1].type
            == "response.completed"
        )
        assert len(client.embeddings.create(model="mock-embed", input=["a b", "c"]).data) == 2
    used, truth = me(gateway, key), served(gateway)
    assert used["requests/day"] == truth["served"] == 7
    assert used["input_tokens/day"] == truth["prompt_tokens"]
    assert used["output_tokens/day"] == truth["output_tokens"]
    cost = sum(
        each["prompt_tokens"] * PRICES[model][0] + each["output_tokens"] * PRICES[model][1]
        for model, each in truth["by_model"].items()
    )
    assert float(used["cost/day"]) * 10**6 == pytest.approx(cost, abs=0.001 * 7)
    assert attempts(gateway, name) == [(200, None)] * 7


def test_anthropics_calls(gateway):
    _, key = customer(gateway, limits=[limit("requests", 100), limit("tokens", 10**6)])
    with anthropic_of(gateway, key) as client:
        whole = client.messages.create(model="claude-haiku", max_tokens=50, messages=HELLO)
        with client.messages.stream(model="claude-haiku", max_tokens=50, messages=HELLO) as stream:
            assert "".join(stream.text_stream)
            usage = stream.get_final_message().usage
        assert client.messages.count_tokens(model="claude-haiku", messages=HELLO).input_tokens > 0
    both = whole.usage.input_tokens + whole.usage.output_tokens + usage.input_tokens + usage.output_tokens
    assert me(gateway, key) == {"requests/day": 3, "tokens/day": both}


@pytest.mark.parametrize(
    ("tier", "exception", "tries", "code"),
    [
        ({"limits": [limit("requests", 1)]}, openai.RateLimitError, 1, "insufficient_quota"),
        ({"limits": [limit("cost", 0.00003)]}, openai.RateLimitError, 1, "insufficient_quota"),
        ({"limits": [limit("tokens", 60, "hour")]}, openai.RateLimitError, 1, "rate_limit_exceeded"),
        ({"limits": [limit("tokens", 5, "minute")]}, openai.RateLimitError, 1, "rate_limit_exceeded"),
        ({"concurrency": 0}, openai.RateLimitError, 3, "concurrency_limit_exceeded"),
        ({"models": ["other"]}, openai.PermissionDeniedError, 1, "model_not_allowed"),
        ({"max_prompt_tokens": 1}, openai.APIStatusError, 1, "prompt_too_large"),
        ({"max_output_tokens": 1, "clamp": False}, openai.BadRequestError, 1, "output_too_large"),
        ({"max_body_bytes": 10}, openai.APIStatusError, 1, "request_too_large"),
        ({"routes": ["x"]}, openai.PermissionDeniedError, 1, "route_not_allowed"),
    ],
)
def test_openais_sdk_raises_and_asks_again_as_with_the_provider(gateway, tier, exception, tries, code):
    name, key = customer(gateway, **tier)
    with openai_of(gateway, key, max_retries=2) as client:

        def twice():
            for _ in range(2):
                client.chat.completions.create(model="mock-small", messages=HELLO, max_tokens=40)

        with pytest.raises(exception) as caught:
            twice()
        assert caught.value.code == code
    refused = [each for each in attempts(gateway, name) if each[0] != 200]
    assert len(refused) == tries


@pytest.mark.parametrize(
    ("tier", "exception", "tries"),
    [
        ({"limits": [limit("requests", 1)]}, anthropic.RateLimitError, 1),
        ({"limits": [limit("cost", 0.0002)]}, anthropic.RateLimitError, 1),
        ({"concurrency": 0}, anthropic.RateLimitError, 3),
        ({"models": ["other"]}, anthropic.PermissionDeniedError, 1),
        ({"max_prompt_tokens": 1}, anthropic.RequestTooLargeError, 1),
    ],
)
def test_anthropics_sdk_raises_and_asks_again_as_with_the_provider(gateway, tier, exception, tries):
    name, key = customer(gateway, **tier)
    with anthropic_of(gateway, key, max_retries=2) as client:

        def twice():
            for _ in range(2):
                client.messages.create(model="claude-haiku", messages=HELLO, max_tokens=30)

        with pytest.raises(exception):
            twice()
    refused = [each for each in attempts(gateway, name) if each[0] != 200]
    assert len(refused) == tries


def test_a_wrong_key_is_an_authentication_error_and_is_not_sent_again(gateway):
    with openai_of(gateway, "wrong") as client, pytest.raises(openai.AuthenticationError) as ours:
        client.embeddings.create(model="mock-embed", input="a")
    assert ours.value.code == "invalid_api_key"
    with anthropic_of(gateway, "wrong") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="claude-haiku", messages=HELLO, max_tokens=30)


def test_a_list_of_models_shows_the_tiers(gateway):
    _, key = customer(gateway, models=["mock-*"])
    with openai_of(gateway, key) as client:
        assert {model.id for model in client.models.list()} == {"mock-small", "mock-large", "mock-embed"}


@pytest.mark.parametrize(
    "tier",
    [
        {"limits": [limit("requests", 3)]},
        {"limits": [limit("tokens", 3 * 54)]},
        {"limits": [limit("cost", 3 * 0.0000261)]},
    ],
)
def test_fifty_parallel_calls_against_a_budget_for_three(gateway, tier):
    _, key = customer(gateway, **tier)
    ask(gateway.builtin, "DELETE", "/_mock/stats")
    body = {"model": "mock-small", "messages": HELLO, "max_tokens": 40}

    async def storm():
        async with httpx.AsyncClient(timeout=WAIT) as client:
            sent = (
                client.post(
                    url(gateway, "/ai/v1/chat/completions"),
                    json=body,
                    headers={"x-api-key": key, "x-mock-ttft-ms": "300", "x-mock-output-tokens": "40"},
                )
                for _ in range(50)
            )
            return [answer.status_code for answer in await asyncio.gather(*sent)]

    statuses = asyncio.run(storm())
    assert (statuses.count(200), statuses.count(429)) == (3, 47)
    assert served(gateway)["served"] == 3


def test_fifty_streams_at_once_with_async_clients(gateway):
    _, key = customer(gateway, limits=[limit("requests", 100)], concurrency=50)

    async def streams():
        async with openai_of(gateway, key, openai.AsyncOpenAI) as client:

            async def one():
                got = await client.chat.completions.create(model="mock-small", messages=HELLO, stream=True)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in got])

            return await asyncio.gather(*(one() for _ in range(50)))

    texts = asyncio.run(streams())
    assert len(set(texts)) >= 1
    assert all(texts)
    assert me(gateway, key) == {"requests/day": 50, "concurrency": 0}


def test_anthropics_async_client(gateway):
    _, key = customer(gateway, limits=[limit("requests", 100)])

    async def messages():
        async with anthropic_of(gateway, key, anthropic.AsyncAnthropic) as client:
            sent = (client.messages.create(model="claude-haiku", max_tokens=9, messages=HELLO) for _ in range(10))
            return await asyncio.gather(*sent)

    assert all(message.content for message in asyncio.run(messages()))
    assert me(gateway, key) == {"requests/day": 10}


@pytest.mark.parametrize("usage", ["absent", "lying", "late", "cumulative"])
@pytest.mark.parametrize("stream", [False, True])
def test_whatever_the_provider_says_of_usage_something_credible_is_counted(gateway, usage, stream):
    _, key = customer(gateway, limits=[limit("output_tokens", 10**6), limit("input_tokens", 10**6)])
    with openai_of(gateway, key, default_headers={"x-mock-usage": usage}) as client:
        got = client.chat.completions.create(model="mock-small", messages=HELLO, max_tokens=40, stream=stream)
        if stream:
            list(got)
    used = me(gateway, key)
    assert 5 <= used["output_tokens/day"] <= 80
    assert 1 <= used["input_tokens/day"] <= 40


def test_a_client_that_leaves_frees_its_place_and_pays_for_what_it_got(gateway):
    _, key = customer(gateway, limits=[limit("output_tokens", 10**6)], concurrency=1)
    slow = {"x-mock-tokens-per-s": "50"}
    with openai_of(gateway, key, default_headers=slow, max_retries=0) as client:
        stream = client.chat.completions.create(model="mock-small", messages=HELLO, stream=True)
        for _, chunk in zip(range(4), stream, strict=False):
            assert chunk.choices
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="mock-small", messages=HELLO)
        stream.close()
    until(lambda: me(gateway, key)["concurrency"] == 0)
    assert 1 <= me(gateway, key)["output_tokens/day"] <= 24


def test_counters_outlive_a_kill(tmp_path):
    options = ("--empty",)
    with GatewayProcess(tmp_path / "data", *options) as running:
        host, port = running.builtin
        name = running.route(f"http://{host}:{port}")
        running.plugin(name, "key-auth", key_names=["x-api-key"])
        running.write("POST", "/model_prices", {"model": "mock-*", "input": 1, "output": 2})
        _, key = customer(running, limits=[limit("requests", 5), limit("cost", 1, "month")])
        body = json.dumps({"model": "mock-small", "messages": HELLO})
        for _ in range(3):
            assert ask(running.proxy, "POST", f"/{name}/v1/chat/completions", body, x_api_key=key).status == 200
        before = ask(running.proxy, "GET", f"/{name}/aimon/me", x_api_key=key).json
        running.kill()
    with GatewayProcess(tmp_path / "data", *options) as again:
        after = ask(again.proxy, "GET", f"/{name}/aimon/me", x_api_key=key).json
        assert after["month"] == before["month"]
        assert [each["used"] for each in after["limits"]] == [each["used"] for each in before["limits"]]
        assert after["limits"][0]["used"] == 3


def test_the_ledger_holds_what_each_call_was_held_for_and_used(gateway):
    name, key = customer(gateway, limits=[limit("requests", 3), limit("cost", 1)], models=["mock-small"])
    with openai_of(gateway, key, max_retries=0) as client:
        for _ in range(2):
            client.chat.completions.create(model="mock-small", messages=HELLO, max_tokens=40)
        with pytest.raises(openai.PermissionDeniedError):
            client.chat.completions.create(model="mock-large", messages=HELLO)
    ids = [row["request_id"] for row in gateway.rows("consumer = ?", name)]
    with closing(sqlite3.connect(f"file:{gateway.data / 'aimon-local.db'}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        marks = ", ".join("?" for _ in ids)
        rows = [dict(row) for row in db.execute(f"SELECT * FROM ai_usage WHERE request_id IN ({marks})", ids)]
    assert [row["denied_limit"] for row in rows] == [None, None, "models"]
    spent = sum(row["cost"] for row in rows)
    assert float(me(gateway, key)["cost/day"]) * 10**9 == spent > 0
    assert all(0 < row["cost"] <= row["reserved_cost"] for row in rows[:2])
    assert rows[0]["output"] == 24
    assert (rows[0]["source"], rows[0]["complete"], rows[0]["finish_reason"]) == ("reported", 1, "stop")


def test_a_tiers_patience_ends_a_slow_answer_and_gives_everything_back(gateway):
    name, key = customer(gateway, first_byte_s=0.2, limits=[limit("requests", 3)], concurrency=1)
    with openai_of(gateway, key, max_retries=0, default_headers={"x-mock-ttft-ms": "5000"}) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="mock-small", messages=HELLO)
        assert (caught.value.status_code, caught.value.code) == (504, "upstream_timeout")
    assert me(gateway, key) == {"requests/day": 0, "concurrency": 0}
    assert attempts(gateway, name)[0][0] == 504


def test_a_tiers_patience_cuts_a_stream_that_takes_too_long_and_bills_what_came(gateway):
    name, key = customer(gateway, total_s=0.3, limits=[limit("output_tokens", 10**6)], concurrency=1)
    with openai_of(gateway, key, max_retries=0, default_headers={"x-mock-tokens-per-s": "20"}) as client:
        stream = client.chat.completions.create(model="mock-small", messages=HELLO, stream=True)
        with pytest.raises((httpx.RemoteProtocolError, openai.APIError)):
            list(stream)
    assert me(gateway, key)["concurrency"] == 0
    assert 1 <= me(gateway, key)["output_tokens/day"] <= 15
    assert [row["complete"] for row in gateway.rows("consumer = ? AND method = 'POST'", name)] == [0]


def test_a_kill_during_streams_leaves_a_ledger_that_adds_up_and_no_place_taken(tmp_path):
    data = tmp_path / "data"
    with GatewayProcess(data) as running:
        key = running.keys["demo-pro"]
        body = json.dumps({"model": "mock-small", "messages": HELLO, "stream": True})
        head = (
            f"POST /demo/v1/chat/completions HTTP/1.1\r\nHost: x\r\napikey: {key}\r\nX-Mock-Tokens-Per-S: 40\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        for _ in range(3):
            assert ask(running.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key).status == 200
        clients = [Wire(running.proxy) for _ in range(10)]
        for client in clients:
            client.send(head)
        for client in clients:
            client.until(b"data: ")
        running.kill()
        for client in clients:
            client.socket.close()
    assert CliRunner().invoke(main, ["verify", "--data", str(data)]).exit_code == 0
    with GatewayProcess(data) as again:
        used = {each["name"]: each["used"] for each in ask(again.proxy, "GET", "/aimon/me", apikey=key).json["limits"]}
        assert (used["requests/day"], used["concurrency"]) == (3, 0)
        assert ask(again.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key).status == 200
    assert CliRunner().invoke(main, ["verify", "--data", str(data)]).exit_code == 0
