import pytest

from aimon_local.model import address
from aimon_local.model.address import Address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example.com", Address("name", "example.com")),
        ("example.com:80", Address("name", "example.com", 80)),
        ("host.", Address("name", "host.")),
        ("under_score", Address("name", "under_score")),
        ("127.0.0.1", Address("ipv4", "127.0.0.1")),
        ("127.000.0.1:80", Address("ipv4", "127.0.0.1", 80)),
        ("::1", Address("ipv6", "0000:0000:0000:0000:0000:0000:0000:0001")),
        ("[::1]:80", Address("ipv6", "0000:0000:0000:0000:0000:0000:0000:0001", 80)),
        ("FE80::A", Address("ipv6", "fe80:0000:0000:0000:0000:0000:0000:000a")),
    ],
)
def test_parse_reads(text, found):
    assert address.parse(text) == found


@pytest.mark.parametrize(
    "text",
    ["", ".", "a b", "a..b", "-", "a-.b", "256.0.0.1", "1.2.3", "x:y:z", "[::1", "[::1]x", "1::2::3", "::g", "ü.de"],
)
def test_parse_refuses(text):
    assert isinstance(address.parse(text), str)


@pytest.mark.parametrize("text", ["h:99999", "1.2.3.4:70000", "[::1]:65536"])
def test_a_port_out_of_range_is_told_apart(text):
    assert address.parse(text) == address.BAD_PORT


def test_targets_get_a_port_and_brackets():
    assert address.parse("h").with_port(8000) == "h:8000"
    assert address.parse("[::1]:0").with_port(8000) == "[0000:0000:0000:0000:0000:0000:0000:0001]:0"


@pytest.mark.parametrize(
    ("check", "value", "fault"),
    [
        (address.check_host, "h.test", None),
        (address.check_host, "h test", "invalid value: h test"),
        (address.check_host, "h.test:80", "must not have a port"),
        (address.check_host, "h.test:99999", "must not have a port"),
        (address.check_route_host, "*.test", None),
        (address.check_route_host, "a.test:80", None),
        (address.check_route_host, "\\99", "invalid hostname: \\99"),
        (address.check_sni, "1.2.3.4", "must not be an IP"),
        (address.check_sni, "a:1", "must not have a port"),
        (address.check_sni, "a b", "invalid value: a b"),
        (address.check_wildcard_host, "*.a.test", None),
        (address.check_wildcard_host, "a.*.test", "wildcard must be leftmost or rightmost character"),
        (address.check_wildcard_host, "*.a.*", "only one wildcard must be specified"),
        (address.check_upstream_name, "u.test", None),
        (address.check_upstream_name, "a b", "Invalid name ('a b'); must be a valid hostname"),
        (address.check_upstream_name, "1.2.3.4", "Invalid name ('1.2.3.4'); no ip addresses allowed"),
        (address.check_upstream_name, "u.test:80", "Invalid name ('u.test:80'); no port allowed"),
        (address.check_target, "x:y:z", "Invalid target; not a valid hostname or ip address"),
        (address.check_ip, "::1", None),
        (address.check_ip, "h.test", "not an ip address: h.test"),
        (address.check_ip_or_cidr, "10.0.0.0/8", None),
        (address.check_ip_or_cidr, "::/128", None),
        (address.check_ip_or_cidr, "1.2.3.4/33", "invalid ip or cidr range: '1.2.3.4/33'"),
        (address.check_ip_or_cidr, "1.2.3.4/", "invalid ip or cidr range: '1.2.3.4/'"),
        (address.check_ip_or_cidr, "256.0.0.1", "invalid ip or cidr range: '256.0.0.1'"),
    ],
)
def test_checks(check, value, fault):
    assert check(value) == fault
