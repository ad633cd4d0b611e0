"""Upstreams and their targets. The order of fields is that of Kong's own listing."""

from typing import Any

from aimon_local.model.address import check_sni, check_target, check_upstream_name
from aimon_local.model.entities import common
from aimon_local.model.schema import (
    EntityRule,
    Field,
    Schema,
    array,
    boolean,
    foreign,
    integer,
    map_of,
    number,
    record,
    string,
)

_PASSIVE_GOOD = [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308]
_ACTIVE_BAD = [429, 404, 500, 501, 502, 503, 504, 505]
_HASHES = ["none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"]
_PROBES = ["tcp", "http", "https", "grpc", "grpcs"]


def _statuses(default: list[int]) -> Field:
    return array("http_statuses", integer(between=[100, 999]), default=default)


def _count(name: str) -> Field:
    return integer(name, default=0, between=[0, 255])


def _interval() -> Field:
    return number("interval", default=0, between=[0, 65535])


def _with_defaults(name: str, *fields: Field) -> Field:
    """A required record whose rendered default is that of its fields."""
    default = {field.name: field.attrs["default"] for field in fields if field.attrs.get("default") is not None}
    return record(name, *fields, default=default, required=True)


_PASSIVE = _with_defaults(
    "passive",
    _with_defaults("healthy", _statuses(_PASSIVE_GOOD), _count("successes")),
    _with_defaults(
        "unhealthy", _count("timeouts"), _count("tcp_failures"), _statuses([429, 500, 503]), _count("http_failures")
    ),
    string("type", default="http", one_of=_PROBES),
)
_ACTIVE = _with_defaults(
    "active",
    _with_defaults("healthy", _count("successes"), _interval(), _statuses([200, 302])),
    _with_defaults(
        "unhealthy",
        _count("tcp_failures"),
        _count("timeouts"),
        _count("http_failures"),
        _statuses(_ACTIVE_BAD),
        _interval(),
    ),
    number("timeout", default=1, between=[0, 65535]),
    integer("concurrency", default=10, between=[1, 2147483648]),
    map_of(
        "headers",
        common.header_name(len_min=1),
        array("", string()),
        required=False,
        description="Headers of a probe.",
    ),
    string("https_sni", check=check_sni, required=False, description="The TLS server name of a probe."),
    string("type", default="http", one_of=_PROBES),
    boolean("https_verify_certificate", default=True, required=True),
    common.path("http_path", default="/"),
)
_HEALTHCHECKS = record(
    "healthchecks",
    _PASSIVE,
    _ACTIVE,
    number("threshold", default=0, between=[0, 100]),
    default={field.name: field.attrs["default"] for field in (_PASSIVE, _ACTIVE)},
    required=True,
    description="How targets are found to be up or down.",
)


def _when(field: str, value: str, then: str, **match: Any) -> EntityRule:
    body = {"if_field": field, "if_match": {"match": f"^{value}$"}, "then_field": then, "then_match": match}
    return EntityRule("conditional", body)


def _fallbacks(hash_on: str, *allowed: str) -> EntityRule:
    return _when("hash_on", hash_on, "hash_fallback", one_of=["none", *allowed])


def _pair(kind: str) -> tuple[EntityRule, EntityRule, EntityRule]:
    return (
        _when("hash_on", kind, f"hash_on_{kind}", required=True),
        _when("hash_fallback", kind, f"hash_fallback_{kind}", required=True),
        EntityRule("distinct", [f"hash_on_{kind}", f"hash_fallback_{kind}"]),
    )


_CHECKS = (
    *_pair("header")[:2],
    _when("hash_on", "cookie", "hash_on_cookie", required=True),
    _when("hash_fallback", "cookie", "hash_on_cookie", required=True),
    _fallbacks("none"),
    _fallbacks("cookie"),
    _fallbacks("consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"),
    _fallbacks("ip", "consumer", "header", "cookie", "path", "query_arg", "uri_capture"),
    _fallbacks("path", "consumer", "header", "cookie", "query_arg", "ip", "uri_capture"),
    _pair("header")[2],
    *_pair("query_arg"),
    *_pair("uri_capture"),
)

UPSTREAMS = Schema(
    "upstreams",
    (
        common.ID,
        common.CREATED_AT,
        string(
            "name",
            check=check_upstream_name,
            unique=True,
            len_min=1,
            required=True,
            description="A host name; services use it as theirs.",
        ),
        common.UPDATED_AT,
        string(
            "algorithm",
            default="round-robin",
            one_of=["consistent-hashing", "least-connections", "round-robin", "latency"],
            len_min=1,
            description="How a target is chosen.",
        ),
        string("hash_on", default="none", one_of=_HASHES, len_min=1),
        string("hash_fallback", default="none", one_of=_HASHES, len_min=1),
        common.header_name("hash_on_header", len_min=1),
        common.header_name("hash_fallback_header", len_min=1),
        string("hash_on_cookie", description="The cookie to hash."),
        common.path("hash_on_cookie_path", default="/", len_min=1),
        string("hash_on_query_arg", len_min=1),
        string("hash_fallback_query_arg", len_min=1),
        string("hash_on_uri_capture", len_min=1),
        string("hash_fallback_uri_capture", len_min=1),
        integer("slots", default=10000, between=[10, 65536], description="Places on the ring."),
        _HEALTHCHECKS,
        common.BARE_TAGS,
        string("host_header", len_min=1, description="The Host that goes upstream."),
        foreign("client_certificate", "certificates", description="Shown to targets when TLS asks for one."),
        boolean("use_srv_name", default=False, description="Whether the SRV record's name becomes the Host."),
    ),
    checks=_CHECKS,
    endpoint_key="name",
)

TARGETS = Schema(
    "targets",
    (
        common.ID,
        common.CREATED_AT_MS,
        common.UPDATED_AT_MS,
        foreign("upstream", "upstreams", required=True, on_delete="cascade", description="Whose target it is."),
        string("target", check=check_target, len_min=1, required=True, description="host:port"),
        integer("weight", default=100, between=[0, 65535], description="Its share of the requests."),
        common.TAGS,
    ),
    endpoint_key="target",
    composite_unique=("upstream", "target"),
)
