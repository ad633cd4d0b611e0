"""Health of targets, read and marked."""

import pytest

from tests.support.admin import AdminUnderTest


@pytest.fixture
def admin():
    made = AdminUnderTest()
    made.ask("PUT", "/upstreams/u.test", {})
    for target, weight in (("127.0.0.1:81", 100), ("h.test:82", 50), ("[::1]:83", 10)):
        assert made.ask("POST", "/upstreams/u.test/targets", {"target": target, "weight": weight})[0] == 201
    return made


def words(admin):
    rows = admin.ask("GET", "/upstreams/u.test/health")[1]["data"]
    return {row["weight"]: row["health"] for row in rows}


def test_targets_with_their_health(admin):
    status, body = admin.ask("GET", "/upstreams/u.test/health")
    assert (status, body["next"], body["node_id"]) == (200, None, "11111111-2222-4333-8444-555555555555")
    row = next(row for row in body["data"] if row["target"] == "127.0.0.1:81")
    assert row["health"] == "HEALTHY"
    assert row["data"]["addresses"] == [{"ip": "127.0.0.1", "port": 81, "weight": 100, "health": "HEALTHY"}]
    assert row["data"]["weight"] == {"total": 100, "available": 100, "unavailable": 0}
    assert admin.ask("GET", "/upstreams/u.test/health?size=2")[1]["next"].startswith("/upstreams/u.test/health?offset=")
    assert admin.ask("GET", "/upstreams/u.test/health?size=x")[1]["code"] == 9


@pytest.mark.parametrize(
    ("path", "status", "weight"),
    [
        ("127.0.0.1:81/unhealthy", 204, 100),
        ("h.test:82/unhealthy", 204, 50),
        ("127.0.0.1:81/127.0.0.1:81/unhealthy", 204, 100),
        ("h.test:82/10.0.0.1:82/unhealthy", 204, 50),
        ("127.0.0.1:81/127.0.0.1:99/unhealthy", 404, None),
        ("127.0.0.1:81/127.0.0.2:81/unhealthy", 404, None),
        ("127.0.0.1:81/x:y:z/unhealthy", 404, None),
        ("none:1/unhealthy", 404, None),
        ("127.0.0.1:81/nope", 404, None),
    ],
)
def test_marks(admin, path, status, weight):
    assert admin.ask("PUT", f"/upstreams/u.test/targets/{path}")[0] == status
    down = [each for each, word in words(admin).items() if word == "UNHEALTHY"]
    assert down == ([] if weight is None else [weight])
    if weight is not None:
        assert admin.ask("PUT", f"/upstreams/u.test/targets/{path.replace('unhealthy', 'healthy')}")[0] == 204
        assert set(words(admin).values()) == {"HEALTHY"}


def test_the_whole(admin):
    admin.ask("PUT", "/upstreams/u.test/targets/h.test:82/unhealthy")
    status, body = admin.ask("GET", "/upstreams/u.test/health?balancer_health=1")
    assert (status, body["data"]["health"]) == (200, "UNHEALTHY")
    assert body["data"]["details"]["weight"] == {"total": 160, "available": 110, "unavailable": 50}


def test_upstreams_that_are_not_there():
    admin = AdminUnderTest()
    assert admin.ask("GET", "/upstreams/none/health") == (404, {"message": "Not found"})
    assert admin.ask("PUT", "/upstreams/none/targets/a:1/healthy")[0] == 404
    assert admin.ask("PUT", "/upstreams/1.2.3.4/targets/a:1/healthy")[0] == 400
