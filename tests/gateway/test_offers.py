"""Offers into the catalog: made so, once, and with their groups."""

import pytest

from aimon_local.config.offers import seeded
from aimon_local.errors import ConfigError, StartError
from aimon_local.gateway import offers
from aimon_local.gateway.admin_context import SystemIds
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS

NOW = 1_700_000_000 * 10**9


@pytest.fixture
def catalog():
    return Catalog(SCHEMAS, PLUGIN_SCHEMAS, {})


def take(catalog, rows, now=NOW):
    changes = offers.plan(catalog, rows, now, SystemIds())
    catalog.apply(changes)
    return changes


def test_a_first_start_makes_all_and_a_second_nothing(catalog):
    assert take(catalog, seeded())
    assert {row["name"] for row in catalog.rows("consumer_groups")} == {
        "free",
        "pro",
        "enterprise",
        "agent",
        "internal",
    }
    assert take(catalog, seeded(), NOW + 10**12) == ()


def test_a_changed_row_is_replaced_and_no_other_is_touched(catalog):
    take(catalog, seeded())
    before = {row["id"]: row for row in catalog.rows("tiers")}
    changes = take(catalog, [("tiers", {"name": "free", "concurrency": 1})])
    assert [change.entity["name"] for change in changes] == ["free"]
    free = catalog.select_by("tiers", "name", "free")
    assert (free["concurrency"], free["limits"], before[free["id"]]["name"]) == (1, None, "free")


def test_a_price_of_another_day_stands_beside_the_old_one(catalog):
    line = {"model": "m", "input": 1, "output": 2}
    take(catalog, [("model_prices", line)])
    take(catalog, [("model_prices", {**line, "input": 3, "since": 5}), ("model_prices", {**line, "output": 4})])
    assert sorted((row["since"], row["input"], row["output"]) for row in catalog.rows("model_prices")) == [
        (0, 1, 4),
        (5, 3, 2),
    ]


def test_an_amendment_needs_whom_it_names(catalog):
    row = ("tiers", {"name": "deal", "consumer": {"username": "ann"}, "concurrency": 1})
    with pytest.raises(ConfigError, match="tiers deal"):
        take(catalog, [row])
    planned = catalog.insert("consumers", {"username": "ann"}, NOW, SystemIds())
    catalog.apply(planned.changes)
    take(catalog, [row])
    assert catalog.select_by("tiers", "name", "deal")["consumer"] == {"id": planned.entity["id"]}
    assert catalog.select_by("consumer_groups", "name", "deal") is None


ROUTED = (
    ("services", {"name": "s", "host": "h"}),
    ("routes", {"name": "chat", "paths": ["/"], "service": {"name": "s"}}),
)


def plant(catalog, rows):
    for kind, row in rows:
        catalog.apply(catalog.insert(kind, row, NOW, SystemIds()).changes)


def must_act(catalog, row):
    sold = [("tiers", row)]
    offers.must_act(catalog, offers.plan(catalog, sold, NOW, SystemIds()), sold)


def test_a_tier_whose_rules_can_never_act_is_refused_with_its_reason_and_what_to_do(catalog):
    plant(catalog, ROUTED)
    with pytest.raises(StartError, match=r"tier vip: concurrency can't act: no route .* matches: nowhere-") as fault:
        must_act(catalog, {"name": "vip", "concurrency": 2, "routes": ["nowhere-*"]})
    assert "--allow-unarmed" in fault.value.hint


def test_a_tier_that_nobody_has_yet_is_fine_and_so_is_a_gateway_without_routes(catalog):
    must_act(catalog, {"name": "vip", "concurrency": 2, "routes": ["nowhere-*"]})
    plant(catalog, ROUTED)
    must_act(catalog, {"name": "vip", "concurrency": 2, "routes": ["ch*"]})


def test_other_rules_that_cannot_act_do_not_stand_in_the_way(catalog):
    plant(catalog, ROUTED)
    take(catalog, [("tiers", {"name": "old", "concurrency": 2, "routes": ["nowhere-*"]})])
    must_act(catalog, {"name": "vip", "concurrency": 2})
