"""LiteLLM's configuration as a document of ours: what is taken over, and that whatever is not is said."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.errors import ConfigError
from aimon_local.exports.litellm import read

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "litellm"


def config(*models, **sections):
    return {"model_list": list(models), **sections}


def model(name, of, info=None, **params):
    return {"model_name": name, "litellm_params": {"model": of, **params}, "model_info": info or {}}


def got(*models, keys=None, variables=None, priced=(), **sections):
    return read(config(*models, **sections), keys, variables or {}, priced)


def told(found):
    return {(gap.where, gap.what) for gap in found.gaps}


def test_a_provider_becomes_a_service_with_its_key_and_its_times():
    one = model("gpt-4o", "openai/gpt-4o", api_key="os.environ/K", timeout=30, max_retries=2)
    found = got(one, variables={"K": "sk-1"}, priced=["gpt-*"], general_settings={"master_key": None})
    (service,) = found.document["services"]
    assert service["url"] == "https://api.openai.com/v1"
    assert (service["read_timeout"], service["retries"]) == (30_000, 2)
    assert service["routes"] == [{"name": "openai", "paths": ["/openai/v1", "/v1"]}]
    auth, transformer = service["plugins"]
    assert auth["config"]["hide_credentials"] is True
    assert transformer["config"]["add"]["headers"] == ["Authorization:Bearer sk-1"]
    assert told(found) == {("general_settings", "master_key")}


def test_anthropic_gets_its_key_its_own_way_and_no_path_of_its_own_beside_others():
    found = got(model("c", "claude-x", api_key="k"), model("g", "gpt-x", api_key="k"))
    anthropic, openai = found.document["services"]
    assert anthropic["plugins"][1]["config"]["add"]["headers"] == ["x-api-key:k"]
    assert (anthropic["routes"][0]["paths"], openai["routes"][0]["paths"]) == (["/anthropic/v1"], ["/openai/v1"])


def test_addresses_of_one_provider_are_services_apart():
    bases = ("http://a/v1", "http://b/v1/", "http://a/v1/")
    found = got(*(model("m", "hosted_vllm/m", api_base=base) for base in bases))
    assert [(each["name"], each["url"]) for each in found.document["services"]] == [
        ("hosted-vllm", "http://a/v1"),
        ("hosted-vllm-2", "http://b/v1"),
    ]


def test_prices_are_per_million_and_a_text_is_a_number():
    info = {"output_cost_per_token": 6e-07, "max_output_tokens": 16384}
    priced = model("m", "openai/m", info, input_cost_per_token="1.5e-07", cache_read_input_token_cost=7.5e-08)
    (line,) = got(priced).document["model_prices"]
    assert line == {
        **{"model": "m", "provider": "openai", "input": 0.15, "output": 0.6, "cache_read": 0.075},
        "max_output": 16384,
    }


@pytest.mark.parametrize(
    ("made", "gap"),
    [
        (model("m", "bedrock/x"), "provider"),
        (model("m", "something"), "provider"),
        (model("m", "hosted_vllm/m"), "api_base"),
        (model("alias", "openai/real"), "model_name"),
        (model("m", "openai/m", rpm=5), "rpm"),
        (model("m", "openai/m", tpm=5), "tpm"),
        (model("m", "openai/m", temperature=1), "temperature"),
        (model("m", "openai/m"), "price"),
        (model("m", "openai/m", api_key="os.environ/NONE"), "api_key"),
    ],
)
def test_what_of_a_model_is_lost_is_said(made, gap):
    assert (f"model {made['model_name']}", gap) in told(got(made))


def test_a_second_key_of_one_service_is_said():
    found = got(model("a", "openai/a", api_key="1"), model("b", "openai/b", api_key="2"))
    assert ("model b", "api_key") in told(found)


def test_keys_with_the_same_limits_share_a_tier():
    same = {"max_budget": 10, "budget_duration": "1mo", "rpm_limit": 5, "tpm_limit": 100, "max_parallel_requests": 2}
    keys = {"keys": [{"key_alias": "a", **same}, {"key_alias": "b", **same}, {"key_alias": "a"}]}
    document = got(model("m", "openai/m"), keys=keys).document
    assert [each["username"] for each in document["consumers"]] == ["a", "b", "a-2"]
    first, open_ = document["tiers"]
    assert first["limits"] == [
        {"unit": "requests", "amount": 5, "period": "minute"},
        {"unit": "tokens", "amount": 100, "period": "minute"},
        {"unit": "cost", "amount": 10, "period": "month"},
    ]
    assert (first["concurrency"], open_["limits"]) == (2, [])
    assert document["consumers"][1]["groups"] == [{"name": first["name"]}]


def test_models_of_a_key_are_those_of_the_provider():
    keys = [{"key_alias": "a", "models": ["fast", "x"]}, {"key_alias": "b", "models": ["all-proxy-models"]}]
    tiers = got(model("fast", "openai/gpt-x"), keys=keys).document["tiers"]
    assert tiers[0]["models"] == ["gpt-x", "x"]
    assert "models" not in tiers[1]


@pytest.mark.parametrize(
    ("duration", "period", "gap"),
    [
        *(("1h", "hour", False), ("24h", "day", True), ("7d", "week", True), ("30d", "month", True)),
        *(("1mo", "month", True), ("45d", "month", True), (None, "month", True), ("60s", "minute", False)),
    ],
)
def test_budgets_hold_per_calendar_window_and_that_is_said(duration, period, gap):
    found = got(model("m", "openai/m"), keys=[{"key_alias": "a", "max_budget": 2.5, "budget_duration": duration}])
    assert found.document["tiers"][0]["limits"] == [{"unit": "cost", "amount": 2.5, "period": period}]
    assert (("key a", "budget_duration") in told(found)) == gap


@pytest.mark.parametrize("lost", ["team_id", "model_max_budget", "soft_budget", "aliases", "expires"])
def test_what_of_a_key_is_lost_is_said(lost):
    assert ("key a", lost) in told(got(model("m", "openai/m"), keys=[{"key_alias": "a", lost: "x"}]))


def test_a_blocked_key_and_a_bare_hash_get_nobody_in():
    found = got(model("m", "openai/m"), keys={"keys": [{"key_alias": "a", "blocked": True}, "hash"]})
    assert found.document["consumers"] == []
    assert {("key a", "blocked"), ("keys[1]", "entry")} <= told(found)


@pytest.mark.parametrize("value", ["many", -1, True, float("nan")])
def test_a_limit_that_is_no_number_is_refused_not_lost(value):
    with pytest.raises(ConfigError, match="rpm_limit"):
        got(model("m", "openai/m"), keys=[{"key_alias": "a", "rpm_limit": value}])


@pytest.mark.parametrize("document", [None, [], {}, {"model_list": 5}])
def test_what_is_no_such_file_is_one_clear_line(document):
    with pytest.raises(ConfigError, match="no configuration of LiteLLM"):
        read(document, None, {}, ())
    with pytest.raises(ConfigError, match="no list of LiteLLM's keys"):
        read(config(), 7, {}, ())


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.dictionaries(st.text(max_size=8), st.integers(), max_size=3))
)
def test_no_setting_is_lost_in_silence(sections):
    sections.pop("model_list", None)
    found = read(config(**sections), None, {}, ())
    for section, values in sections.items():
        known = section in ("litellm_settings", "router_settings", "general_settings", "environment_variables")
        lost = {(section, name) for name in values} if known else {(section, section)}
        assert lost <= told(found)


def test_the_example_says_what_it_says():
    keys = json.loads((EXAMPLE / "keys.json").read_text())
    found = read(yaml.safe_load((EXAMPLE / "config.yaml").read_text()), keys, {"OPENAI_API_KEY": "k"}, ())
    assert [each["name"] for each in found.document["services"]] == ["openai", "anthropic", "ollama"]
    assert [each["username"] for each in found.document["consumers"]] == [
        *("search-team", "night-batch", "litellm-master")
    ]
    assert ("model gemini", "provider") in told(found)


def test_a_variable_that_the_file_sets_is_the_file_s():
    one = model("m", "openai/m", api_key="os.environ/K")
    found = got(one, variables={"K": "mine"}, environment_variables={"K": "the-file-s", "N": 5})
    assert "the-file-s" in found.document["services"][0]["plugins"][1]["config"]["add"]["headers"][0]
    assert ("environment_variables", "N") in told(found)
