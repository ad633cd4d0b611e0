"""Scopes of plugins: Kong's pick order, in full, and as recorded."""

import json
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.precedence import LEVELS, keys, pick
from aimon_local.policy.rule import PluginType, Rule
from aimon_local.policy.snapshot import build

# Kong's documented order, most specific first.
DOCUMENTED = [
    "consumer route service",
    "group service route",
    "consumer route",
    "consumer service",
    "group route",
    "group service",
    "route service",
    "consumer",
    "group",
    "route",
    "service",
    "",
]
IDS = {"route": "r", "service": "s", "consumer": "c", "group": "g"}


def key(names):
    return tuple(IDS[kind] if kind in names.split() else None for kind in IDS)


@pytest.mark.parametrize(("high", "low"), list(combinations(DOCUMENTED, 2)))
def test_the_more_specific_of_two_wins(high, low):
    instances = {key(low): low, key(high): high}
    assert pick(instances, "r", "s", "c", ["g"]) == high


def test_each_level_is_reached_once_the_higher_ones_are_gone():
    instances = {key(names): names for names in DOCUMENTED}
    for names in DOCUMENTED:
        assert pick(instances, "r", "s", "c", ["g"]) == names
        del instances[key(names)]
    assert pick(instances, "r", "s", "c", ["g"]) is None


def test_every_combination_of_scopes_has_a_level():
    every = {
        key(" ".join(kind for kind, on in zip(IDS, chosen, strict=True) if on)) for chosen in product([0, 1], repeat=4)
    }
    assert set(keys("r", "s", "c", ["g"])) == every
    assert len(LEVELS) == len(set(LEVELS)) == len(every)


scopes = st.tuples(*(st.sampled_from([None, f"{kind}1", f"{kind}2"]) for kind in "rscg"))


@given(st.sets(scopes, max_size=12), scopes, st.lists(st.sampled_from(["g1", "g2"]), unique=True))
def test_only_what_fits_the_request_is_picked_and_nothing_more_specific_is_passed_over(instances, asked, groups):
    route, service, consumer, _ = asked
    found = pick({scope: scope for scope in instances}, route, service, consumer, groups)

    def fits(scope):
        wanted = zip(scope[:3], (route, service, consumer), strict=True)
        return all(one is None or one == other for one, other in wanted) and (scope[3] is None or scope[3] in groups)

    fitting = [scope for scope in instances if fits(scope)]
    assert (found is None) == (not fitting)
    if found is not None:
        assert fits(found)
        assert not any(
            all(a is None or a == b for a, b in zip(found, each, strict=True)) and each != found for each in fitting
        )


def test_of_several_groups_the_first_that_has_the_plugin_counts():
    instances = {(None, None, None, "b"): "b", (None, None, None, "c"): "c"}
    assert pick(instances, "r", "s", "c", ["a", "b", "c"]) == "b"


def test_a_route_without_a_service_knows_no_service_level():
    assert pick({("r", None, None, None): "route", (None, None, "c", None): "consumer"}, "r", None, "c") == "consumer"


# ---- as recorded


class Mark(Rule):
    def __init__(self, text):
        self.text = text

    def response(self, call, draft):
        raise NotImplementedError


TYPES = {"mark": PluginType("mark", 800, None, lambda config, scope: Mark(config["mark"]))}


def test_as_recorded():
    recorded = json.loads((Path(__file__).parent / "recorded" / "precedence.json").read_text("utf-8"))
    rows = {kind: recorded[kind] for kind in ("services", "routes", "consumers", "plugins")}
    snapshot = build(rows, TYPES, str)
    for kind, *step in recorded["steps"]:
        if kind == "disable":
            rows["plugins"] = [
                {**row, "enabled": row["id"] != step[0] and row.get("enabled", True)} for row in rows["plugins"]
            ]
            snapshot = build(rows, TYPES, str, snapshot)
            continue
        path, consumer, want = step
        match = snapshot.route("GET", "gw.test", path, [])
        plan = snapshot.plan(match, snapshot.consumer_by_name(consumer) if consumer else None)
        assert [rule.text for rule in plan.response] == ([want] if want else [])
