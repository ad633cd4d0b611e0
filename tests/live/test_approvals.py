"""Approvals over sockets: the official SDK meets a soft limit, the operator answers by the command, a kill forgets nothing."""

import json
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import WAIT, GatewayProcess, Wire, ask, until


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


def held(running, seconds):
    running.write("PATCH", "/tiers/soft", {"hold_s": seconds})
    name, client = client_of(running)
    call(client), call(client)
    return name, client


def asked(running, name):
    """The open question of a consumer; its call waits at the gateway."""
    return until(lambda: command(running, "approvals", "--consumer", name, "--json")["data"])[0]["id"]


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_call_can_be_held_until_the_operator_answers(running, answer):
    name, client = held(running, 30)
    with client, ThreadPoolExecutor(1) as other:
        waiting = other.submit(call, client)
        question = asked(running, name)
        assert not waiting.done()
        if answer == "approve":
            command(running, "approve", question, "--json")
            assert waiting.result(WAIT).choices
        else:
            command(running, "approvals", "deny", question, "--json")
            assert waiting.exception(WAIT).code == "insufficient_quota"


def test_it_is_held_no_longer_than_its_tier_says(running):
    _, client = held(running, 0.3)
    with client:
        refused(client)


def test_who_leaves_while_it_is_held_leaves_nothing_behind(running):
    name, client = held(running, 30)
    body = json.dumps({"model": "mock-small", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
    wire = Wire(running.proxy)
    head = f"POST /demo/v1/chat/completions HTTP/1.1\r\nHost: x\r\napikey: {client.api_key}\r\n"
    wire.send(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    question = asked(running, name)
    wire.leave()
    until(lambda: len(running.write("GET", f"/requests?consumer={name}")["data"]) == 3)
    running.write("PATCH", "/tiers/soft", {"hold_s": 0})
    command(running, "approve", question, "--requests", "1", "--json")
    with client:
        call(client)
        refused(client)
    assert all(check["good"] for check in command(running, "verify", "--json"))
