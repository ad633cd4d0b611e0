"""Where a request goes: the service's own place, or a target of the upstream of that name."""

import pytest

from aimon_local.gateway.destinations import Destinations
from aimon_local.wire.message import FailureKind, Timeouts
from tests.support.calls import make_call
from tests.support.stage import Stage, make_failure

NAME = ("upstreams", {"name": "up.test"})


def routed(stage, path="/r/x", **facts):
    """A call after ROUTE."""
    call = make_call(target=path, snapshot=stage.live.snapshot, upstream_host=b"", **facts)
    call.match = stage.live.snapshot.route("GET", "gw.test", path, [], "http")
    return call


def targets(*hosts, **upstream):
    return [
        ("upstreams", {"name": "up.test", **upstream}),
        *(("targets", {"upstream": {"name": "up.test"}, "target": host}) for host in hosts),
    ]


def test_a_service_is_its_own_place():
    stage = Stage(connect_timeout=1500, write_timeout=2500, read_timeout=3500)
    choice = Destinations().choose(routed(stage))
    assert (choice.origin.scheme, choice.origin.host, choice.origin.port) == ("http", "up.test", 5000)
    assert choice.host == b"up.test:5000"
    assert choice.timeouts == Timeouts(1.5, 2.5, 3.5)
    assert choice.target is None


@pytest.mark.parametrize(
    ("setting", "verify"), [({}, True), ({"tls_verify": False}, False), ({"tls_verify": True}, True)]
)
def test_https_is_verified_unless_told_otherwise(setting, verify):
    choice = Destinations().choose(routed(Stage(url="https://up.test", **setting)))
    assert (choice.origin.scheme, choice.origin.port, choice.origin.verify) == ("https", 443, verify)


def test_the_origin_is_made_once_per_service():
    stage, destinations = Stage(), Destinations()
    first, second = (destinations.choose(routed(stage)) for _ in range(2))
    assert first is second  # the pool knows its lane by it


def test_the_clients_host_where_the_route_keeps_it():
    choice = Destinations().choose(routed(Stage(route={"preserve_host": True})))
    assert (choice.origin.host, choice.host) == ("up.test", b"gw.test")


def test_targets_take_turns_and_a_tried_one_is_left_out():
    stage, destinations = Stage(entities=targets("10.0.0.1:81", "10.0.0.2:82")), Destinations()
    call = routed(stage)
    places = [destinations.choose(call) for _ in range(4)]
    assert [(place.origin.host, place.origin.port) for place in places] == [("10.0.0.1", 81), ("10.0.0.2", 82)] * 2
    assert {destinations.choose(call, ("10.0.0.1:81",)).target.name for _ in range(3)} == {"10.0.0.2:82"}
    assert destinations.choose(call, ("10.0.0.1:81", "10.0.0.2:82")).target is not None


def test_an_upstream_without_targets_is_no_place():
    assert Destinations().choose(routed(Stage(entities=[NAME]))) is None


PASSIVE = {"healthchecks": {"passive": {"unhealthy": {"tcp_failures": 1, "timeouts": 1, "http_failures": 1}}}}


@pytest.mark.parametrize("evidence", ["refused", "timed out", "500"])
def test_what_fails_is_left_out_until_told_otherwise(evidence):
    stage, destinations = Stage(entities=targets("10.0.0.1:81", "10.0.0.2:82", **PASSIVE)), Destinations()
    call = routed(stage)
    bad = destinations.choose(call)
    if evidence == "500":
        destinations.answered(bad, 500)
    else:
        kind = FailureKind.CONNECT if evidence == "refused" else FailureKind.READ_TIMEOUT
        destinations.failed(bad, make_failure(kind))
    assert {destinations.choose(call).target.name for _ in range(4)} == {"10.0.0.2:82"}


def test_a_service_without_targets_gives_no_evidence():
    destinations = Destinations()
    choice = destinations.choose(routed(Stage()))
    destinations.answered(choice, 500)
    destinations.failed(choice, make_failure())
    assert destinations.choose(routed(Stage())) is not None
