import pytest

from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.paging import TagFilter
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds
from tests.support.plugin_tables import PLUGIN_SCHEMAS

SECOND = 1_000_000_000


class World:
    """A catalog that takes every write at once."""

    def __init__(self, seals=None):
        self.catalog = Catalog(SCHEMAS, PLUGIN_SCHEMAS, seals or {})
        self.ids = CountingIds()

    def add(self, kind, **data):
        plan = self.catalog.insert(kind, data, NOW, self.ids)
        assert not isinstance(plan, Violation), plan
        self.catalog.apply(plan.changes)
        return dict(plan.entity)


@pytest.fixture
def world():
    return World()


def test_a_segment_is_an_id_or_a_key(world):
    service = world.add("services", name="s", host="h")
    assert world.catalog.resolve("services", service["id"].upper()) == service
    assert world.catalog.resolve("services", "s") == service
    assert world.catalog.resolve("services", "t") is None
    assert world.catalog.resolve("services", "00000000-0000-4000-8000-0000000000ff") is None


def test_segments_that_can_be_no_key(world):
    assert world.catalog.resolve("services", "a b").code == 10
    assert world.catalog.resolve("upstreams", "1.2.3.4").body["name"] == "invalid unique name"
    assert world.catalog.resolve("acls", "group").code == 1


def test_below_a_parent_only_its_own_count(world):
    one, two = world.add("consumers", username="a"), world.add("consumers", username="b")
    key = world.add("keyauth_credentials", key="k", consumer=one)
    acl = world.add("acls", group="g", consumer=one)
    catalog = world.catalog
    assert catalog.resolve("keyauth_credentials", "k", where=("consumer", one["id"])) == key
    assert catalog.resolve("keyauth_credentials", key["id"], where=("consumer", two["id"])) is None
    assert catalog.resolve("acls", "g", where=("consumer", one["id"])) == acl
    assert catalog.resolve("acls", "g", where=("consumer", two["id"])) is None


def test_targets_are_found_by_any_spelling_of_their_address(world):
    upstream = world.add("upstreams", name="u.test")
    target = world.add("targets", target="h", upstream=upstream)
    where = ("upstream", upstream["id"])
    assert world.catalog.resolve("targets", "h:8000", where=where) == target
    assert world.catalog.resolve("targets", "h", where=where) == target
    assert world.catalog.resolve("targets", "a:b:c", where=where) is None


def test_pages_follow_each_other(world):
    made = [
        world.add("services", name=f"s{number}", host="h", tags=["even"] * (number % 2 == 0)) for number in range(7)
    ]
    ordered = sorted(made, key=lambda row: row["id"])
    seen, offset = [], None
    while True:
        page = world.catalog.page("services", size=3, offset=offset)
        assert len(page.rows) <= 3
        seen += page.rows
        offset = page.next_offset
        if offset is None:
            break
    assert seen == ordered
    assert world.catalog.page("services", size=7).next_offset is None
    even = world.catalog.page("services", tags=TagFilter(("even",), every=True)).rows
    assert [row["name"] for row in even] == [row["name"] for row in ordered if row["tags"]]
    assert world.catalog.page("services", offset="x").code == 7


def test_a_page_goes_on_after_a_row_that_is_gone(world):
    for number in range(3):
        world.add("services", name=f"s{number}", host="h")
    first = world.catalog.page("services", size=1)
    rest = world.catalog.page("services").rows[1:]
    world.catalog.apply(world.catalog.delete("services", first.rows[0]["id"]).changes)
    assert world.catalog.page("services", offset=first.next_offset).rows == rest


def test_pages_of_a_parent(world):
    service = world.add("services", name="s", host="h")
    route = world.add("routes", paths=["/a"], service=service)
    world.add("routes", paths=["/b"])
    assert world.catalog.page("routes", where=("service", service["id"])).rows == [route]


def test_tags_are_listed_over_all_kinds(world):
    service = world.add("services", name="s", host="h", tags=["t", "u"])
    consumer = world.add("consumers", username="c", tags=["t"])
    every = world.catalog.page_tags()
    assert len(every.rows) == 3
    assert world.catalog.page_tags(tag="u").rows == [
        {"entity_name": "services", "entity_id": service["id"], "tag": "u"}
    ]
    first = world.catalog.page_tags(tag="t", size=1)
    second = world.catalog.page_tags(tag="t", size=1, offset=first.next_offset)
    assert {row["entity_id"] for row in (*first.rows, *second.rows)} == {service["id"], consumer["id"]}
    assert second.next_offset is None
    assert world.catalog.page_tags(offset="x").code == 7


def test_an_expired_key_is_not_there(world):
    consumer = world.add("consumers", username="c")
    key = world.add("keyauth_credentials", key="k", consumer=consumer, ttl=10)
    catalog, where = world.catalog, ("consumer", consumer["id"])
    assert key["ttl"] == 10
    assert catalog.select("keyauth_credentials", key["id"], NOW + 4 * SECOND)["ttl"] == 6
    late = NOW + 10 * SECOND
    assert catalog.select("keyauth_credentials", key["id"], late) is None
    assert catalog.select_by("keyauth_credentials", "key", "k", late) is None
    assert catalog.resolve("keyauth_credentials", "k", now=late) is None
    assert catalog.page("keyauth_credentials", where=where, now=late).rows == []
    assert list(catalog.rows("keyauth_credentials", late)) == []
    assert len(list(catalog.rows("keyauth_credentials"))) == 1


def test_sealed_keys_are_found_by_their_plain_value():
    world = World({"keyauth_credentials": ("key", lambda plain: f"sealed:{plain}")})
    consumer = world.add("consumers", username="c")
    shown = world.add("keyauth_credentials", key="k", consumer=consumer)
    assert shown["key"] == "k"
    stored = world.catalog.select("keyauth_credentials", shown["id"])
    assert stored["key"] == "sealed:k"
    assert world.catalog.resolve("keyauth_credentials", "k") == stored
    assert world.catalog.resolve("keyauth_credentials", "sealed:k") is None


def test_plugins_have_the_schema_of_their_name(world):
    assert world.catalog.schema_for("plugins", "acl") is PLUGIN_SCHEMAS["acl"]
    assert world.catalog.schema_for("services", None) is SCHEMAS["services"]
    for name, text in (
        (None, "required field missing"),
        (5, "expected a string"),
        ("nope", "plugin 'nope' not enabled; add it to the 'plugins' configuration property"),
    ):
        assert world.catalog.schema_for("plugins", name).body["fields"] == {"name": text}


def test_kinds_come_in_the_order_of_their_references(world):
    kinds = world.catalog.kinds()
    assert kinds.index("services") < kinds.index("routes") < kinds.index("plugins")
    assert "tags" not in kinds


def test_lookups_of_what_can_be_no_value(world):
    assert world.catalog.select_by("consumers", "username", ["x"]) is None
    assert world.catalog.count("consumers") == 0
