"""Passive health, by Kong's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.health import Health, watched
from aimon_local.policy.nouns import Passive

LAW = Passive(2, frozenset({200, 302}), 3, frozenset({500, 503}), 2, 1)
OFF = Passive(0, frozenset({200}), 0, frozenset({500}), 0, 0)

events = st.lists(st.sampled_from([200, 404, 500, "tcp", "timeout"]), max_size=30)


def tell(health, event, law=LAW):
    if isinstance(event, int):
        health.answered(event, law)
    else:
        health.failed(event == "timeout", law)


@pytest.mark.parametrize(
    ("story", "healthy"),
    [
        ([500, 500], True),
        ([500, 500, 503], False),
        ([500, 500, 200, 500, 500], True),
        ([500, 500, 404, 500], False),
        (["tcp"], True),
        (["tcp", "tcp"], False),
        (["tcp", 500, "tcp"], False),
        (["tcp", 200, "tcp"], True),
        (["timeout"], False),
        (["timeout", 200], False),
        (["timeout", 200, 200], True),
        (["timeout", 200, 404, 200], True),
    ],
)
def test_counts_turn_a_target(story, healthy):
    health = Health()
    for event in story:
        tell(health, event)
    assert health.healthy is healthy


@given(events)
def test_thresholds_of_zero_never_turn_a_target(story):
    health = Health()
    for event in story:
        tell(health, event, OFF)
    assert health.healthy
    health.mark(False)
    for event in story:
        tell(health, event, OFF)
    assert not health.healthy


@given(events, st.booleans(), events)
def test_a_mark_forgets_what_was_before(before, healthy, after):
    marked, fresh = Health(), Health()
    for event in before:
        tell(marked, event)
    marked.mark(healthy)
    fresh.mark(healthy)
    for event in after:
        tell(marked, event)
        tell(fresh, event)
        assert marked == fresh


def test_watched_says_whether_evidence_counts_at_all():
    assert watched(LAW)
    assert not watched(OFF)
