"""Scopes: a pattern lies within others only where each name that it matches is matched by them."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.agent import RunLimits, Scopes, pattern_within, scope_within

PATTERNS = st.lists(st.sampled_from(["a", "b", "-", "*", "?", "[ab]", "[!a]", "]"]), max_size=5).map("".join)
NAMES = st.text("ab-[]*?!", max_size=6)


@given(PATTERNS, st.lists(PATTERNS, max_size=3), NAMES)
def test_what_a_pattern_matches_is_matched_by_those_that_it_lies_within(pattern, others, name):
    if pattern_within(pattern, others) and fnmatchcase(name, pattern):
        assert any(fnmatchcase(name, other) for other in others)


@pytest.mark.parametrize(
    ("pattern", "other", "within"),
    [
        ("mock-small", "mock-*", True),
        ("mock-s*", "mock-*", True),
        ("*", "mock-*", False),
        ("*", "?", False),
        ("[ab]x", "*]x", False),
        ("a", "[ab]", True),
        ("?", "*", True),
    ],
)
def test_it_is_useful(pattern, other, within):
    assert pattern_within(pattern, [other]) is within


def test_scopes_within_scopes():
    outer = Scopes(("ai",), ("POST",), ("mock-*",), ("search",), 100)
    assert scope_within(outer, outer) is None
    assert scope_within(Scopes(), Scopes()) is None
    assert "tools: 'rm'" in scope_within(Scopes(tools=("rm",), max_output_tokens=1), outer)
    assert "may ask for 100" in scope_within(Scopes(), outer)
    assert "nothing" in scope_within(Scopes(models=("m",)), Scopes())


def test_records_go_there_and_back_and_money_becomes_nano_dollars():
    record = {"routes": ["a"], "methods": [], "models": ["m*"], "tools": ["t"], "max_output_tokens": 5}
    assert Scopes.of(record).facts() == record
    assert Scopes.of({}) == Scopes()
    limits = RunLimits.of({"cost": 0.5, "requests": 0, "depth": None})
    assert (limits.cost, limits.requests, limits.depth, limits.idle_s) == (500_000_000, 0, 8, 60)
