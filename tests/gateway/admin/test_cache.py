"""What proxy-cache keeps, seen and forgotten through the Admin API."""

import pytest

from aimon_local.policy.cache import CachedAnswer
from tests.support.admin import AdminUnderTest


@pytest.fixture
def admin():
    made = AdminUnderTest()
    now = made.clock.now_ns()
    for key in ("k1", "k2"):
        fields = ((b"Content-Type", b"text/plain"),)
        made.cache.put(key, CachedAnswer(200, fields, b"hello", now // 10**9, 30, now + 30 * 10**9))
    return made


@pytest.mark.parametrize("path", ["/cache/k1", "/proxy-cache/k1"])
def test_show_and_forget(admin, path):
    status, body = admin.ask("GET", path)
    assert (status, body["status"], body["body"], body["ttl"]) == (200, 200, "hello", 30)
    assert body["headers"] == {"Content-Type": "text/plain"}
    assert admin.ask("DELETE", path)[0] == 204
    assert admin.ask("GET", path)[0] == 404
    assert admin.ask("DELETE", path)[0] == (204 if path.startswith("/cache") else 404)
    assert len(admin.cache) == 1


@pytest.mark.parametrize("path", ["/cache", "/proxy-cache"])
def test_forget_all(admin, path):
    assert admin.ask("DELETE", path)[0] == 204
    assert len(admin.cache) == 0


def test_of_a_plugin(admin):
    _, plugin = admin.ask("POST", "/plugins", {"name": "proxy-cache", "config": {"strategy": "memory"}})
    _, other = admin.ask("POST", "/plugins", {"name": "key-auth"})
    assert admin.ask("GET", f"/proxy-cache/{plugin['id']}/caches/k1")[0] == 200
    assert admin.ask("GET", f"/proxy-cache/{other['id']}/caches/k1")[0] == 404
    assert admin.ask("DELETE", f"/proxy-cache/{other['id']}/caches/k1")[0] == 404
    assert admin.ask("DELETE", f"/proxy-cache/{plugin['id']}/caches/k1")[0] == 204
    assert len(admin.cache) == 1


def test_what_is_over_is_not_there(admin):
    admin.clock.advance_ns(31 * 10**9)
    assert admin.ask("GET", "/cache/k1") == (404, {"message": "Not found"})
