"""Services: where requests go. ``url`` is taken apart as Kong's URL parser does, oddities included."""

import re
from collections.abc import Mapping
from typing import Any

from aimon_local.model.address import check_host
from aimon_local.model.entities import common
from aimon_local.model.lua import tonumber
from aimon_local.model.schema import (
    EntityRule,
    Field,
    Schema,
    Shorthand,
    array,
    boolean,
    foreign,
    integer,
    string,
)

_SCHEME = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*):")
_PORT = re.compile(r":([^:\]]*)\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NULL_TEXT = "userdata: NULL"  # how Lua prints null; Kong takes it for a URL when ``url`` is null


def expand_url(value: Any) -> Mapping[str, Any] | str:
    """``url`` as protocol, host, port and path; what the text lacks becomes null, but for protocol and port."""
    rest = (_NULL_TEXT if value is None else str(value)).split("#", 1)[0]
    parts: dict[str, Any] = {"host": None, "path": None}
    if match := _SCHEME.match(rest):
        parts["protocol"] = match[1]
        rest = rest[match.end() :]
    if rest.startswith("//"):
        authority, slash, tail = rest[2:].partition("/")
        rest = slash + tail
        _authority(authority, parts)
    port = parts.get("port") or _DEFAULT_PORTS.get(parts.get("protocol", ""))
    if port is not None:
        parts["port"] = port
    parts["path"] = rest.split("?", 1)[0].split(";", 1)[0] or None
    return parts


def _authority(text: str, parts: dict[str, Any]) -> None:
    text = text.split("@", 1)[-1]
    if match := _PORT.search(text):
        text = text[: match.start()]
        parts["port"] = tonumber(match[1])
    bracketed = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    parts["host"] = bracketed or None


def _only_tls(field: str) -> EntityRule:
    return EntityRule(
        "conditional",
        {
            "if_field": "protocol",
            "if_match": {"not_one_of": ["https", "tls"]},
            "then_field": field,
            "then_match": {"eq": None},
        },
    )


_NO_PATH = EntityRule(
    "conditional",
    {
        "if_field": "protocol",
        "if_match": {"one_of": ["tcp", "tls", "udp", "grpc", "grpcs"]},
        "then_field": "path",
        "then_match": {"eq": None},
    },
)


def _timeout(name: str) -> Field:
    return integer(name, default=60000, between=[1, 2147483646])


SERVICES = Schema(
    "services",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        common.name(),
        integer("retries", default=5, between=[0, 32767], description="Further tries after a failed one."),
        string(
            "protocol",
            default="http",
            one_of=list(common.PROTOCOLS),
            len_min=1,
            required=True,
            description="How to talk to the upstream.",
        ),
        string(
            "host", check=check_host, len_min=1, required=True, description="A host name or the name of an upstream."
        ),
        integer("port", default=80, between=[0, 65535], required=True, description="The port of the upstream."),
        common.path("path", len_min=1),
        _timeout("connect_timeout"),
        _timeout("write_timeout"),
        _timeout("read_timeout"),
        common.TAGS,
        foreign("client_certificate", "certificates", description="Shown to the upstream when TLS asks for one."),
        boolean("tls_verify", description="Whether the upstream's certificate is checked; null: as configured."),
        integer("tls_verify_depth", default=None, between=[0, 64], description="How long a chain may be."),
        array(
            "ca_certificates",
            string(uuid=True, len_min=1, required=True),
            description="Ids of the authorities to trust.",
        ),
        boolean("enabled", default=True, required=True, description="A disabled service takes no part in routing."),
    ),
    checks=(
        _NO_PATH,
        _only_tls("client_certificate"),
        _only_tls("tls_verify"),
        _only_tls("tls_verify_depth"),
        _only_tls("ca_certificates"),
    ),
    shorthands=(Shorthand("url", expand_url),),
    endpoint_key="name",
)
