"""Approvals over sockets: the official SDK meets a soft limit, the operator answers by the command, a kill forgets nothing."""

import json

import openai
import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import GatewayProcess, ask


@pytest.fixture
def running(tmp_path):
    with GatewayProcess(tmp_path / "data") as made:
        made.write("POST", "/price_plans", {"name": "soft"})
        soft = [{"unit": "requests", "amount": 2, "period": "day", "ask": True}]
        made.write("POST", "/tiers", {"name": "soft", "plan": "soft", "limits": soft})
        yield made


def client_of(running):
    name, key = running.consumer()
    running.write("POST", "/consumer_groups/soft/consumers", {"consumer": name})
    url = "http://{}:{}/demo/v1".format(*running.proxy)
    return name, openai.OpenAI(base_url=url, api_key=key, default_headers={"apikey": key})


def command(running, *words, code=0):
    result = CliRunner(env={"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)}).invoke(main, words)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in words and not code else result.stderr


def call(client):
    return client.chat.completions.create(
        model="mock-small", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
    )


def refused(client):
    """The question's id that the SDK's exception carries; it was sent once."""
    with pytest.raises(openai.RateLimitError) as caught:
        call(client)
    assert caught.value.code == "approval_required"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    return caught.value.response.headers["x-aimon-approval"]


def test_the_operator_lets_it_go_on(running):
    name, client = client_of(running)
    with client:
        call(client), call(client)
        question = refused(client)
        assert command(running, "approvals", "--json", "--consumer", name)["data"][0]["id"] == question
        assert "give requests alone" in command(running, "approve", question, "--usd", "5", code=1)
        granted = command(running, "approve", question, "--requests", "1", "--for", "1h", "--json")
        assert (granted["state"], granted["granted"], granted["decided_by"]) == ("approved", 1, "admin 127.0.0.1")
        assert "was approved before" in command(running, "approve", question, code=1)
        call(client)
        again = refused(client)
        assert again != question
        command(running, "approvals", "deny", again, "--json")
        with pytest.raises(openai.RateLimitError) as caught:
            call(client)
        assert caught.value.code == "insufficient_quota"
    lines = command(running, "audit", "--kind", "approval", "--json")["data"]
    told = [(line["action"], line["actor"], line["entity_id"]) for line in lines]
    assert told == [
        ("deny", "admin", again),
        ("ask", "gateway", again),
        ("approve", "admin", question),
        ("ask", "gateway", question),
    ]
    assert (lines[2]["before"]["granted"], lines[2]["after"]["granted"]) == (0, 1)
    assert all(check["good"] for check in command(running, "verify", "--json"))


def test_a_kill_forgets_neither_question_nor_head_room(running, tmp_path):
    name, client = client_of(running)
    with client:
        call(client), call(client)
        command(running, "approve", refused(client), "--requests", "2", "--json")
        call(client)
    running.kill()
    with GatewayProcess(tmp_path / "data") as again:
        where = "http://{}:{}/demo/v1".format(*again.proxy)
        with openai.OpenAI(base_url=where, api_key=client.api_key, default_headers={"apikey": client.api_key}) as after:
            call(after)
            question = refused(after)
        assert command(again, "approvals", "show", question, "--json")["consumer"] == name


def test_what_is_not_there_or_no_number_is_said(running):
    assert "there is no approval" in command(running, "approve", "ask-none", code=1)
    assert ask(running.admin, "POST", "/approvals/ask-none/deny").status == 404
    assert ask(running.admin, "GET", "/approvals?state=maybe").status == 400
