"""Agents over sockets: the command makes them, official SDKs call, an owner mints, a kill forgets no run."""

import json
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import GatewayProcess, ask

SCOPES = "routes=demo-route;methods=*;models=mock-*;tools=search"
BODY = {"model": "mock-small", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("agents") / "data") as made:
        yield made


def command(running, *words, code=0):
    result = CliRunner(env={"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)}).invoke(main, words)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in words and not code else result.stdout.strip()


_count = iter(range(1000))


def agent(running, owner, limits="", scopes=SCOPES):
    """A new agent: (name, key)."""
    name = f"bot-{next(_count)}"
    more = ("--limits", limits) if limits else ()
    return name, command(running, "agent", "create", name, "--owner", owner, "--scopes", scopes, *more)


def base(running):
    return "http://{}:{}/demo".format(*running.proxy)


def sdk(running, key, **headers):
    return openai.OpenAI(base_url=f"{base(running)}/v1", api_key=key, default_headers=headers or None)


def chat(running, key, **headers):
    """(status, code of the refusal, the answer)."""
    fields = {name.replace("-", "_"): value for name, value in headers.items()}
    path = "/demo/v1/chat/completions"
    reply = ask(running.proxy, "POST", path, json.dumps(BODY), apikey=key, Content_Type="application/json", **fields)
    return reply.status, reply.json.get("error", {}).get("code"), reply


def field(reply, name):
    return reply.headers[name]


def good(running):
    return all(check["good"] for check in command(running, "verify", "--json"))


def test_official_sdks_raise_what_they_should(running):
    owner, _ = running.consumer()
    name, key = agent(running, owner, "requests=3")
    with sdk(running, key) as client:
        messages = [{"role": "user", "content": "hi"}]
        client.chat.completions.create(model="mock-small", max_tokens=5, messages=messages)
        tool = {"type": "function", "function": {"name": "rm", "parameters": {}}}
        with pytest.raises(openai.PermissionDeniedError) as caught:
            client.chat.completions.create(model="mock-small", messages=messages, tools=[tool])
        assert caught.value.code == "tool_not_allowed"
        with pytest.raises(openai.PermissionDeniedError) as caught:
            client.chat.completions.create(model="gpt-9", messages=messages)
        assert caught.value.code == "model_not_allowed"
        for _ in range(2):
            client.chat.completions.create(model="mock-small", max_tokens=5, messages=messages)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="mock-small", max_tokens=5, messages=messages)
        assert caught.value.code == "run_limit_exceeded"
        assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    with anthropic.Anthropic(base_url=base(running), api_key=key) as client, pytest.raises(anthropic.RateLimitError):
        client.messages.create(model="mock-small", max_tokens=5, messages=messages)
    runs = command(running, "agent", "runs", name, "--json")
    assert [(run["calls"], run["denied"], run["live"]["requests"]) for run in runs] == [(7, 4, 3)]
    assert sorted(runs[0]["deny_reasons"]) == ["run_requests", "scope_model", "scope_tool"]
    row = running.write("GET", f"/requests?consumer={name}")["data"][0]
    told = command(running, "explain", row["request_id"])
    assert f"chain.agent={name}  chain.owner={owner}  chain.run={runs[0]['run']}  chain.depth=0" in told
    assert f"requests/run ({owner}@run/{runs[0]['run']})" in told
    assert (row["ai"]["agent"], row["ai"]["owner"], row["deny_reason"]) == (name, owner, "run_requests")
    assert good(running)


def test_fifty_parallel_agents_of_one_owner_are_exact(running):
    owner, _ = running.consumer()
    limits = [
        {"unit": "requests", "amount": 20, "period": "day"},
        {"unit": "tokens", "amount": 1 << 30, "period": "day"},
    ]
    running.write("POST", "/tiers", {"name": "twenty", "limits": limits})
    running.write("POST", "/consumer_groups/twenty/consumers", {"consumer": owner})
    keys = [agent(running, owner)[1] for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda key: chat(running, key)[:2], keys))
    assert sorted(statuses) == [(200, None)] * 20 + [(429, "insufficient_quota")] * 30
    assert good(running)


def test_runs_that_come_back_over_the_upstream(running):
    owner, _ = running.consumer()
    _, key = agent(running, owner, "depth=1;fanout=2")
    _, other = agent(running, owner)
    stranger = agent(running, running.consumer()[0])[1]
    reply = ask(running.proxy, "GET", "/demo/anything", apikey=key)
    run, up = field(reply, "X-Aimon-Run"), reply.json["headers"]["X-Aimon-Run"]
    assert field(reply, "X-Aimon-Depth") == "0"
    assert chat(running, stranger, **{"X-Aimon-Run": up})[1] == "run_forged"
    assert chat(running, other, **{"X-Aimon-Run": run})[1] == "run_replayed"
    assert chat(running, key, **{"X-Aimon-Run": up, "X-Aimon-Depth": "0"})[1] == "run_forged"
    assert chat(running, key, **{"X-Aimon-Run": f"{up}0"})[1] == "run_forged"
    hops = [chat(running, other, **{"X-Aimon-Run": up}) for _ in range(2)]
    assert [status for status, *_ in hops] == [200, 200]
    assert field(hops[0][2], "X-Aimon-Depth") == "1"
    assert chat(running, key, **{"X-Aimon-Run": up})[1] == "chain_fanout_exceeded"
    deeper = ask(running.proxy, "GET", "/demo/anything", apikey=other, X_Aimon_Run=run, X_Aimon_Depth="1")
    assert deeper.status == 200
    assert chat(running, key, **{"X-Aimon-Run": deeper.json["headers"]["X-Aimon-Run"]})[1] == "chain_depth_exceeded"


def mint(running, key, **asked):
    reply = ask(running.proxy, "POST", "/aimon/agent-tokens", json.dumps(asked), apikey=key)
    return reply.status, reply.json


def test_tokens_are_minted_by_the_owners_key_and_end_with_it(running):
    owner, key = running.consumer()
    name, own_key = agent(running, owner)
    status, made = mint(running, key, agent=name, budget={"requests": 1}, scopes={"models": ["mock-small"]})
    assert status == 201
    token = made["token"]
    assert [chat(running, token)[:2] for _ in range(2)] == [(200, None), (429, "token_budget_exceeded")]
    with sdk(running, mint(running, key, agent=name)[1]["token"]) as client:
        assert client.chat.completions.create(**BODY).choices
    assert mint(running, key, agent=name, scopes={"models": ["*"]})[0] == 400
    assert mint(running, own_key, agent=name)[0] == 404  # an agent mints nothing
    assert mint(running, "nobody", agent=name)[0] == 401
    assert mint(running, running.consumer()[1], agent=name)[0] == 404
    again = running.write("POST", f"/consumers/{owner}/key-auth", {})
    later = mint(running, again["key"], agent=name)[1]["token"]
    assert chat(running, later)[0] == 200
    running.write("DELETE", f"/consumers/{owner}/key-auth/{again['id']}")
    assert chat(running, later)[:2] == (401, "key_revoked")
    assert chat(running, own_key)[0] == 200  # the owner has another key
    operators = command(running, "agent", "token", name, "--ttl", "5m", "--json")
    assert chat(running, operators["token"])[0] == 200
    command(running, "agent", "revoke", name, "--token-id", operators["jti"])
    assert chat(running, operators["token"])[:2] == (401, "key_revoked")


def test_a_dry_run_knows_the_scopes_and_the_owner(running):
    owner, _ = running.consumer()
    name, _ = agent(running, owner)

    def check(**more):
        asked = {"consumer": name, "route": "demo-route", "model": "mock-small", **more}
        denial = running.write("POST", "/check", asked)["denial"]
        return denial and denial["reason"]

    assert check() is None
    assert check(model="gpt-9") == "scope_model"
    running.write("PATCH", f"/agents/{name}", {"scopes": {"routes": ["x"]}})
    assert check() == "scope_route"
    running.write("PATCH", f"/agents/{name}", {"enabled": False})
    assert check() == "agent_disabled"


def test_who_stops_an_agent(running):
    owner, _ = running.consumer()
    name, key = agent(running, owner)
    command(running, "agent", "revoke", name)
    assert chat(running, key)[:2] == (403, "agent_disabled")
    command(running, "agent", "revoke", name, "--undo")
    assert chat(running, key)[0] == 200
    command(running, "consumer", "delete", owner)
    assert chat(running, key)[:2] == (403, "owner_revoked")
    assert "(gone)" in command(running, "agent", "list")
    command(running, "agent", "delete", name)
    assert ask(running.proxy, "GET", "/demo/get", apikey=key).status == 401
    assert ask(running.admin, "GET", f"/consumers/{name}").status == 404


def test_agents_that_make_no_sense_are_refused(running):
    owner, _ = running.consumer()
    name, _ = agent(running, owner)
    for owner_name in (name, "nobody"):
        command(running, "agent", "create", f"x-{owner_name}", "--owner", owner_name, code=1)
    assert ask(running.admin, "GET", "/agents/x-nobody").status == 404
    assert ask(running.admin, "GET", f"/consumers/x-{name}").status == 404  # nothing of it was made
    command(running, "agent", "create", "x", "--owner", owner, "--scopes", "colour=red", code=2)
    command(running, "agent", "create", "x", "--owner", owner, "--limits", "requests=many", code=2)


def test_a_file_makes_agents_and_comes_back_the_same(running, tmp_path):
    owner, _ = running.consumer()
    file = tmp_path / "agents.toml"
    text = f'[agents.from-file]\nowner = "{owner}"\nscopes = {{ routes = ["*"], methods = ["GET"] }}\nlimits = {{ depth = 3 }}\n'
    file.write_text(text)
    for _ in range(2):
        command(running, "tier", "apply", str(file))
    exported = command(running, "tier", "export")
    assert "[agents.from-file]" in exported
    key = running.write("POST", "/consumers/from-file/key-auth", {})["key"]
    assert ask(running.proxy, "GET", "/demo/get", apikey=key).status == 200
    assert ask(running.proxy, "DELETE", "/demo/anything", apikey=key).status == 403
    command(running, "agent", "revoke", "from-file")
    command(running, "tier", "apply", str(file))
    assert ask(running.proxy, "GET", "/demo/get", apikey=key).status == 403  # a file does not undo what it leaves open


def test_a_kill_keeps_the_counts_of_runs(tmp_path):
    with GatewayProcess(tmp_path / "data") as first:
        owner, _ = first.consumer()
        _, key = agent(first, owner, "requests=3")
        assert [chat(first, key)[0] for _ in range(2)] == [200, 200]
        first.kill()
    with GatewayProcess(tmp_path / "data") as second:
        assert [chat(second, key)[:2] for _ in range(2)] == [(200, None), (429, "run_limit_exceeded")]
        assert good(second)
