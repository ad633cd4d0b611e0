"""ip-restriction: from which addresses a route may be used. ``deny`` is asked first, then ``allow``.

What counts is the address of the connection: what a client says in X-Forwarded-For is not believed.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aimon_local.model.schema import EntityRule, array, number, record, string
from aimon_local.policy import reasons
from aimon_local.policy.call import Call, Outcome, Refuse
from aimon_local.policy.rule import PluginType, Rule, Scope

_REMEMBERED = 1024  # verdicts on addresses, so that many clients can't make us remember without bound

Network = IPv4Network | IPv6Network


class IpRestriction(Rule):
    """One configured instance."""

    __slots__ = ("_allow", "_deny", "_message", "_status", "_verdicts")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._allow = _networks(config.get("allow"))
        self._deny = _networks(config.get("deny"))
        status = config.get("status") or 403
        self._status = int(status) if 200 <= status <= 599 else 403  # the schema takes any number
        self._message: str | None = config.get("message")
        self._verdicts: dict[str, Refuse | None] = {}

    def access(self, call: Call) -> Outcome:
        """Let the address pass, or not."""
        address = call.client_ip
        verdicts = self._verdicts
        if address not in verdicts:
            if len(verdicts) >= _REMEMBERED:
                verdicts.clear()
            verdicts[address] = self._judge(address)
        return verdicts[address]

    def _judge(self, text: str) -> Refuse | None:
        forms = _forms(text)
        denied = any(form in network for network in self._deny for form in forms)
        allowed = not self._allow or any(form in network for network in self._allow for form in forms)
        if allowed and not denied:
            return None
        return Refuse(self._status, self._message or f"IP address not allowed: {text}", reasons.IP_DENIED)


def _forms(text: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """The address, and as version 4 too if it is one that a socket for both versions has written as version 6."""
    address = ip_address(text.partition("%")[0])  # without the zone of a link-local address
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (address,) if mapped is None else (address, mapped)


def _networks(entries: Iterable[str] | None) -> tuple[Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in entries or ())


def check_ip_or_cidr(value: str) -> str | None:
    """An address, or one with the length of its network's prefix; bits behind the prefix don't matter."""
    address, slash, length = value.partition("/")
    try:
        if slash and not (length.isascii() and length.isdigit()):
            raise ValueError(length)  # ipaddress would take a netmask too
        ip_address(address)
        ip_network(value, strict=False)
    except ValueError:
        return f"invalid ip or cidr range: '{value}'"
    return None


PLUGIN = PluginType(
    "ip-restriction",
    990,
    record(
        "config",
        array("allow", string(check=check_ip_or_cidr)),
        array("deny", string(check=check_ip_or_cidr)),
        number("status"),
        string("message"),
        required=True,
    ),
    IpRestriction,
    checks=(EntityRule("at_least_one_of", ["config.allow", "config.deny"]),),
    protocols=("http", "https", "tcp", "tls", "grpc", "grpcs"),
)
