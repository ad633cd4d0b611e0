"""From stored entities to nouns."""

import pytest

from aimon_local.policy.entities import authority, field_line, read_consumer, read_credential, read_route, read_service
from aimon_local.policy.entities import read_upstream as read_up
from aimon_local.policy.nouns import Key


def test_a_consumer_carries_its_lines():
    consumer = read_consumer(
        {"id": "1", "username": "Ünì", "custom_id": None, "tags": None},
        ["b", "a"],
        [("2", "pro"), ("1", "pro"), ("3", "free")],
    )
    assert [line for _, _, line in consumer.identity] == [b"X-Consumer-ID: 1", "X-Consumer-Username: Ünì".encode()]
    assert consumer.groups == ("b", "a")
    assert consumer.tiers == (("3", "free"), ("1", "pro"), ("2", "pro"))


def test_a_name_can_not_break_out_of_its_line():
    assert field_line("X-Consumer-Username", "a\r\nX-Admin: 1\0")[2] == b"X-Consumer-Username: a  X-Admin: 1 "
    assert field_line("X-Consumer-Username", "a\x1b[31m\tb\x7f")[1] == b"a [31m\tb "  # strict upstreams refuse those


@pytest.mark.parametrize(
    ("kind", "entity", "line"),
    [
        ("key-auth", {"key": "secret"}, b"X-Credential-Identifier: 9"),
        ("basic-auth", {"username": "me"}, b"X-Credential-Identifier: me"),
        ("jwt", {"key": "iss"}, b"X-Credential-Identifier: iss"),
    ],
)
def test_a_credential_names_itself_without_its_secret(kind, entity, line):
    credential = read_credential(kind, {"id": "9", "consumer": {"id": "1"}, "ttl": 17, **entity})
    assert credential.identifier[2] == line
    assert (credential.consumer_id, credential.expires) == ("1", 17)


@pytest.mark.parametrize(
    ("protocol", "host", "port", "value"),
    [
        ("http", "a.test", 80, b"a.test"),
        ("https", "a.test", 443, b"a.test"),
        ("http", "a.test", 443, b"a.test:443"),
        ("https", "a.test", 80, b"a.test:80"),
        ("http", "::1", 80, b"[::1]"),
        ("http", "[::1]", 5000, b"[::1]:5000"),
    ],
)
def test_a_host_value(protocol, host, port, value):
    assert authority(protocol, host, port) == value


def test_a_service_is_ready_to_use():
    service = read_service({"id": "1", "host": "h", "path": "/ü", "connect_timeout": 1500})
    assert (service.connect_timeout, service.read_timeout, service.retries, service.port) == (1.5, 60.0, 5, 80)
    assert service.path == "/Ã¼"


def test_a_route_has_kongs_defaults():
    route = read_route({"id": "1", "headers": {"X-V": ["1"]}, "paths": ["/ü"], "methods": None})
    assert (route.strip_path, route.preserve_host, route.https_redirect_status_code) == (True, False, 426)
    assert (route.headers, route.paths, route.methods) == ((("x-v", ("1",)),), ("/Ã¼",), ())


def test_an_upstream_with_its_targets_in_order_of_age():
    rows = [
        {"id": "2", "target": "[::1]:81", "weight": 7, "created_at": 2.5},
        {"id": "1", "target": "h:80", "created_at": 2.25},
    ]
    up = read_up({"id": "u", "name": "n", "hash_on": "ip", "hash_fallback": "cookie", "hash_on_cookie": "sid"}, rows)
    assert [(each.host, each.port, each.weight) for each in up.targets] == [("h", 80, 100), ("::1", 81, 7)]
    assert (up.hash_on, up.hash_fallback) == (Key("ip"), Key("cookie", "sid"))
