import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.entities import SCHEMAS
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds
from tests.support.plugin_tables import PLUGIN_SCHEMAS

UUID = "00000000-0000-4000-8000-0000000000ff"


def make(kind, data, mode="insert", current=None):
    schema = PLUGIN_SCHEMAS[data["name"]] if kind == "plugins" else SCHEMAS[kind]
    return process(schema, data, mode=mode, now=NOW, ids=CountingIds(), current=current, schemas=SCHEMAS)


def fields(kind, data, **more):
    found = make(kind, data, **more)
    assert isinstance(found, Violation), found
    return found.body["fields"]


def test_an_update_merges_records_replaces_lists_and_clears_by_null():
    before = make("plugins", {"name": "request-transformer", "config": {"add": {"headers": ["a:1"], "body": ["b:1"]}}})
    change = {"config": {"add": {"headers": ["c:1"]}}, "tags": ["t"]}
    after = process(
        PLUGIN_SCHEMAS["request-transformer"],
        change,
        mode="update",
        now=NOW + 9 * 10**9,
        ids=CountingIds(),
        current=before,
    )
    assert after["config"]["add"] == {"headers": ["c:1"], "body": ["b:1"], "querystring": []}
    assert (after["tags"], after["created_at"], after["updated_at"]) == (["t"], 1_700_000_000, 1_700_000_009)
    cleared = process(
        PLUGIN_SCHEMAS["request-transformer"], {"tags": None}, mode="update", now=NOW, ids=CountingIds(), current=after
    )
    assert cleared["tags"] is None


def test_an_update_says_so():
    before = make("consumers", {"username": "a"})
    assert fields("consumers", {"username": None}, mode="update", current=before) == {
        "@entity": ["when updating, at least one of these fields must be non-empty: 'custom_id', 'username'"]
    }


def test_a_replacement_keeps_the_creation_time():
    before = {**make("consumers", {"username": "a", "tags": ["t"]}), "created_at": 5}
    after = make("consumers", {"username": "b"}, mode="upsert", current=before)
    assert (after["created_at"], after["tags"]) == (5, None)


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        ("x", {"id": "missing primary key"}),
        (5, {"id": "missing primary key"}),
        ({}, {"id": "missing primary key"}),
        ({"id": None}, {"id": "required field missing"}),
        ({"id": "x"}, {"id": "expected a valid UUID"}),
        ({"id": 5}, {"id": "expected a string"}),
        ({"foo": 1}, {"foo": "unknown field"}),
        ({"name": 5}, {"name": "expected a string"}),
    ],
)
def test_references(service, fault):
    assert fields("routes", {"paths": ["/x"], "service": service}) == {"service": fault}


def test_references_are_bare_and_ids_lower_case():
    route = make("routes", {"paths": ["/x"], "service": {"id": UUID.upper(), "name": "s"}, "id": UUID.upper()})
    assert (route["service"], route["id"]) == ({"id": UUID}, UUID)


def test_protocols_pick_the_variant():
    assert make("routes", {"hosts": ["a"], "protocols": ["grpc"]})["strip_path"] is False
    assert fields("routes", {"hosts": ["a"], "protocols": ["grpcs"], "methods": ["GET"]}) == {
        "methods": "cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'"
    }
    assert fields("routes", {"protocols": ["tls_passthrough"]}) == {
        "@entity": ["must set snis when 'protocols' is 'tls_passthrough'"]
    }
    assert fields("routes", {"protocols": "http,https", "paths": ["/a"]}) == {"protocols": "unknown type: http,https"}
    assert fields("routes", {"protocols": None, "paths": ["/a"]}) == {"protocols": "required field missing"}
    assert fields("routes", {"protocols": 5, "paths": ["/a"]}) == {"protocols": "expected a set"}
    assert fields("routes", {"protocols": ["http", "tcp"], "paths": ["/a"]}) == {
        "protocols": "these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')"
    }


def test_old_names_are_shown_and_follow_a_change():
    before = make("plugins", {"name": "rate-limiting", "config": {"minute": 5, "redis_port": 7000}})
    assert before["config"]["redis"]["port"] == before["config"]["redis_port"] == 7000
    change = {"name": "rate-limiting", "config": {"redis": {"port": 7001}}}
    after = make("plugins", change, mode="update", current=before)
    assert after["config"]["redis"]["port"] == after["config"]["redis_port"] == 7001


def test_json_is_never_coerced():
    assert fields("services", {"host": "h", "port": "80"}) == {"port": "expected an integer"}
    assert fields("services", {"host": "h", "tags": "x"}) == {"tags": "expected a set"}


# ---- laws

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KINDS = [kind for kind in SCHEMAS if kind not in ("tags", "plugins")]


@st.composite
def wild_inputs(draw):
    kind = draw(st.sampled_from(KINDS))
    names = [field.name for field in SCHEMAS[kind].fields] + [item.name for item in SCHEMAS[kind].shorthands] + ["odd"]
    return kind, draw(st.dictionaries(st.sampled_from(names), json_values, max_size=4))


@given(wild_inputs())
def test_any_json_gives_an_entity_or_a_refusal(case):
    kind, data = case
    found = make(kind, data)
    json.dumps(found.body if isinstance(found, Violation) else found)


@given(st.sampled_from(sorted(PLUGIN_SCHEMAS)), json_values)
def test_any_config_gives_an_entity_or_a_refusal(name, config):
    found = make("plugins", {"name": name, "config": config})
    json.dumps(found.body if isinstance(found, Violation) else found)


hosts = st.sampled_from(["h", "h.test", "::1"])
good = {
    "services": st.fixed_dictionaries(
        {"host": hosts},
        optional={
            "port": st.integers(0, 65535),
            "path": st.sampled_from(["/", "/a/b", None]),
            "retries": st.none() | st.integers(0, 32767),
            "tags": st.none() | st.lists(st.sampled_from("abc"), max_size=4),
            "protocol": st.sampled_from(["http", "https"]),
        },
    ),
    "routes": st.fixed_dictionaries(
        {"paths": st.lists(st.sampled_from(["/a", "/b", "~/c+"]), min_size=1)},
        optional={"methods": st.lists(st.sampled_from(["GET", "PUT"])), "service": st.just({"id": UUID})},
    ),
    "consumers": st.fixed_dictionaries({"username": st.text(min_size=1)}, optional={"custom_id": st.text(min_size=1)}),
    "upstreams": st.fixed_dictionaries({"name": st.sampled_from(["u.test", "v"])}),
    "keyauth_credentials": st.fixed_dictionaries({"consumer": st.just({"id": UUID})}),
    "jwt_secrets": st.fixed_dictionaries({"consumer": st.just({"id": UUID})}),
}


@given(st.sampled_from(sorted(good)).flatmap(lambda kind: st.tuples(st.just(kind), good[kind])))
def test_an_entity_is_its_own_input(case):
    kind, data = case
    first = make(kind, data)
    assert not isinstance(first, Violation), first
    assert make(kind, first) == first
    assert make(kind, first, mode="upsert", current=first) == first
    assert make(kind, {}, mode="update", current=first) == first


@given(st.integers(1, 10**6), st.booleans(), st.none() | st.text(min_size=1))
def test_a_plugin_is_its_own_input(minute, hide, password):
    config = {"minute": minute, "hide_client_headers": hide, "redis_password": password}
    first = make("plugins", {"name": "rate-limiting", "config": config})
    assert make("plugins", first) == first
    assert make("plugins", {"name": "rate-limiting"}, mode="update", current=first) == first
