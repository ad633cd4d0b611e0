import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model import declarative
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.special import password_hash
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds
from tests.support.plugin_tables import PLUGIN_SCHEMAS

SECOND = 1_000_000_000
WHOLE = {
    "_format_version": "3.0",
    "_info": {"select_tags": ["t"]},
    "services": [
        {
            "name": "ai",
            "url": "http://h.test:80/x",
            "routes": [{"name": "r", "paths": ["/ai"], "plugins": [{"name": "key-auth"}]}],
            "plugins": [{"name": "rate-limiting", "config": {"minute": 5}}],
        }
    ],
    "consumer_groups": [{"name": "gold", "plugins": [{"name": "rate-limiting", "config": {"minute": 7}}]}],
    "consumers": [
        {
            "username": "bob",
            "groups": [{"name": "gold"}],
            "keyauth_credentials": [{"key": "k", "ttl": 50}],
            "basicauth_credentials": [{"username": "u", "password": "p"}],
            "acls": [{"group": "g"}],
            "jwt_secrets": [{"key": "i", "secret": "s"}],
        }
    ],
    "upstreams": [{"name": "u.test", "targets": [{"target": "h:1"}]}],
    "plugins": [{"name": "acl", "service": "ai", "consumer": "bob", "config": {"allow": ["g"]}}],
}


def empty(seals=None):
    return Catalog(SCHEMAS, PLUGIN_SCHEMAS, seals or {})


def load(document, current=None, now=NOW, **more):
    return declarative.load(document, current or empty(), now, CountingIds(), **more)


def fields(document, **more):
    found = load({"_format_version": "3.0", **document}, **more)
    assert isinstance(found, Violation)
    assert (found.status, found.code) == (400, 14)
    return found.body["fields"]


def test_a_whole_document():
    found = load(WHOLE)
    catalog = found.catalog
    counts = {kind: catalog.count(kind) for kind in SCHEMAS if kind != "tags" and catalog.count(kind)}
    assert counts == {
        "services": 1,
        "routes": 1,
        "consumers": 1,
        "consumer_groups": 1,
        "consumer_group_consumers": 1,
        "upstreams": 1,
        "targets": 1,
        "plugins": 4,
        "keyauth_credentials": 1,
        "basicauth_credentials": 1,
        "jwt_secrets": 1,
        "acls": 1,
    }
    assert all(change.op == "put" for change in found.changes)
    bob = catalog.select_by("consumers", "username", "bob")
    basic = catalog.select_by("basicauth_credentials", "username", "u")
    assert basic["password"] == password_hash("p", bob["id"])
    assert catalog.select_by("keyauth_credentials", "key", "k", NOW)["ttl"] == 50


def test_what_refers_comes_after_what_it_refers_to():
    kinds = [change.kind for change in load(WHOLE).changes]
    assert kinds.index("services") < kinds.index("routes") < kinds.index("plugins")


def test_a_dump_loads_to_the_same_state_without_a_change():
    first = load(WHOLE).catalog
    document = json.loads(json.dumps(declarative.dump(first, NOW)))
    assert (document["_format_version"], document["_transform"]) == ("3.0", False)
    assert document["routes"][0]["service"] == document["services"][0]["id"]
    assert document["keyauth_credentials"][0]["ttl"] == 50
    assert load(document, first).changes == ()
    assert declarative.dump(load(document).catalog, NOW) == declarative.dump(first, NOW)


def test_the_same_document_again_changes_nothing():
    first = load(WHOLE).catalog
    assert load(WHOLE, first).changes == ()


def test_what_a_document_does_not_name_goes_dependants_first():
    first = load(WHOLE).catalog
    found = load({"_format_version": "3.0", "services": [{"name": "ai", "host": "new"}]}, first, NOW + SECOND)
    deleted = [change.kind for change in found.changes if change.op == "delete"]
    assert deleted.index("plugins") < deleted.index("routes")
    assert deleted.index("keyauth_credentials") < deleted.index("consumers")
    put = [change.entity for change in found.changes if change.op == "put"]
    assert [(row["name"], row["host"], row["created_at"]) for row in put] == [("ai", "new", NOW // SECOND)]


def test_sealed_keys_survive_a_dump():
    seals = {"keyauth_credentials": ("key", lambda plain: f"sealed:{plain}")}
    first = declarative.load(WHOLE, empty(seals), NOW, CountingIds()).catalog
    document = declarative.dump(first, NOW)
    assert document["_credentials"] == "hashed"
    assert document["keyauth_credentials"][0]["key"] == "sealed:k"
    second = declarative.load(document, empty(seals), NOW, CountingIds()).catalog
    assert second.resolve("keyauth_credentials", "k") is not None


def test_hashed_passwords_are_taken_as_they_are():
    document = {
        "_format_version": "3.0",
        "_transform": False,
        "consumers": [{"username": "c", "basicauth_credentials": [{"username": "u", "password": "hash"}]}],
    }
    assert load(document).catalog.select_by("basicauth_credentials", "username", "u")["password"] == "hash"


def test_the_answer_is_by_kind_and_id():
    catalog = load(WHOLE).catalog
    answer = declarative.by_id(catalog, NOW)
    service = catalog.select_by("services", "name", "ai")
    assert answer["services"] == {service["id"]: service}
    assert "snis" not in answer


@pytest.mark.parametrize("document", [None, [], "x", 5])
def test_what_is_no_object_is_no_document(document):
    assert load(document).body["fields"] == {"error": "failed parsing declarative configuration: expected an object"}


@pytest.mark.parametrize(
    ("version", "fault"),
    [(None, "required field missing"), (3.0, "expected a string"), ("4.0", "expected one of: 1.1, 2.1, 3.0")],
)
def test_versions(version, fault):
    assert fields({"_format_version": version}) == {"_format_version": fault}


def test_faults_stand_where_they_arise():
    document = {
        "nope": 1,
        "_transform": "x",
        "services": [
            {"name": "s", "host": "h"},
            {"name": "t", "routes": [{"paths": ["x"]}]},
        ],
        "plugins": [{"name": "none"}],
    }
    found = load({"_format_version": "3.0", **document})
    assert found.body["fields"] == {
        "nope": "unknown field",
        "_transform": "expected a boolean",
        "services": [
            None,
            {
                "host": "required field missing",
                "routes": [{"paths": ["should start with: / (fixed path) or ~/ (regex path)"]}],
            },
        ],
        "plugins": [{"name": "plugin 'none' not enabled; add it to the 'plugins' configuration property"}],
    }
    assert found.body["message"].startswith('declarative config is invalid: {_transform="expected a boolean",nope=')


def test_names_that_are_taken():
    assert fields({"services": [{"name": "s", "host": "h"}, {"name": "s", "host": "i"}]}) == {
        "services": [None, "uniqueness violation: 'services' entity with name set to 's' already declared"]
    }
    ids = [{"id": "00000000-0000-4000-8000-000000000001", "paths": ["/"]}] * 2
    assert fields({"routes": ids})["routes"][1].startswith("uniqueness violation: 'routes' entity with primary key")


def test_references_to_nothing():
    document = {"plugins": [{"name": "acl", "service": "x", "consumer": "y", "config": {"allow": ["g"]}}]}
    assert fields(document) == {
        "plugins": [
            [
                "invalid reference 'consumer: y' (no such entry in 'consumers')",
                "invalid reference 'service: x' (no such entry in 'services')",
            ]
        ]
    }
    assert fields({"routes": [{"name": "r", "paths": ["/"], "service": "x"}]}) == {
        "routes": {"r": ["invalid reference 'service: x' (no such entry in 'services')"]}
    }


def test_flattened_errors():
    document = {
        "_format_version": "3.0",
        "services": [{"name": "s", "host": "h", "port": "x", "tags": ["a", "b/"], "routes": [{"name": "r"}]}],
        "plugins": [{"name": "rate-limiting", "config": {"minute": 0, "redis": {"port": "x"}}}],
    }
    entries = load(document, flatten_errors=True).body["flattened_errors"]
    by_type = {entry["entity_type"]: entry for entry in entries}
    assert by_type["service"]["entity_name"] == "s"
    assert by_type["service"]["entity_tags"] == ["a", "b/"]
    assert {"type": "field", "field": "port", "message": "expected an integer"} in by_type["service"]["errors"]
    assert by_type["service"]["errors"][-1]["messages"][0] is None
    assert by_type["route"]["errors"][0]["type"] == "entity"
    told = {error["field"] for error in by_type["plugin"]["errors"]}
    assert told == {"config.minute", "config.redis.port"}
    assert "flattened_errors" not in load(document).body


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
lists = st.sampled_from(["services", "routes", "plugins", "consumers", "keyauth_credentials", "acls", "nope"])


@given(st.dictionaries(lists, st.lists(st.dictionaries(lists | st.just("name"), json_values, max_size=3), max_size=3)))
def test_no_document_breaks_the_loader(document):
    found = load({"_format_version": "3.0", **document})
    if isinstance(found, Violation):
        json.dumps(found.body)
