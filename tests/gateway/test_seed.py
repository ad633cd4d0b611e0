"""The demo of a first start."""

from aimon_local.gateway import seed
from aimon_local.model.violation import Violation
from tests.support.stage import CountingIds, make_catalog

NOW = 1_700_000_000_000_000_000


def planted(port=5000):
    catalog, ids = make_catalog(), CountingIds()
    seeded = seed.plan(catalog, port, NOW, ids)
    return catalog, ids, seeded


def test_a_plan_changes_nothing_and_holds_in_one_step():
    catalog, ids, seeded = planted()
    assert all(not list(catalog.rows(kind)) for kind in ("services", "routes", "consumers", "plugins"))
    catalog.apply(seeded.changes)
    assert [row["name"] for row in catalog.rows("services")] == [seed.SERVICE]
    assert sorted(row["username"] for row in catalog.rows("consumers")) == sorted(seed.CONSUMERS)
    assert all("demo" in row["tags"] for row in catalog.rows("plugins"))
    again = catalog.insert("services", {"name": seed.SERVICE, "url": "http://a"}, NOW, ids)
    assert isinstance(again, Violation)


def test_each_consumer_gets_a_key_of_its_own():
    _, _, seeded = planted()
    assert set(seeded.keys) == set(seed.CONSUMERS)
    assert all(len(key) == 32 for key in seeded.keys.values())


def test_the_demo_follows_the_built_in_upstream():
    catalog, ids, seeded = planted(5000)
    catalog.apply(seeded.changes)
    assert seed.moved(catalog, 5000, NOW, ids) == ()
    changes = seed.moved(catalog, 6000, NOW, ids)
    catalog.apply(changes)
    assert catalog.select_by("services", "name", seed.SERVICE)["port"] == 6000
    assert seed.moved(catalog, 6000, NOW, ids) == ()


def test_what_the_operator_made_is_left_alone():
    catalog = make_catalog(("services", {"name": seed.SERVICE, "url": "http://mine:1"}))
    assert seed.moved(catalog, 6000, NOW, CountingIds()) == ()
    assert seed.moved(make_catalog(), 6000, NOW, CountingIds()) == ()
