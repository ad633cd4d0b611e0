"""Export to Kong: what decK would read, whole documents against their rows, and the identity of there and back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.exports.kong import EDITIONS, read, write
from aimon_local.model import declarative
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.violation import Violation
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS
from tests.support.admin_stories import NOW, CountingIds
from tests.support.deck import faults

SEALS = {"keyauth_credentials": ("key", lambda key: f"digest-of-{key}")}


def loaded(document, seals=None):
    found = declarative.load(
        document, Catalog(SCHEMAS, PLUGIN_SCHEMAS, SEALS if seals is None else seals), NOW, CountingIds()
    )
    assert not isinstance(found, Violation), found.body
    return declarative.dump(found.catalog, NOW)


def there_and_back(rows, edition):
    first = write(rows, edition)
    values = {name: f"value-{number}" for number, name in enumerate(first.variables)}
    again = write(loaded(read(first.document, values).document), edition)
    return first, again


LAB = {
    "_format_version": "3.0",
    "services": [
        {
            "name": "ai-service",
            "url": "http://host.docker.internal:5000",
            "routes": [{"name": "ai-route", "paths": ["/ai"]}],
            "plugins": [{"name": "key-auth"}, {"name": "rate-limiting", "config": {"minute": 5, "policy": "local"}}],
        }
    ],
    "consumers": [
        {"username": "deepanshu", "keyauth_credentials": [{"key": "k1"}]},
        {
            "username": "pro-user",
            "keyauth_credentials": [{"key": "k2"}, {"key": "k3", "tags": ["old"]}],
            "basicauth_credentials": [{"username": "u", "password": "p"}],
            "plugins": [{"name": "rate-limiting", "config": {"minute": 100}}],
            "groups": [{"name": "pro"}],
        },
    ],
    "consumer_groups": [{"name": "pro"}, {"name": "free"}],
    "tiers": [
        {
            "name": "pro",
            "limits": [
                {"unit": "requests", "amount": 60, "period": "minute"},
                {"unit": "requests", "amount": 5000, "period": "day"},
                {"unit": "tokens", "amount": 200000, "period": "minute"},
                {"unit": "cost", "amount": 20.5, "period": "month"},
            ],
            "concurrency": 4,
            "max_body_bytes": 262144,
            "models": ["*-mini"],
        }
    ],
}


def test_the_lab_for_the_open_source_edition():
    done = write(loaded(LAB), "oss")
    assert faults(done.document) == []
    service = done.document["services"][0]
    assert service["plugins"] == [
        {"name": "key-auth"},
        {"name": "rate-limiting", "config": {"minute": 5}},
    ]
    assert service["routes"][0]["paths"] == ["/ai"]
    pro = next(each for each in done.document["consumers"] if each["username"] == "pro-user")
    limits = next(each["config"] for each in pro["plugins"] if each["name"] == "rate-limiting")
    assert (limits["minute"], limits["day"]) == (60, 5000)  # the smaller of the plugin's 100 and the tier's 60
    assert next(each for each in pro["plugins"] if each["name"] == "request-size-limiting")["config"] == {
        "allowed_payload_size": 262144,
        "size_unit": "bytes",
    }
    assert pro["tags"] == ["group:pro"]
    assert "consumer_groups" not in done.document
    assert {(gap.where, gap.what) for gap in done.gaps} >= {
        ("tier pro", "concurrency"),
        ("tier pro", "models"),
        ("tier pro", "tokens/minute"),
        ("tier pro", "cost/month"),
        ("tier pro", "reserve"),
        ("consumer groups", "groups"),
    }


def test_the_lab_for_enterprise():
    done = write(loaded(LAB), "enterprise")
    assert faults(done.document) == []
    group = next(each for each in done.document["consumer_groups"] if each["name"] == "pro")
    plugins = {each["name"]: each["config"] for each in group["plugins"]}
    assert plugins["rate-limiting-advanced"] == {
        "limit": [60, 5000],
        "window_size": [60, 86400],
        "window_type": "fixed",
        "identifier": "consumer",
        "strategy": "local",
        "namespace": "tier-pro",
    }
    assert plugins["ai-rate-limiting-advanced"]["tokens_count_strategy"] == "total_tokens"
    assert plugins["ai-rate-limiting-advanced"]["llm_providers"] == [
        {"name": name, "limit": [200000], "window_size": [60]} for name in ("anthropic", "openai")
    ]
    pro = next(each for each in done.document["consumers"] if each["username"] == "pro-user")
    assert pro["groups"] == [{"name": "pro"}]
    assert ("tier pro", "cost/month") in {(gap.where, gap.what) for gap in done.gaps}


def test_hashed_keys_leave_as_named_placeholders_and_no_secret_leaves():
    done = write(loaded(LAB), "oss")
    assert sorted(done.variables) == [
        "DECK_KEY_DEEPANSHU_1",
        "DECK_KEY_PRO_USER_1",
        "DECK_KEY_PRO_USER_2",
        "DECK_PASSWORD_PRO_USER_1",
    ]
    text = json.dumps(done.document)
    assert "digest-of" not in text
    assert all(f"${{{{ env `{name}` }}}}" in text for name in done.variables)


def test_consumers_whose_names_look_alike_have_variables_of_their_own():
    people = ["a-b", "a.b", "a_b"]
    rows = [{"username": name, "keyauth_credentials": [{"key": f"k-{name}"}]} for name in people]
    done = write(loaded({"_format_version": "3.0", "consumers": rows}), "oss")
    assert len(done.variables) == 3


def test_plaintext_keys_leave_as_they_are():
    done = write(loaded(LAB, seals={}), "oss")
    assert [name for name in done.variables if "KEY" in name] == []
    assert done.document["consumers"][0]["keyauth_credentials"] == [{"key": "k1"}]


def test_a_variable_that_is_not_set_leaves_its_key_out_and_says_so():
    done = read(write(loaded(LAB), "oss").document, {})
    assert all(not each.get("keyauth_credentials") for each in done.document["consumers"])
    assert any("DECK_KEY_DEEPANSHU_1 is not set" in gap.why for gap in done.gaps)


def test_a_group_plugin_with_more_than_decK_reads_there_stands_at_the_top():
    document = {
        "_format_version": "3.0",
        "consumer_groups": [
            {"name": "g", "plugins": [{"name": "rate-limiting", "config": {"minute": 7}, "enabled": False}]}
        ],
    }
    done = write(loaded(document), "enterprise").document
    assert faults(done) == []
    assert done["plugins"] == [
        {"name": "rate-limiting", "config": {"minute": 7}, "enabled": False, "consumer_group": "g"}
    ]


names = st.text("abcdefgh-", min_size=1, max_size=6).filter(lambda name: not name.startswith("-"))
tags = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=2)
rates = st.fixed_dictionaries({"minute": st.integers(1, 99)}, optional={"hour": st.integers(100, 999)})
plugins = st.lists(
    st.one_of(
        st.builds(lambda config: {"name": "rate-limiting", "config": config}, rates),
        st.just({"name": "key-auth", "config": {"key_names": ["apikey", "x-api-key"]}}),
        st.builds(lambda on: {"name": "cors", "enabled": on, "config": {"credentials": True}}, st.booleans()),
        st.just({"name": "request-termination", "config": {"status_code": 418}}),
    ),
    unique_by=lambda plugin: plugin["name"],
    max_size=3,
)
limits = st.lists(
    st.fixed_dictionaries(
        {
            "unit": st.sampled_from(["requests", "tokens", "cost", "charge", "input_tokens", "output_tokens"]),
            "amount": st.integers(1, 9999),
            "period": st.sampled_from(["second", "minute", "hour", "day", "week", "month"]),
        },
        optional={"sliding": st.booleans(), "shadow": st.booleans()},
    ),
    max_size=5,
)


@st.composite
def documents(draw):
    services = draw(st.lists(names, unique=True, max_size=3))
    people = draw(st.lists(names, unique=True, max_size=3))
    groups = draw(st.lists(names, unique=True, max_size=3))
    no_login = plugins.map(lambda all_: [each for each in all_ if each["name"] not in ("key-auth", "cors")])
    return {
        "_format_version": "3.0",
        "services": [
            {
                "name": name,
                "host": "h.test",
                "tags": draw(tags),
                "plugins": draw(plugins),
                "routes": [{"name": f"{name}-r", "paths": [f"/{name}"], "plugins": draw(plugins)}],
            }
            for name in services
        ],
        "consumers": [
            {
                "username": name,
                "keyauth_credentials": [
                    {"key": f"{name}-{at}", "tags": draw(tags)} for at in range(draw(st.integers(0, 2)))
                ],
                "acls": [{"group": each} for each in draw(tags)],
                "groups": [{"name": each} for each in groups if draw(st.booleans())],
                "plugins": draw(no_login),
            }
            for name in people
        ],
        "consumer_groups": [{"name": name, "plugins": draw(no_login)} for name in groups],
        "tiers": [
            {"name": name, "limits": draw(limits), "max_body_bytes": draw(st.sampled_from([None, 4096]))}
            for name in groups
            if draw(st.booleans())
        ],
        "plugins": draw(plugins),
    }


@pytest.mark.parametrize("edition", EDITIONS)
@settings(max_examples=60, deadline=None)
@given(document=documents())
def test_export_import_export_is_the_identity(edition, document):
    first, again = there_and_back(loaded(document), edition)
    assert faults(first.document) == []
    assert again.document == first.document
    assert list(again.variables) == list(first.variables)
