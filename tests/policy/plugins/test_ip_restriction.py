"""ip-restriction: addresses against lists, against the plainest reading of a prefix."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import reasons
from aimon_local.policy.plugins.ip_restriction import PLUGIN, check_ip_or_cidr
from tests.support.calls import compile_rule, make_call
from tests.support.plugins import stored


def verdict(client, rule=None, fields=(), **config):
    outcome = (rule or compile_rule(PLUGIN, config)).access(make_call(client_ip=client, fields=fields))
    return outcome and (outcome.status, outcome.message, outcome.reason)


def no(client):
    return 403, f"IP address not allowed: {client}", reasons.IP_DENIED


@pytest.mark.parametrize(
    ("config", "client", "passes"),
    [
        ({"allow": ["127.0.0.1"]}, "127.0.0.1", True),
        ({"allow": ["127.0.0.1"]}, "127.0.0.2", False),
        ({"allow": ["10.0.0.0/8", "127.0.0.0/8"]}, "127.9.9.9", True),
        ({"deny": ["127.0.0.0/8"]}, "127.0.0.1", False),
        ({"deny": ["10.0.0.1"]}, "127.0.0.1", True),
        ({"deny": ["0.0.0.0/0"]}, "8.8.8.8", False),
        ({"deny": ["0.0.0.0/0"]}, "::1", True),
        ({"allow": ["::1"]}, "::1", True),
        ({"allow": ["::1"]}, "127.0.0.1", False),
        ({"allow": ["127.0.0.0/8"], "deny": ["127.0.0.1"]}, "127.0.0.1", False),
        ({"allow": ["127.0.0.0/8"], "deny": ["127.0.0.1"]}, "127.0.0.2", True),
        ({"allow": ["127.0.0.0/8"], "deny": ["10.0.0.0/8"]}, "9.9.9.9", False),
        ({"allow": [], "deny": ["1.1.1.1"]}, "9.9.9.9", True),
        ({"allow": ["10.1.2.3/8"]}, "10.200.0.1", True),  # bits behind the prefix
        ({"deny": ["127.0.0.1"]}, "::ffff:127.0.0.1", False),  # the same address on a socket for both families
        ({"allow": ["::ffff:0:0/96"]}, "::ffff:127.0.0.1", True),
        ({"allow": ["fe80::/10"]}, "fe80::1%eth0", True),
    ],
)
def test_deny_then_allow(config, client, passes):
    assert verdict(client, **config) == (None if passes else no(client))


def test_the_words_of_a_refusal_can_be_set():
    assert verdict("1.1.1.1", allow=["2.2.2.2"], status=404, message="gone ü") == (404, "gone ü", reasons.IP_DENIED)
    assert verdict("1.1.1.1", allow=["2.2.2.2"], status=99) == no("1.1.1.1")  # no status that could be sent


def test_nobody_believes_what_a_client_says_of_itself():
    claims = [("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1"), ("Forwarded", "for=10.0.0.1")]
    assert verdict("127.0.0.1", allow=["10.0.0.1"], fields=claims) == no("127.0.0.1")


def test_verdicts_are_remembered_within_a_bound():
    rule = compile_rule(PLUGIN, {"deny": ["10.0.0.0/16"]})
    for number in range(3000):
        client = str(IPv4Address("10.0.255.0") + number)
        for _ in range(2):
            assert (verdict(client, rule) is None) == (number >= 256)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_prefix_is_its_first_bits(network, address, length):
    rule = compile_rule(PLUGIN, {"allow": [f"{IPv4Address(network)}/{length}"]})
    assert (verdict(str(IPv4Address(address)), rule) is None) == (network >> (32 - length) == address >> (32 - length))


@given(st.integers(0, 2**128 - 1), st.integers(0, 127))
def test_a_prefix_of_version_6(network, bit):
    rule = compile_rule(PLUGIN, {"deny": [f"{IPv6Address(network)}/{128 - bit}"]})
    inside, outside = network ^ ((1 << bit) - 1), network ^ (1 << bit)
    assert verdict(str(IPv6Address(inside)), rule) is not None
    assert verdict(str(IPv6Address(outside)), rule) is None


@pytest.mark.parametrize("value", ["1.2.3.4", "1.2.3.0/24", "1.2.3.4/24", "0.0.0.0/0", "::1", "::/0", "2001:db8::1/64"])
def test_entries(value):
    assert check_ip_or_cidr(value) is None


@pytest.mark.parametrize(
    "value",
    ["x", "", "1.2.3", "1.2.3.4/33", "256.0.0.1", "1.2.3.4/", "1.2.3.4/255.0.0.0", "::1/129", "1.2.3.4/-1", " ::1"],
)
def test_entries_that_are_none(value):
    assert check_ip_or_cidr(value) == f"invalid ip or cidr range: '{value}'"


def test_configurations():
    assert stored(PLUGIN, {"allow": ["1.2.3.4"]}) == {
        "allow": ["1.2.3.4"],
        "deny": None,
        "status": None,
        "message": None,
    }
    assert "at least one of these fields must be non-empty" in stored(PLUGIN, {})
    assert "invalid ip or cidr range: 'x'" in stored(PLUGIN, {"deny": ["x"]})
