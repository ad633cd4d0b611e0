"""Host names and IP addresses as Kong's schemas accept them: pure text, nothing is resolved.

``parse`` tells a name, an IPv4 and an IPv6 address apart, with or without a port, and brings them to Kong's written
form (IPv6 in full, lower case). The checks at the end are the ``check`` functions of schema tables.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[0-9A-Za-z._-]+\Z")
_V4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d+))?\Z", re.ASCII)
_PORT = re.compile(r":(\d+)\Z", re.ASCII)
_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}\Z")
BAD_PORT = "invalid port number"


@dataclass(frozen=True, slots=True)
class Address:
    """``kind`` is name, ipv4 or ipv6; ``port`` None when there is none."""

    kind: str
    host: str
    port: int | None = None

    def with_port(self, default: int) -> str:
        """``host:port``, an IPv6 address in brackets."""
        host = f"[{self.host}]" if self.kind == "ipv6" else self.host
        return f"{host}:{default if self.port is None else self.port}"


def parse(text: str) -> Address | str:
    """The address in ``text``, or why it is none (``BAD_PORT`` when only the port is wrong)."""
    if text.count(":") > 1:
        return _ipv6(text)
    if re.match(r"[\d.]+\Z", text.replace(":", ""), re.ASCII):
        return _ipv4(text)
    return _name(text)


def _port(digits: str | None) -> int | str | None:
    if digits is None:
        return None
    return int(digits) if len(digits) < 7 and int(digits) <= 65535 else BAD_PORT


def _ipv4(text: str) -> Address | str:
    match = _V4.match(text)
    if match is None or any(int(part) > 255 for part in match.groups()[:4]):
        return f"invalid ipv4 address: {text}"
    port = _port(match[5])
    if isinstance(port, str):
        return port
    return Address("ipv4", ".".join(str(int(part)) for part in match.groups()[:4]), port)


def _ipv6(text: str) -> Address | str:
    inner, port = text, None
    if text.startswith("["):
        inner, closed, rest = text[1:].partition("]")
        match = _PORT.match(rest)
        if not closed or (rest and match is None):
            return f"invalid ipv6 address: {text}"
        found = _port(match[1] if match else None)
        if isinstance(found, str):
            return found
        port = found
    groups = _groups(inner)
    if groups is None:
        return f"invalid ipv6 address: {text}"
    return Address("ipv6", ":".join(group.lower().zfill(4) for group in groups), port)


def _groups(text: str) -> list[str] | None:
    """The eight groups of an IPv6 address, ``::`` filled up with zeros."""
    head, gap, tail = text.partition("::")
    left = head.split(":") if head else []
    right = tail.split(":") if tail else []
    if gap:
        left += ["0"] * (8 - len(left) - len(right))
    groups = left + right
    return groups if len(groups) == 8 and all(_GROUP.match(group) for group in groups) else None


def _name(text: str) -> Address | str:
    match = _PORT.search(text)
    name = text[: match.start()] if match else text
    port = _port(match[1] if match else None)
    if isinstance(port, str):
        return port
    labels = name.split(".")
    empty = any(not label for label in labels[:-1]) or name in ("", ".")  # a dot at the end is the DNS root
    if empty or not _NAME.match(name) or any(label.endswith("-") for label in labels):
        return f"invalid hostname: {text}"
    return Address("name", name, port)


def check_host(value: str) -> str | None:
    """A host without port: a name or an address."""
    found = parse(value)
    if isinstance(found, str) and found != BAD_PORT:
        return f"invalid value: {value}"
    return "must not have a port" if isinstance(found, str) or found.port is not None else None


def check_route_host(value: str) -> str | None:
    """A host that a route matches: perhaps with a wildcard, perhaps with a port."""
    found = parse(value.replace("*", "abc"))
    return found if isinstance(found, str) else None


def check_sni(value: str) -> str | None:
    """A server name of TLS: a name without port."""
    found = parse(value)
    if isinstance(found, str) and found != BAD_PORT:
        return f"invalid value: {value}"
    if not isinstance(found, str) and found.kind != "name":
        return "must not be an IP"
    return "must not have a port" if isinstance(found, str) or found.port is not None else None


def check_wildcard_host(value: str) -> str | None:
    """A server name with at most one ``*``, first or last."""
    star = value.find("*")
    if star < 0:
        return check_sni(value)
    if star not in (0, len(value) - 1):
        return "wildcard must be leftmost or rightmost character"
    if value.count("*") > 1:
        return "only one wildcard must be specified"
    fault = check_sni(value.replace("*", "wildcard"))
    return fault and fault.replace("wildcard", "*")


def check_upstream_name(value: str) -> str | None:
    """The name of an upstream: a host name, as it stands for a service's host."""
    found = parse(value)
    if isinstance(found, str):
        return f"Invalid name ('{value}'); must be a valid hostname"
    if found.kind != "name":
        return f"Invalid name ('{value}'); no ip addresses allowed"
    return None if found.port is None else f"Invalid name ('{value}'); no port allowed"


def check_target(value: str) -> str | None:
    """A target: a name or an address, with or without port."""
    return "Invalid target; not a valid hostname or ip address" if isinstance(parse(value), str) else None


def check_ip(value: str) -> str | None:
    """An IP address."""
    return None if _is_ip(value) else f"not an ip address: {value}"


def check_ip_or_cidr(value: str) -> str | None:
    """An IP address or a block of them (``10.0.0.0/8``)."""
    address, slash, bits = value.partition("/")
    if not _is_ip(address):
        return f"invalid ip or cidr range: '{value}'"
    if not slash:
        return None
    most = 128 if ":" in address else 32
    good = re.match(r"\d{1,3}\Z", bits, re.ASCII) is not None and int(bits) <= most
    return None if good else f"invalid ip or cidr range: '{value}'"


def _is_ip(text: str) -> bool:
    found = parse(text)
    return isinstance(found, Address) and found.kind != "name" and found.port is None and "[" not in text
