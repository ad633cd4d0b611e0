"""Override and add: the table of the module, as a golden one."""

from dataclasses import replace

import pytest

from aimon_local.model.tier import Burst, Limit, Mode, Period, Tier, Unit
from aimon_local.policy.tiers import Amendment, beside, narrowed, override

DAY, MINUTE = (Limit(Unit.REQUESTS, 100, period) for period in (Period.DAY, Period.MINUTE))
TIER = Tier("free", limits=(DAY, MINUTE), concurrency=4, max_prompt_tokens=50, models=("m-*",), plan="free")


def sets(**fields):
    return Amendment("a", fields)


@pytest.mark.parametrize(
    ("amendment", "changed"),
    [
        ({}, {}),
        ({"limits": (replace(DAY, amount=7),)}, {"limits": (replace(DAY, amount=7), MINUTE)}),
        ({"limits": (replace(DAY, amount=900),)}, {"limits": (replace(DAY, amount=900), MINUTE)}),
        ({"limits": (Limit(Unit.COST, 5, Period.DAY),)}, {"limits": (DAY, MINUTE, Limit(Unit.COST, 5, Period.DAY))}),
        ({"limits": (replace(DAY, sliding=True),)}, {"limits": (DAY, MINUTE, replace(DAY, sliding=True))}),
        ({"burst": Burst(1, Period.SECOND)}, {"burst": Burst(1, Period.SECOND)}),
        ({"concurrency": 9}, {"concurrency": 9}),
        ({"models": ("*",)}, {"models": ("*",)}),
        (
            {"zone": "Asia/Tokyo", "plan": "deal", "mode": Mode.POST_COUNT},
            {"zone": "Asia/Tokyo", "plan": "deal", "mode": Mode.POST_COUNT},
        ),
    ],
)
def test_a_consumers_amendment_overrides(amendment, changed):
    assert override(TIER, sets(**amendment)) == replace(TIER, **changed)


@pytest.mark.parametrize(
    ("amendment", "gates"),
    [
        ({"max_prompt_tokens": 20}, {"max_prompt_tokens": 20}),
        ({"max_prompt_tokens": 90}, {}),
        ({"max_output_tokens": 5}, {"max_output_tokens": 5}),
        (
            {"max_body_bytes": 5, "total_s": 2.5, "first_byte_s": 1, "queue_s": 3},
            {"max_body_bytes": 5, "total_s": 2.5, "first_byte_s": 1, "queue_s": 3},
        ),
        ({"clamp": False}, {"clamp": False}),
        ({"limits": (replace(DAY, amount=7),), "plan": "other", "zone": "Asia/Tokyo", "priority": 9}, {}),
    ],
)
def test_a_routes_amendment_narrows_gates_and_changes_nothing_else(amendment, gates):
    assert narrowed(TIER, sets(**amendment)) == replace(TIER, **gates)


def test_a_routes_limits_stand_beside_the_tiers():
    own = beside(sets(limits=(replace(DAY, amount=7),), concurrency=1, max_prompt_tokens=3, plan="x"), TIER)
    assert own == Tier("a", limits=(replace(DAY, amount=7),), concurrency=1, plan="free")
