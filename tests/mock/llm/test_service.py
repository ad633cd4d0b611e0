"""The mock LLM over loopback: formats, faults, and its own count."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest

from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.service import MockLlm
from aimon_local.wire.app import serve_app

CHAT = {"model": "mock-small", "messages": [{"role": "user", "content": "hello there"}]}
MESSAGE = {**CHAT, "max_tokens": 50}
PATHS = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": {"model": "mock-small", "prompt": "hello there"},
    "/v1/responses": {"model": "mock-small", "input": "hello there"},
    "/v1/messages": MESSAGE,
}


async def no_wait(seconds):
    await asyncio.sleep(0)


@asynccontextmanager
async def mock(**knobs):
    service = MockLlm(Knobs(**knobs), no_wait)
    listener = await serve_app(service, "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
        try:
            yield client, service
        finally:
            await listener.close()


def run(test):
    asyncio.run(test())


@pytest.mark.parametrize("path", PATHS)
def test_same_body_same_answer_and_it_is_counted(path):
    async def test():
        async with mock() as (client, _):
            one, two = [await client.post(path, json=PATHS[path]) for _ in range(2)]
            assert one.status_code == 200
            assert one.json() == two.json()
            stats = (await client.get("/_mock/stats")).json()
            assert (stats["requests"], stats["served"], stats["in_flight"]) == (2, 2, 0)
            assert stats["output_tokens"] == 2 * 24

    run(test)


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_says_what_the_whole_answer_says(path):
    async def test():
        async with mock(output_tokens=5) as (client, service):
            whole = (await client.post(path, json=PATHS[path])).text
            stream = (await client.post(path, json={**PATHS[path], "stream": True})).text
            said = "".join(texts(stream))
            assert said
            assert json.dumps(said)[1:-1] in whole
            assert service.stats.document()["output_tokens"] == 10

    run(test)


def texts(stream):
    for line in stream.splitlines():
        if line.startswith("data: {"):
            document = json.loads(line[6:])
            for choice in document.get("choices", []):
                yield choice.get("text") or choice.get("delta", {}).get("content") or ""
            delta = document.get("delta")
            if isinstance(delta, str):
                yield delta
            elif isinstance(delta, dict):
                yield delta.get("text", "")


@pytest.mark.parametrize("path", PATHS)
def test_a_cut_stream_counts_what_went_out(path):
    async def test():
        async with mock(disconnect_after=3) as (client, service):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(path, json={**PATHS[path], "stream": True})
            document = service.stats.document()
            assert (document["output_tokens"], document["cut"], document["in_flight"]) == (3, 1, 0)

    run(test)


def test_a_truncated_stream_ends_politely_without_its_end():
    async def test():
        async with mock(truncate_after=2) as (client, service):
            answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
            assert answer.status_code == 200
            assert "[DONE]" not in answer.text
            assert service.stats.cut == 1

    run(test)


@pytest.mark.parametrize(
    ("path", "mark"),
    [("/v1/chat/completions", '"error":'), ("/v1/messages", "overloaded_error"), ("/v1/responses", "event: error")],
)
def test_an_error_inside_the_stream(path, mark):
    async def test():
        async with mock(error_after=2) as (client, _):
            assert mark in (await client.post(path, json={**PATHS[path], "stream": True})).text

    run(test)


def test_ordered_errors_come_with_retry_after_and_knobs_by_header():
    async def test():
        async with mock() as (client, _):
            headers = {"X-Mock-Error-Status": "429", "X-Mock-Retry-After": "2"}
            answer = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
            assert answer.json()["error"]["code"] == "rate_limit_exceeded"
            answer = await client.post("/v1/messages", json=MESSAGE, headers={"X-Mock-Error-Status": "529"})
            assert answer.json()["error"]["type"] == "overloaded_error"
            assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200

    run(test)


def test_knobs_at_run_time():
    async def test():
        async with mock() as (client, _):
            assert (await client.patch("/_mock/config", json={"mode": "canned", "text": "so be it"})).status_code == 200
            answer = (await client.post("/v1/chat/completions", json=CHAT)).json()
            assert answer["choices"][0]["message"]["content"] == "so be it"
            refused = await client.patch("/_mock/config", json={"nope": 1})
            assert refused.status_code == 400
            assert "there is no knob 'nope'" in refused.json()["error"]["message"]

    run(test)


def test_places_and_queue():
    async def test():
        async with mock(max_concurrent=1, queue=1) as (client, service):
            ready = asyncio.Event()

            async def hold(seconds):
                await ready.wait()

            service._sleep = hold
            slow = {"X-Mock-Ttft-Ms": "1"}
            tasks = [
                asyncio.ensure_future(client.post("/v1/chat/completions", json=CHAT, headers=slow)) for _ in range(3)
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result().status_code for task in done] == [503]
            ready.set()
            assert sorted(one.status_code for one in await asyncio.gather(*tasks)) == [200, 200, 503]
            assert service.stats.in_flight == 0

    run(test)


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/v1/chat/completions", b"{", "Expecting"),
        ("/v1/chat/completions", b"[]", "JSON object"),
        ("/v1/chat/completions", b'{"model":"m"}', "messages"),
        ("/v1/messages", b'{"model":"m","messages":[{}]}', "max_tokens"),
        ("/v1/responses", b'{"model":"m"}', "input"),
        ("/v1/embeddings", b'{"model":"m"}', "input"),
    ],
)
def test_bad_bodies(path, body, word):
    async def test():
        async with mock() as (client, _):
            answer = await client.post(path, content=body)
            assert answer.status_code == 400
            assert word in answer.json()["error"]["message"]

    run(test)


def test_embeddings_models_and_counts():
    async def test():
        async with mock() as (client, _):
            body = {"model": "mock-embed", "input": ["a b", "c"], "dimensions": 8}
            answer = (await client.post("/v1/embeddings", json=body)).json()
            assert [len(one["embedding"]) for one in answer["data"]] == [8, 8]
            assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
            names = [one["id"] for one in (await client.get("/v1/models")).json()["data"]]
            assert (await client.get(f"/v1/models/{names[0]}")).json()["id"] == names[0]
            assert (await client.get("/v1/models/nope")).status_code == 404
            assert (await client.post("/v1/messages/count_tokens", json=CHAT)).json() == {"input_tokens": 3}
            assert (await client.get("/v1/nope")).status_code == 404

    run(test)


def test_usage_modes():
    async def test():
        async with mock() as (client, _):

            async def usage(mode, **more):
                answer = await client.post(
                    "/v1/chat/completions", json={**CHAT, **more}, headers={"X-Mock-Usage": mode}
                )
                return answer.text

            assert '"usage"' not in await usage("absent")
            assert '"completion_tokens":-5' in await usage("lying")
            asked = {"stream": True, "stream_options": {"include_usage": True}}
            late = await usage("late", **asked)
            assert late.index("[DONE]") < late.index('"completion_tokens":24')
            assert '"completion_tokens":7,' in await usage("cumulative", **asked)

    run(test)
