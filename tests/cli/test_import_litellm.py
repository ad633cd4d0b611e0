"""``import litellm``: a configuration goes in, and calls go through with the provider's key and the key's own budget."""

import json

import pytest

from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, Upstream, ask

pytestmark = pytest.mark.live

ANSWER = json.dumps(
    {
        **{"id": "c", "object": "chat.completion", "created": 1, "model": "big-1"},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
).encode()


@pytest.fixture
def gateway(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as running:
        yield running


def cli(gateway, **environ):
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin), **environ})


def files(tmp_path, url):
    rates = {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}
    params = {"model": "openai/big-1", "api_base": f"{url}/v1", "api_key": "os.environ/BIG_KEY", **rates}
    config = {"model_list": [{"model_name": "big-1", "litellm_params": params}]}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [{"key_alias": "team", "rpm_limit": 2}]}))
    return str(tmp_path / "config.yaml"), "--keys", str(tmp_path / "keys.json")


def test_calls_go_on_where_they_went(gateway, tmp_path):
    seen = []

    def script(visit):
        seen.append((visit.target, visit.field(b"authorization"), visit.body()))
        visit.answer(ANSWER, b"Content-Type: application/json")

    with Upstream(script) as upstream:
        run = cli(gateway, BIG_KEY="sk-big")
        said = run("import", "litellm", *files(tmp_path, upstream.url)).stderr
        assert "LiteLLM keeps only their hashes" in said
        assert "sk-big" not in said
        key = run.json("key", "create", "team")["key"]
        body = json.dumps({"model": "big-1", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4})
        calls = [
            ask(
                gateway.proxy,
                "POST",
                "/v1/chat/completions",
                body,
                Authorization=f"Bearer {key}",
                Content_Type="application/json",
            )
            for _ in range(3)
        ]
        assert [each.status for each in calls] == [200, 200, 429]
        assert [(target, bearer) for target, bearer, _ in seen] == [("/v1/chat/completions", b"Bearer sk-big")] * 2
        spent = gateway.write("GET", "/usage/ai?consumer=team")["totals"]
        assert (spent["calls"], spent["cost"]) == (2, "0.00001")


def test_a_dry_run_changes_nothing_and_an_import_takes_nothing_away(gateway, tmp_path):
    gateway.write("POST", "/services", {"name": "mine", "url": "http://127.0.0.1:1"})
    _, key = gateway.consumer()
    words = ("import", "litellm", *files(tmp_path, "http://127.0.0.1:1"))
    page = cli(gateway).json(*words, "--dry-run")
    assert page["written"] is False
    assert {"kind": "services", "name": "openai", "done": "new"} in page["made"]
    assert {"where": "model big-1", "what": "api_key"}.items() <= page["gaps"][-1].items()
    assert [each["name"] for each in gateway.write("GET", "/services")["data"]] == ["mine"]
    assert "+ services openai" in cli(gateway)(*words).stdout
    assert {each["name"] for each in gateway.write("GET", "/services")["data"]} == {"mine", "openai"}
    assert ask(gateway.proxy, "GET", "/openai/v1/models", apikey=key).status == 502  # let in: nobody is at the port
    said = cli(gateway)(*words).stdout.splitlines()
    assert {line[0] for line in said} == {"="}  # a second time changes nothing


def test_the_master_key_goes_on_and_its_budget_holds(gateway, tmp_path):
    rates = {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}
    with Upstream(lambda visit: (visit.body(), visit.answer(ANSWER, b"Content-Type: application/json"))) as upstream:
        params = {"model": "openai/big-1", "api_base": f"{upstream.url}/v1", **rates}
        config = {
            "model_list": [{"model_name": "big-1", "litellm_params": params}],
            "litellm_settings": {"max_budget": 0.00002, "budget_duration": "1d"},
            "general_settings": {"master_key": "os.environ/MASTER"},
        }
        (tmp_path / "config.yaml").write_text(json.dumps(config))
        run = cli(gateway, MASTER="sk-master-1")
        for _ in range(2):  # the key is in already, the second time
            said = run("import", "litellm", str(tmp_path / "config.yaml"))
            assert "sk-master-1" not in said.stdout + said.stderr
        body = json.dumps({"model": "big-1", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4})
        heads = {"Authorization": "Bearer sk-master-1", "Content_Type": "application/json"}
        calls = [ask(gateway.proxy, "POST", "/v1/chat/completions", body, **heads).status for _ in range(9)]
        assert calls[0] == 200
        assert calls == [200] * 2 + [429] * 7
        assert gateway.write("GET", "/usage/ai?consumer=litellm-master")["totals"]["calls"] == 2


def test_both_lists_of_ways_are_told(gateway):
    assert "LiteLLM" in cli(gateway)("import", "--help").stdout
    assert "decK" in cli(gateway)("export", "--help").stdout
    assert "No such command" in cli(gateway).fails("import", "nothing", code=2)
