"""Groups and who belongs to them, from both sides."""

import pytest

from tests.support.admin import AdminUnderTest


@pytest.fixture
def admin():
    made = AdminUnderTest()
    for path in ("/consumer_groups/gold", "/consumer_groups/free", "/consumers/ann", "/consumers/bob"):
        assert made.ask("PUT", path, {})[0] == 200
    return made


def members(admin, group="gold"):
    return sorted(row["username"] for row in admin.ask("GET", f"/consumer_groups/{group}/consumers")[1]["data"])


def groups(admin, consumer):
    return sorted(row["name"] for row in admin.ask("GET", f"/consumers/{consumer}/consumer_groups")[1]["data"])


def test_joining_from_both_sides(admin):
    status, body = admin.ask("POST", "/consumer_groups/gold/consumers", "consumer=ann")
    assert status == 201
    assert (body["consumer_group"]["name"], [row["username"] for row in body["consumers"]]) == ("gold", ["ann"])
    status, body = admin.ask("POST", "/consumers/ann/consumer_groups", {"group": "free"})
    assert status == 201
    assert body["consumer"]["username"] == "ann"
    assert sorted(row["name"] for row in body["consumer_groups"]) == ["free", "gold"]
    assert (members(admin), groups(admin, "ann"), groups(admin, "bob")) == (["ann"], ["free", "gold"], [])


@pytest.mark.parametrize("data", [{"consumer": ["ann", "bob", "ann"]}, "consumer[]=ann&consumer[]=bob"])
def test_several_at_once(admin, data):
    assert admin.ask("POST", "/consumer_groups/gold/consumers", data)[0] == 201
    assert members(admin) == ["ann", "bob"]


def test_by_id_and_as_a_reference(admin):
    id_ = admin.ask("GET", "/consumers/ann")[1]["id"]
    assert admin.ask("POST", "/consumer_groups/gold/consumers", {"consumer": id_})[0] == 201
    assert admin.ask("POST", "/consumer_groups/free/consumers", {"consumer": {"id": id_}})[0] == 201
    assert groups(admin, "ann") == ["free", "gold"]


@pytest.mark.parametrize(
    ("data", "status"),
    [({}, 400), ({"consumer": ""}, 400), ({"consumer": 5}, 400), ({"consumer": []}, 400), ({"consumer": "zoe"}, 404)],
)
def test_nobody_joins(admin, data, status):
    got, body = admin.ask("POST", "/consumer_groups/gold/consumers", data)
    assert (got, list(body)) == (status, ["message"])
    assert members(admin) == []


def test_one_of_several_that_is_not_there_lets_none_in(admin):
    assert admin.ask("POST", "/consumer_groups/gold/consumers", {"consumer": ["ann", "zoe"]})[0] == 404
    assert members(admin) == []


def test_a_member_joins_once(admin):
    admin.ask("POST", "/consumer_groups/gold/consumers", "consumer=ann")
    status, body = admin.ask("POST", "/consumer_groups/gold/consumers", {"consumer": ["bob", "ann"]})
    assert (status, body["code"]) == (409, 5)
    assert members(admin) == ["ann"]


def test_leaving(admin):
    admin.ask("POST", "/consumer_groups/gold/consumers", {"consumer": ["ann", "bob"]})
    assert admin.ask("GET", "/consumer_groups/gold/consumers/ann")[1]["consumer"]["username"] == "ann"
    assert admin.ask("DELETE", "/consumer_groups/gold/consumers/ann")[0] == 204
    assert admin.ask("DELETE", "/consumer_groups/gold/consumers/ann")[0] == 404
    assert admin.ask("GET", "/consumer_groups/gold/consumers/ann")[0] == 404
    assert members(admin) == ["bob"]
    assert admin.ask("DELETE", "/consumers/bob/consumer_groups")[0] == 204
    assert members(admin) == []
    assert admin.ask("DELETE", "/consumers/none/consumer_groups")[0] == 404


def test_a_group_shows_all_that_belongs_to_it(admin):
    admin.ask("POST", "/consumer_groups/gold/consumers", "consumer=ann")
    status, plugin = admin.ask("POST", "/consumer_groups/gold/plugins", "name=rate-limiting&config.minute=9")
    assert status == 201
    assert list(plugin["consumer_group"]) == ["id"]
    _, body = admin.ask("GET", "/consumer_groups/gold")
    assert list(body) == ["consumer_group", "consumers", "plugins"]
    assert [row["id"] for row in body["plugins"]] == [plugin["id"]]
    assert "consumers" not in admin.ask("GET", "/consumer_groups/gold?list_consumers=false")[1]
    assert admin.ask("GET", f"/plugins/{plugin['id']}/consumer_group")[1]["name"] == "gold"


def test_a_group_goes_with_its_plugins_and_memberships_but_not_its_consumers(admin):
    admin.ask("POST", "/consumer_groups/gold/consumers", "consumer=ann")
    admin.ask("POST", "/consumer_groups/gold/plugins", "name=rate-limiting&config.minute=9")
    assert admin.ask("DELETE", "/consumer_groups/gold")[0] == 204
    assert admin.ask("GET", "/plugins")[1]["data"] == []
    assert groups(admin, "ann") == []
    assert admin.ask("GET", "/consumers/ann")[0] == 200
