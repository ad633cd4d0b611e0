"""Turns, health and retries among targets; which Host goes upstream."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.balancer import Balancer, upstream_host
from aimon_local.policy.entities import read_route, read_service, read_upstream
from aimon_local.policy.nouns import Match
from tests.support.calls import make_call

WATCHED = {"passive": {"unhealthy": {"http_failures": 1, "http_statuses": [500], "tcp_failures": 1, "timeouts": 1}}}


def upstream(*weights, **fields):
    targets = [
        {"id": f"t{at}", "target": f"h{at}:80", "weight": weight, "created_at": at} for at, weight in enumerate(weights)
    ]
    return read_upstream({"id": "u", "name": "u.test", **fields}, targets)


def turns(balancer, of, count, tried=()):
    chosen = (balancer.choose(of, make_call(), tried) for _ in range(count))
    return [target.name if target else None for target in chosen]


def test_equal_weights_alternate():
    assert turns(Balancer(), upstream(100, 100), 4) == ["h0:80", "h1:80", "h0:80", "h1:80"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_shares_are_exact_over_a_round(weights):
    balancer, of = Balancer(), upstream(*weights)
    for _ in range(2):
        counted = Counter(turns(balancer, of, sum(weights)))
        assert counted == {f"h{at}:80": weight for at, weight in enumerate(weights) if weight}


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_turns_are_spread_not_bunched(weights):
    # After k of n requests no target is a whole turn and more away from its share, for two targets; a few for more.
    balancer, of, total = Balancer(), upstream(*weights), sum(weights)
    counted = Counter()
    for done, name in enumerate(turns(balancer, of, total), 1):
        counted[name] += 1
        for at, weight in enumerate(weights):
            assert abs(counted[f"h{at}:80"] - done * weight / total) < len(weights)


def test_a_retry_goes_to_a_target_that_was_not_tried():
    balancer, of = Balancer(), upstream(1, 1, 1)
    assert set(turns(balancer, of, 6, tried=["h0:80"])) == {"h1:80", "h2:80"}
    assert set(turns(balancer, of, 3, tried=["h0:80", "h2:80"])) == {"h1:80"}
    assert set(turns(balancer, of, 6, tried=["h0:80", "h1:80", "h2:80"])) == {"h0:80", "h1:80", "h2:80"}


def test_without_a_usable_target_there_is_no_peer():
    balancer = Balancer()
    assert turns(balancer, upstream(), 1) == [None]
    assert turns(balancer, upstream(0), 1) == [None]


@pytest.mark.parametrize("evidence", ["status", "tcp", "timeout"])
def test_a_target_that_fails_is_left_out_until_marked_healthy(evidence):
    balancer, of = Balancer(), upstream(1, 1, healthchecks=WATCHED)
    bad, good = of.targets
    if evidence == "status":
        balancer.answered(of, bad, 500)
    else:
        balancer.failed(of, bad, timeout=evidence == "timeout")
    assert set(turns(balancer, of, 4)) == {good.name}
    assert (balancer.health(of, bad), balancer.health(of, good)) == ("UNHEALTHY", "HEALTHY")
    assert balancer.mark(of, bad.name, True)
    assert set(turns(balancer, of, 4)) == {good.name, bad.name}


def test_marks_work_where_nothing_is_watched():
    balancer, of = Balancer(), upstream(1)
    assert balancer.health(of, of.targets[0]) == balancer.balancer_health(of) == "HEALTHCHECKS_OFF"
    assert balancer.mark(of, "t0", False)
    assert turns(balancer, of, 1) == [None]
    assert balancer.health(of, of.targets[0]) == balancer.balancer_health(of) == "UNHEALTHY"
    assert not balancer.mark(of, "none:80", False)


def test_too_little_healthy_weight_is_none():
    balancer, of = Balancer(), upstream(60, 40, healthchecks={**WATCHED, "threshold": 50})
    balancer.mark(of, "h1:80", False)
    assert turns(balancer, of, 1) == ["h0:80"]
    assert balancer.balancer_health(of) == "HEALTHY"
    balancer.mark(of, "h1:80", True)
    balancer.mark(of, "h0:80", False)
    assert turns(balancer, of, 1) == [None]
    assert balancer.balancer_health(of) == "UNHEALTHY"


def test_state_outlives_a_change_elsewhere_and_ends_with_its_target():
    balancer, of = Balancer(), upstream(1, 1)
    balancer.mark(of, "h0:80", False)
    balancer.sync([upstream(1, 1, 1)])
    assert not balancer.healthy(of, of.targets[0])
    balancer.sync([upstream()])
    balancer.sync([of])
    assert balancer.healthy(of, of.targets[0])
    balancer.mark(of, "h0:80", False)
    balancer.sync([])
    assert balancer.healthy(of, of.targets[0])


def test_hashing_sticks_to_a_target_and_to_the_next_while_it_is_down():
    balancer, of = Balancer(), upstream(1, 1, 1, algorithm="consistent-hashing", hash_on="ip")
    (home,) = set(turns(balancer, of, 5))
    (second,) = set(turns(balancer, of, 5, tried=[home]))
    balancer.mark(of, home, False)
    assert set(turns(balancer, of, 5)) == {second} != {home}
    balancer.mark(of, home, True)
    assert set(turns(balancer, of, 5)) == {home}


def test_hashing_takes_turns_where_there_is_nothing_to_hash():
    of = upstream(1, 1, algorithm="consistent-hashing", hash_on="consumer")
    assert set(turns(Balancer(), of, 2)) == {"h0:80", "h1:80"}


@pytest.mark.parametrize(
    ("set_by_rule", "route", "more", "balanced", "host"),
    [
        (b"", {}, {}, False, b"s.test:5000"),
        (b"", {}, {}, True, b"h0"),
        (b"", {}, {"host_header": "up.test"}, True, b"up.test"),
        (b"", {"preserve_host": True}, {"host_header": "up.test"}, True, b"Me.test:1"),
        (b"rule.test", {"preserve_host": True}, {}, False, b"rule.test"),
    ],
)
def test_the_host_that_goes_upstream(set_by_rule, route, more, balanced, host):
    of = upstream(1, **more)
    service = read_service({"id": "s", "host": "s.test", "port": 5000})
    call = make_call(host="Me.test:1", upstream_host=set_by_rule)
    match = Match(read_route({"id": "r", **route}), service)
    chosen = (of, of.targets[0]) if balanced else (None, None)
    assert upstream_host(call, match, service, *chosen) == host
