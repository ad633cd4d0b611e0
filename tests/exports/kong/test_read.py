"""Import from Kong: decK's form, ``kong config db_export``'s, and what is said to be lost."""

import pytest

from aimon_local.errors import ConfigError
from aimon_local.exports.kong import read
from aimon_local.model import declarative
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.violation import Violation
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS
from tests.support.admin_stories import NOW, CountingIds


def taken(document, variables=None):
    """The gaps of an import, as (where, what), and the rows that come of it."""
    done = read(document, variables or {})
    found = declarative.load(done.document, Catalog(SCHEMAS, PLUGIN_SCHEMAS, {}), NOW, CountingIds())
    assert not isinstance(found, Violation), found.body
    return {(gap.where, gap.what) for gap in done.gaps}, declarative.dump(found.catalog, NOW)


@pytest.mark.parametrize("document", [None, [], "x", {}, {"services": []}])
def test_what_is_no_such_document_is_said(document):
    with pytest.raises(ConfigError, match="no declarative configuration"):
        read(document, {})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"_format_version": "9.0"}, "_format_version '9.0' is not known"),
        ({"_format_version": "3.0", "services": "x"}, "services must be a list"),
        ({"_format_version": "3.0", "services": ["x"]}, r"services\[1\] must be an object"),
        ({"_format_version": "3.0", "services": [{"routes": 5}]}, r"services\[1\].routes must be a list"),
    ],
)
def test_what_is_broken_is_named(document, told):
    with pytest.raises(ConfigError, match=told):
        read(document, {})


def test_the_document_itself_is_left_alone():
    document = {"_format_version": "3.0", "plugins": [{"name": "opentelemetry"}]}
    read(document, {})
    assert document == {"_format_version": "3.0", "plugins": [{"name": "opentelemetry"}]}


def test_a_flat_export_with_ids():
    ids = [f"00000000-0000-4000-8000-00000000000{at}" for at in range(5)]
    lost, rows = taken(
        {
            "_format_version": "3.0",
            "_transform": False,
            "services": [{"id": ids[0], "name": "s", "host": "h.test", "created_at": 1, "tls_sans": None}],
            "routes": [{"id": ids[1], "name": "r", "paths": ["/a"], "service": ids[0]}],
            "consumers": [{"id": ids[2], "username": "ann"}],
            "consumer_groups": [{"id": ids[3], "name": "gold"}],
            "consumer_group_consumers": [{"id": ids[4], "consumer": ids[2], "consumer_group": ids[3]}],
            "consumer_group_plugins": [
                {
                    "name": "rate-limiting-advanced",
                    "consumer_group": ids[3],
                    "config": {"limit": [5, 9], "window_size": [60, 90], "window_type": "fixed"},
                }
            ],
            "keyauth_credentials": [{"key": "k", "consumer": ids[2]}],
            "vaults": [{"prefix": "env"}],
        }
    )
    assert rows["services"][0]["id"] == ids[0]
    assert rows["routes"][0]["service"] == ids[0]
    assert rows["consumer_group_consumers"][0]["consumer"] == ids[2]
    assert rows["keyauth_credentials"][0]["key"] == "k"
    assert [(t["name"], len(t["limits"])) for t in rows["tiers"]] == [("gold", 1)]
    limit = {"unit": "requests", "amount": 5, "period": "minute", "sliding": False, "shadow": False}
    assert limit.items() <= rows["tiers"][0]["limits"][0].items()
    assert lost == {("vaults", "vaults"), ("consumer group gold", "rate-limiting-advanced")}


def test_what_this_gateway_has_not_is_left_out_and_said():
    lost, rows = taken(
        {
            "_format_version": "3.0",
            "services": [
                {
                    "name": "s",
                    "host": "h.test",
                    "tls_sans": {"dnsnames": ["a"]},
                    "plugins": [{"name": "opentelemetry"}, {"name": "cors", "ordering": {"before": {}}}],
                    "routes": [{"name": "r", "paths": ["/a"], "plugins": [{"name": "oauth2"}]}],
                }
            ],
            "plugins": [{"name": "rate-limiting", "config": {"minute": 5, "throttling": {"enabled": True}}}],
        }
    )
    assert [plugin["name"] for plugin in rows["plugins"]] == ["cors", "rate-limiting"]
    assert lost == {
        ("s", "tls_sans"),
        ("s", "plugin opentelemetry"),
        ("r", "plugin oauth2"),
        ("plugin cors", "ordering"),
        ("plugin rate-limiting", "config.throttling"),
    }


def test_shared_configs_of_decK():
    _, rows = taken(
        {
            "_format_version": "3.0",
            "_plugin_configs": {"slow": {"minute": 5, "hour": 50}},
            "plugins": [{"name": "rate-limiting", "_config": "slow", "config": {"hour": 9}}],
        }
    )
    assert (rows["plugins"][0]["config"]["minute"], rows["plugins"][0]["config"]["hour"]) == (5, 9)
    with pytest.raises(ConfigError, match="no _plugin_configs entry 'x'"):
        read({"_format_version": "3.0", "plugins": [{"name": "cors", "_config": "x"}]}, {})


def test_tokens_per_provider_become_one_limit_and_a_gap():
    lost, rows = taken(
        {
            "_format_version": "3.0",
            "consumer_groups": [
                {
                    "name": "g",
                    "plugins": [
                        {
                            "name": "ai-rate-limiting-advanced",
                            "config": {
                                "tokens_count_strategy": "cost",
                                "llm_providers": [
                                    {"name": "openai", "limit": [2.5], "window_size": [2592000]},
                                    {"name": "cohere", "limit": [9], "window_size": [60]},
                                ],
                            },
                        }
                    ],
                }
            ],
        }
    )
    limit = {"unit": "cost", "amount": 2.5, "period": "month", "sliding": True, "shadow": False}
    assert [limit.items() <= each.items() for each in rows["tiers"][0]["limits"]] == [True]
    assert lost == {("consumer group g", "ai-rate-limiting-advanced")}


@pytest.mark.parametrize("form", ['${{ env "DECK_K" }}', "${{ env `DECK_K` }}", "${{env `DECK_K`}}"])
def test_placeholders_come_from_the_environment(form):
    document = {"_format_version": "3.0", "consumers": [{"username": "a", "keyauth_credentials": [{"key": form}]}]}
    assert taken(document, {"DECK_K": "secret"})[1]["keyauth_credentials"][0]["key"] == "secret"
    lost, rows = taken(document)
    assert "keyauth_credentials" not in rows
    assert lost == {("a", "keyauth_credentials")}


def test_placeholders_are_filled_wherever_they_stand_and_those_that_can_not_be_are_told():
    config = {"add": {"headers": ['Authorization:Bearer ${{ env "A" }}', 'x:${{ env "B" }}']}}
    plugins = [{"name": "request-transformer", "config": config}]
    services = [{"name": "s", "url": "http://h", "plugins": plugins}]
    found = read({"_format_version": "3.0", "services": services}, {"A": "1"})
    headers = found.document["services"][0]["plugins"][0]["config"]["add"]["headers"]
    assert headers == ["Authorization:Bearer 1", 'x:${{ env "B" }}']
    assert [(gap.where, gap.why) for gap in found.gaps] == [
        ("request-transformer", "the environment variable B is not set")
    ]
