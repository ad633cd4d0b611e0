import uuid

import pytest

from aimon_local.model.entities import SCHEMAS
from aimon_local.model.flatten import Flattener, References, at, place, uuid5
from tests.support.admin_stories import CountingIds


def flat(document, version="3.0"):
    parts = Flattener(SCHEMAS, CountingIds(), version)
    parts.run(document)
    return parts


def test_children_know_their_parents_and_places():
    document = {
        "services": [{"name": "s", "host": "h", "routes": [{"name": "r", "plugins": [{"name": "acl"}]}]}],
        "consumers": [{"username": "c", "keyauth_credentials": [{"key": "k"}], "acls": [{"group": "g"}]}],
    }
    items = flat(document).items
    assert [(item.kind, item.path) for item in items] == [
        ("services", ("services", 1)),
        ("routes", ("services", 1, "routes", 1)),
        ("plugins", ("services", 1, "routes", 1, "plugins", 1)),
        ("consumers", ("consumers", 1)),
        ("keyauth_credentials", ("consumers", 1, "keyauth_credentials", 1)),
        ("acls", ("consumers", 1, "acls", 1)),
    ]
    assert items[1].data["service"] == {"id": items[0].data["id"]}
    assert items[2].data["route"] == {"id": items[1].data["id"]}


def test_ids_follow_from_names():
    first, second = (flat({"services": [{"name": "s"}]}).items[0].data["id"] for _ in range(2))
    assert first == second
    namespace = uuid.uuid5(uuid.UUID("fd02801f-0957-4a15-a55a-c8d9606f30b5"), "services")
    assert first == str(uuid.uuid5(namespace, "s"))


def test_ids_of_what_is_unique_in_its_scope_follow_from_the_scope():
    document = {"services": [{"name": "s", "plugins": [{"name": "acl"}]}, {"name": "t", "plugins": [{"name": "acl"}]}]}
    ids = [item.data["id"] for item in flat(document).items if item.kind == "plugins"]
    assert len(set(ids)) == 2
    assert ids == [item.data["id"] for item in flat(document).items if item.kind == "plugins"]


def test_ids_of_what_nothing_names_are_fresh():
    assert flat({"routes": [{"paths": ["/"]}]}).items[0].data["id"] == CountingIds().uuid()


def test_given_ids_and_remarks():
    item = flat({"services": [{"id": "x", "_comment": "c", "_ignore": [1]}]}).items[0]
    assert item.data == {"id": "x"}


def test_lists_and_records_are_demanded():
    assert flat({"services": {}, "routes": [5], "consumers": [{"groups": 1}]}).faults == {
        "services": "expected an array",
        "routes": {1: "expected a record"},
        "consumers": {1: {"groups": "expected an array"}},
    }


def test_groups_of_a_consumer_are_memberships():
    items = flat({"consumers": [{"username": "c", "groups": [{"name": "gold"}, "silver"]}]}).items
    assert [item.data["consumer_group"] for item in items[1:]] == ["gold", "silver"]
    assert items[1].data["consumer"] == {"id": items[0].data["id"]}


@pytest.mark.parametrize(("version", "path"), [("1.1", "~/a(b)"), ("2.1", "~/a(b)"), ("3.0", "/a(b)")])
def test_old_formats_have_regular_expressions_without_mark(version, path):
    document = {"routes": [{"paths": ["/a(b)", "/plain", 5]}]}
    assert flat(document, version).items[0].data["paths"] == [path, "/plain", 5]


def test_references_by_name_and_id():
    parts = flat({"services": [{"name": "s"}], "routes": [{"name": "r", "service": "s"}]})
    known = References(parts.items, SCHEMAS)
    service, route = parts.items
    assert known.resolve(route) == ({**route.data, "service": {"id": service.data["id"]}}, [])
    route.data["service"] = {"id": service.data["id"].upper()}
    assert known.resolve(route)[0]["service"] == {"id": service.data["id"]}
    route.data["service"] = {"name": "none"}
    assert known.resolve(route)[1] == ["invalid reference 'service: {\"name\":\"none\"}' (no such entry in 'services')"]


def test_faults_are_placed_and_joined():
    faults = {}
    place(faults, ("services", 1), {"host": "bad"})
    place(faults, ("services", 1), {"port": "bad"})
    place(faults, ("services", 1, "routes", 2), {"paths": "bad"})
    assert faults == {"services": {1: {"host": "bad", "port": "bad", "routes": {2: {"paths": "bad"}}}}}


def test_items_are_called_by_name_or_position():
    route, plugin = flat({"routes": [{"name": "r"}], "plugins": [{"name": "acl"}]}).items
    assert at(route, SCHEMAS["routes"], 1) == "r"
    assert at(plugin, SCHEMAS["plugins"], 1) == 1


def test_version_five():
    space = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    assert uuid5(space.bytes, "www.example.com") == str(uuid.uuid5(space, "www.example.com"))
