"""Programs and scripts of examples/, run."""

import importlib.util

import pytest

pytestmark = pytest.mark.live


def sdk(reader, name, path):
    provider = name.upper()
    return {f"{provider}_API_KEY": reader.key, f"{provider}_BASE_URL": reader.environ["AIMON_PROXY"] + path}


def test_openais_sdk(reader):
    said = reader.python("openai_sdk.py", **sdk(reader, "openai", "/ai/v1"))
    lines = dict(line.split(":", 1) for line in said.splitlines())
    assert list(lines) == ["answer", "tokens", "stream", "left", "refused"]
    assert int(lines["tokens"]) > 0
    assert "mock-large" in lines["refused"]


def test_anthropics_sdk(reader):
    said = reader.python("anthropic_sdk.py", **sdk(reader, "anthropic", "/ai"))
    assert [line.split(":")[0] for line in said.splitlines()] == ["answer", "tokens", "stream"]


@pytest.mark.skipif(not importlib.util.find_spec("langchain_openai"), reason="the extra examples is not installed")
def test_langchain(reader):
    said = reader.python("langchain_chat.py", **sdk(reader, "openai", "/ai/v1"))
    assert [line.split(":")[0] for line in said.splitlines()] == ["answer", "tokens", "stream"]


def test_curl(reader):
    said = reader.sh("curl.sh", KEY=reader.key)
    assert "without a key: 401" in said
    assert "with a key:    200" in said
    assert '"tier": "free"' in said
    assert "mock-small" in said


def test_login_by_jwt(reader):
    said = reader.sh("jwt_login.sh")
    assert [line.split()[-1] for line in said.splitlines()[:3]] == ["401", "200", "401"]
    assert '"alice"' in said


def test_an_agent_with_an_owner(reader):
    said = reader.sh("agent.sh")
    statuses = {line.split(":")[0]: line.split()[-1] for line in said.splitlines() if ":  " in line}
    assert statuses["in its scope"] == "200"
    assert statuses["out of scope"] == "403"
    assert statuses["second call"] == "200"
    assert statuses["budget gone"] == "429"
    assert statuses["revoked"] == "403"
    assert "crawl-1" in said
