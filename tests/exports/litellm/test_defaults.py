"""What a LiteLLM file says of everybody: master key, the proxy's budget, defaults; none of it gets lost, no secret shown."""

import pytest

from aimon_local.exports.gaps import lines
from aimon_local.exports.litellm import MASTER, read

MODEL = {"model_name": "m", "litellm_params": {"model": "openai/m"}}


def got(keys=None, variables=None, **sections):
    return read({"model_list": [MODEL], **sections}, keys, variables or {}, ())


def told(found):
    return {(gap.where, gap.what) for gap in found.gaps}


def tiers(found):
    return {each["name"]: each for each in found.document["tiers"]}


@pytest.mark.parametrize(("given", "variables"), [("sk-9", {}), ("os.environ/MK", {"MK": "sk-9"})])
def test_the_master_key_is_a_consumer_s_and_stands_in_no_document(given, variables):
    found = got(variables=variables, general_settings={"master_key": given})
    assert found.master_key == "sk-9"
    assert found.document["consumers"] == [{"username": MASTER, "groups": [{"name": MASTER}]}]
    assert tiers(found)[MASTER]["limits"] == []
    assert "sk-9" not in repr(found.document) + repr(lines(found.gaps))


def test_a_master_key_that_is_not_known_is_said():
    found = got(general_settings={"master_key": "os.environ/MK"})
    assert found.master_key is None
    assert any("the variable MK is not set" in line for line in lines(found.gaps))


def test_the_proxy_s_budget_is_the_master_s_where_all_calls_are_its():
    found = got(litellm_settings={"max_budget": 7.5, "budget_duration": "1d"}, general_settings={"master_key": "k"})
    assert tiers(found)[MASTER]["limits"] == [{"unit": "cost", "amount": 7.5, "period": "day"}]
    assert ("litellm_settings", "max_budget") not in told(found)


@pytest.mark.parametrize("sections", [{"general_settings": {"master_key": "k"}}, {}])
def test_the_proxy_s_budget_is_lost_where_others_call_too_and_that_is_said(sections):
    keys = [{"key_alias": "a", "rpm_limit": 3}]
    found = got(keys, litellm_settings={"max_budget": 7.5, "budget_duration": "1d"}, **sections)
    assert {("litellm_settings", "max_budget"), ("litellm_settings", "budget_duration")} <= told(found)
    assert all(each["unit"] != "cost" for tier in found.document["tiers"] for each in tier["limits"])


def test_defaults_are_tiers_to_assign():
    given = {"max_budget": 5, "budget_duration": "30d", "rpm_limit": 4, "tpm_limit": 90, "max_parallel_requests": 2}
    params = {**given, "models": ["m"], "user_role": "internal_user"}
    found = got(
        litellm_settings={"default_internal_user_params": params, "default_key_generate_params": {"rpm_limit": 1}}
    )
    assert tiers(found)["litellm-default-user"] == {
        **{"name": "litellm-default-user", "concurrency": 2, "models": ["m"]},
        "limits": [
            {"unit": "requests", "amount": 4, "period": "minute"},
            {"unit": "tokens", "amount": 90, "period": "minute"},
            {"unit": "cost", "amount": 5, "period": "month"},
        ],
    }
    assert tiers(found)["litellm-default-key"]["limits"] == [{"unit": "requests", "amount": 1, "period": "minute"}]
    section = "default_internal_user_params"
    assert {(section, "defaults"), (section, "user_role"), (section, "budget_duration")} <= told(found)
    assert ("litellm_settings", section) not in told(found)


def test_defaults_that_limit_nothing_are_told_as_any_setting():
    found = got(litellm_settings={"default_internal_user_params": {"user_role": "x"}, "default_key_generate_params": 5})
    assert {("litellm_settings", f"default_{each}_params") for each in ("internal_user", "key_generate")} <= told(found)
    assert found.document["tiers"] == []


@pytest.mark.parametrize("limit", ["rpm_limit", "tpm_limit", "max_parallel_requests", "max_budget"])
def test_a_limit_of_nothing_lets_nothing_through(limit):
    (tier,) = got([{"key_alias": "a", limit: 0}]).document["tiers"]
    assert [each["amount"] for each in tier["limits"]] == [0]


def test_no_virtual_key_takes_the_master_s_name():
    found = got([{"key_alias": MASTER}], general_settings={"master_key": "k"})
    assert [each["username"] for each in found.document["consumers"]] == [f"{MASTER}-2", MASTER]
