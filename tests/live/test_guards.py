"""Runaway agents with official SDKs against a running gateway: each is stopped by the guard that should; the calls, the
dollars and the time to the stop are printed (``pytest -s``). Honest agents beside them are never stopped.
"""

import asyncio
import json
import time
from decimal import Decimal

import anthropic
import openai
import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.agents import Conversation
from tests.support.live import WAIT, GatewayProcess, ask

pytestmark = pytest.mark.live
TIER = {
    "name": "watched",
    "plan": "agent",
    "limits": [{"unit": "cost", "amount": 5, "period": "day"}],
    "guards": {"throttle_s": 0.02, "pollers": ["tool:poll"]},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("guards") / "data") as running:
        running.write("POST", "/tiers", TIER)
        running.write("POST", "/tiers", {"name": "narrow", "plan": "agent", "guards": {}, "limits": NARROW})
        yield running


STRICT = {"plan": "agent", "guards": {"repeat": {"warn": 0, "throttle": 0, "deny": 2}}}
NARROW = [{"unit": "requests", "amount": 2, "period": "hour"}]


def agent(gateway, tier="watched"):
    name, key = gateway.consumer()
    gateway.write("POST", f"/consumer_groups/{tier}/consumers", {"consumer": name})
    return name, key


def openai_of(gateway, key, kind=openai.OpenAI):
    url = "http://{}:{}/demo/v1".format(*gateway.proxy)
    return kind(api_key=key, base_url=url, default_headers={"apikey": key}, timeout=WAIT)


def chat(client, document):
    return client.chat.completions.create(**document | {"model": "mock-small", "max_tokens": 5})


def until_denied(gateway, name, guard, send, most=60):
    """Call until a guard denies; the SDK waits by itself where it is throttled. What it cost goes to stdout."""
    begun = time.monotonic()
    for number in range(1, most + 1):
        try:
            send(number)
        except (openai.RateLimitError, anthropic.RateLimitError) as fault:
            if "x-should-retry" in fault.response.headers:
                stopped = fault
                break
    else:
        raise AssertionError("not denied")
    seconds = time.monotonic() - begun
    error = stopped.response.json()["error"]
    rows = gateway.write("GET", f"/requests?consumer={name}&size=1000")["data"]
    cost = sum(Decimal(row["ai"]["cost"]) for row in rows if row["ai"]) / 10**9
    print(f"\n{guard}: stopped at call {number}, {len(rows)} requests, ${cost:f}, {seconds:.2f} s")
    assert error["aimon"] == {"guard": guard}
    assert f"{guard}:deny" in rows[0]["ai"]["guard"]
    spoken = [event["action"] for event in audit(gateway, name)]
    assert spoken == ["deny", "throttle", "warn"]
    return rows


def audit(gateway, name):
    return gateway.write("GET", f"/audit?kind=guard&entity={name}")["data"]


def test_agent_ping_pong(gateway):
    name, key = agent(gateway)
    talk = Conversation()
    steps = [("plan", {}, "ask the reviewer first"), ("review", {}, "ask the planner first")]
    with openai_of(gateway, key) as client:
        until_denied(gateway, name, "ping_pong", lambda at: chat(client, talk.tool(*steps[at % 2])))


def test_agent_growing_prompt(gateway):
    name, key = agent(gateway)
    talk = Conversation()
    text = ["word " * 1000]

    def send(_):
        text[0] += text[0][: len(text[0]) // 2]
        chat(client, {"messages": [talk.messages[0], {"role": "user", "content": text[0]}]})

    with openai_of(gateway, key) as client:
        until_denied(gateway, name, "growth", send)


def test_agent_that_repeats_itself_on_anthropics_api(gateway):
    name, key = agent(gateway)
    url = "http://{}:{}/demo".format(*gateway.proxy)
    slow = {"X-Mock-Ttft-Ms": "260"}  # as models are: what comes within a quarter of a second counts once
    hello = [{"role": "user", "content": "hello"}]
    with anthropic.Anthropic(api_key=key, base_url=url, default_headers={"apikey": key}, timeout=WAIT) as client:
        until_denied(
            gateway,
            name,
            "repeat",
            lambda _: client.messages.create(model="claude-haiku", max_tokens=5, messages=hello, extra_headers=slow),
        )


def test_retry_storm_of_an_agent(gateway):
    """It ignores every Retry-After; from the tenth early try on it is denied by the guard, not by its limit; calls that could have been sent at once do not count."""
    name, key = agent(gateway, "narrow")
    body = json.dumps({"model": "mock-small", "max_tokens": 5, "messages": [{"role": "user", "content": "now!"}]})
    seen, begun = [], time.monotonic()
    while len(seen) < 60 and (not seen or seen[-1] != "retry_storm"):
        reply = ask(gateway.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key)
        seen.append(reply.json.get("error", {}).get("code", "ok"))
    seconds = time.monotonic() - begun
    print(f"\nstorm: stopped at call {len(seen)}, {seconds:.2f} s")
    assert seen[:3] == ["ok", "ok", "rate_limit_exceeded"]
    assert len(seen) <= 40
    assert [line["action"] for line in audit(gateway, name)] == ["deny", "throttle", "warn"]
    again = ask(gateway.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key)
    assert again.json["error"]["code"] == "retry_storm"
    plain = ask(gateway.proxy, "GET", "/demo/get", apikey=key)
    assert plain.headers["Content-Type"] == "application/problem+json"
    assert plain.json["violated-policies"] == ["storm"]
    request_id = again.headers["X-Kong-Request-Id"]
    environ = {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)}
    told = CliRunner(env=environ).invoke(main, ["explain", request_id]).stdout
    assert "The guard storm had denied it before" in told
    asked = {"consumer": name, "path": "/demo/v1/chat/completions", "body": json.loads(body)}
    check = gateway.write("POST", "/check", asked)
    assert (check["verdict"], check["denial"]["reason"]) == ("deny", "abnormal_usage")


def test_the_operator_may_forgive(gateway):
    name, key = agent(gateway)
    gateway.write("POST", "/tiers", STRICT | {"name": f"tier-{name}", "consumer": {"username": name}})
    say = {"messages": [{"role": "user", "content": "again"}]}
    with openai_of(gateway, key) as client:
        one = client.with_options(max_retries=0)
        chat(one, say)
        with pytest.raises(openai.RateLimitError):
            chat(one, say)
        with pytest.raises(openai.RateLimitError):
            chat(one, {"messages": [{"role": "user", "content": "something else"}]})
        environ = {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)}
        listed = json.loads(CliRunner(env=environ).invoke(main, ["guards", "--json"]).stdout)["data"]
        row = next(row for row in listed if row["consumer"] == name)
        assert (row["by"], row["guards"]) == ("repeat", {"repeat": "deny"})
        assert row["cool_down_until"]
        assert CliRunner(env=environ).invoke(main, ["guards", "forgive", name]).exit_code == 0
        chat(one, say)
    assert audit(gateway, name)[0]["action"] == "forgive"
    assert "no guard has seen" in CliRunner(env=environ).invoke(main, ["guards", "forgive", "nobody"]).stderr


# ---- honest agents


def tool_chain(client):
    talk = Conversation()
    for number in range(40):
        chat(client, talk.tool("read", {"path": f"/src/{number}.py"}, f"file {number}: " + "code " * 100))


def poller(client):
    talk = Conversation()
    for _ in range(30):
        chat(client, talk.tool("poll", {}, "the job still runs"))


def mender(client):
    talk = Conversation()
    for number in range(15):
        chat(client, talk.tool("edit", {"line": number}, "ok"))
        chat(client, talk.tool("test", {}, f"{40 - number} tests failed"))


@pytest.mark.parametrize("work", [tool_chain, poller, mender])
def test_an_honest_agent_is_not_stopped(gateway, work):
    name, key = agent(gateway)
    with openai_of(gateway, key) as client:
        work(client.with_options(max_retries=0))
    assert not [line for line in audit(gateway, name) if line["action"] != "warn"]


def test_a_map_reduce_in_parallel_is_not_stopped(gateway):
    name, key = agent(gateway)

    async def run():
        async with openai_of(gateway, key, openai.AsyncOpenAI) as client:
            one = client.with_options(max_retries=0)
            parts = [{"messages": [{"role": "user", "content": f"Part {at}: {'x' * 50 * at}"}]} for at in range(24)]
            await asyncio.gather(*(chat(one, part) for part in parts))
            same = {"messages": [{"role": "user", "content": "Roll a die."}]}
            for _ in range(3):  # waves of samples, as a bound on what is sent at once makes them
                await asyncio.gather(*(chat(one, same) for _ in range(12)))

    asyncio.run(run())
    assert not [line for line in audit(gateway, name) if line["action"] != "warn"]  # a slow machine's waves are long


def test_a_polite_retrier_is_not_stopped(gateway):
    """The official SDK, refused by a limit of a second again and again, waits by itself and gets all its work done."""
    name, key = agent(gateway)
    tier = {"name": f"tier-{name}", "plan": "agent", "guards": {}, "consumer": {"username": name}}
    gateway.write("POST", "/tiers", {**tier, "limits": [{"unit": "requests", "amount": 3, "period": "second"}]})
    with openai_of(gateway, key) as client:
        for number in range(12):
            chat(client.with_options(max_retries=5), {"messages": [{"role": "user", "content": f"task {number}"}]})
    rows = gateway.write("GET", f"/requests?consumer={name}&size=1000")["data"]
    assert [row["status"] for row in rows].count(200) == 12
    assert [row["status"] for row in rows].count(429) >= 1
    assert audit(gateway, name) == []
