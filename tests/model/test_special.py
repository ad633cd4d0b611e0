import hashlib

import pytest

from aimon_local.model import special
from aimon_local.model.violation import Violation

SECOND = 1_000_000_000
CONSUMER = {"id": "c"}


def finish(kind, entity, data, current=None, now=10 * SECOND, transform=True):
    return special.finish(kind, entity, data, current, now, transform=transform)


def test_targets_are_written_in_full():
    assert special.prepare("targets", {"target": "h"}) == {"target": "h:8000"}
    assert special.prepare("targets", {"target": "[::1]:80"})["target"].startswith("[0000:")
    assert special.prepare("targets", {"target": ""}).body["fields"] == {
        "target": "Invalid target; not a valid hostname or ip address"
    }
    assert special.prepare("targets", {"target": 5}) == {"target": 5}


def test_a_null_id_is_no_id():
    assert special.prepare("services", {"id": None, "name": None}) == {"name": None}


@pytest.mark.parametrize(
    ("ttl", "why"),
    [
        ("x", "must be an integer"),
        (1.5, "must be an integer"),
        (float("inf"), "must be an integer"),
        (True, "must be an integer"),
        (-1, "must be between 0 and 100000000"),
        (100_000_001, "must be between 0 and 100000000"),
    ],
)
def test_a_bad_ttl_is_an_option_fault(ttl, why):
    found = special.prepare("keyauth_credentials", {"ttl": ttl})
    assert isinstance(found, Violation)
    assert found.body["options"] == {"ttl": why}


def test_passwords_are_hashed_with_the_consumer():
    wanted = hashlib.sha1(b"pwc").hexdigest()
    entity = {"password": "pw", "consumer": CONSUMER}
    assert finish("basicauth_credentials", entity, {"password": "pw"})["password"] == wanted
    assert finish("basicauth_credentials", entity, {"password": "pw"}, transform=False)["password"] == "pw"


def test_a_change_without_password_leaves_the_hash():
    entity = {"password": "hash", "consumer": CONSUMER}
    assert finish("basicauth_credentials", entity, {"tags": []}, entity) == entity
    moved = finish("basicauth_credentials", {**entity, "consumer": {"id": "d"}}, {}, entity)
    assert moved.body["fields"]["@entity"] == ["all or none of these fields must be set: 'password', 'consumer.id'"]


@pytest.mark.parametrize(
    ("data", "current", "expiry"),
    [
        ({"ttl": 5}, None, 15),
        ({"ttl": 0}, None, None),
        ({}, None, None),
        ({}, {"ttl": 12}, 12),
        ({"ttl": None}, {"ttl": 12}, None),
        ({"ttl": 3}, {"ttl": 12}, 13),
    ],
)
def test_a_ttl_becomes_an_expiry(data, current, expiry):
    assert finish("keyauth_credentials", {"key": "k"}, data, current)["ttl"] == expiry


def test_an_expiry_counts_down_and_is_over():
    row = {"key": "k", "ttl": 15}
    assert special.show("keyauth_credentials", row, 10 * SECOND)["ttl"] == 5
    assert not special.is_over(row, 15 * SECOND - 1)
    assert special.is_over(row, 15 * SECOND)
    assert not special.is_over({"ttl": None}, 0)
    assert special.usable("keyauth_credentials", row)["ttl"] is None


def test_an_unset_group_is_not_part_of_a_plugin():
    assert "consumer_group" not in finish("plugins", {"name": "x", "consumer_group": None}, {})
    assert finish("plugins", {"consumer_group": {"id": "g"}}, {})["consumer_group"] == {"id": "g"}


def test_a_plugin_meets_its_route_or_one_of_its_services_routes():
    plugin, http, tcp = {"protocols": ["http"]}, {"protocols": ["http", "https"]}, {"protocols": ["tcp"]}
    assert special.common_protocols(plugin, http, []) is None
    refused = special.common_protocols(plugin, tcp, [])
    assert refused.body["fields"] == {"protocols": "must match the associated route's protocols"}
    assert special.common_protocols(plugin, None, []) is None
    assert special.common_protocols(plugin, None, [tcp, http]) is None
    assert "service" in special.common_protocols(plugin, None, [tcp]).body["message"]
