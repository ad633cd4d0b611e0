"""Both halves of the built-in upstream behind one app."""

import asyncio
import json

import httpx
import pytest

from aimon_local.mock.app import upstream_app
from aimon_local.mock.llm.service import MockLlm
from aimon_local.wire.app import serve_app


@pytest.fixture
def talk():
    """Runs a conversation with a fresh upstream on a free port."""

    def run(conversation):
        async def main():
            listener = await serve_app(upstream_app(MockLlm()), "127.0.0.1", 0)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
                await conversation(client)
            await listener.close()

        asyncio.run(main())

    return run


CHAT = {"model": "mock-small", "messages": [{"role": "user", "content": "hello"}]}


def test_statistics_count_both_halves(talk):
    async def conversation(client):
        assert (await client.get("/get?x=1")).status_code == 200
        assert (await client.get("/status/503")).status_code == 503
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        stats = (await client.get("/_mock/stats")).json()
        assert stats["requests"] == 3
        assert stats["paths"] == {"/get": {"200": 1}, "/status/503": {"503": 1}}
        assert (await client.head("/_mock/stats")).status_code == 200
        assert (await client.delete("/_mock/stats")).is_success
        after = (await client.get("/_mock/stats")).json()
        assert (after["requests"], after["paths"]) == (0, {})

    talk(conversation)


def test_each_path_finds_its_half(talk):
    async def conversation(client):
        assert "data" in (await client.get("/v1/models")).json()
        assert (await client.get("/anything/v1")).json()["url"].endswith("/anything/v1")
        assert (await client.get("/nowhere")).status_code == 404
        assert "<table>" in (await client.get("/")).text
        assert json.loads((await client.get("/_mock/config")).text)

    talk(conversation)
