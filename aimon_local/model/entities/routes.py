"""Routes: which requests a service gets. What must be set depends on the protocols, so they pick a variant."""

from dataclasses import replace
from typing import Any

from aimon_local.model.address import check_ip_or_cidr, check_route_host, check_wildcard_host
from aimon_local.model.checks import check_route_path
from aimon_local.model.entities import common
from aimon_local.model.schema import (
    EntityRule,
    Field,
    Schema,
    Variant,
    array,
    boolean,
    foreign,
    integer,
    map_of,
    record,
    set_of,
    string,
)


def _peers(name: str) -> Field:
    element = record(
        "",
        string("ip", check=check_ip_or_cidr, description="An IP address or a block of them."),
        integer("port", between=[0, 65535], description="A port."),
        checks=(EntityRule("at_least_one_of", ["ip", "port"]),),
    )
    return set_of(name, element, description=f"Which {name} of a stream match, by ip or port.")


_METHODS = set_of(
    "methods",
    string(match="^%u+$", len_min=1, required=True, description="An HTTP method, upper case."),
    description="HTTP methods that match.",
)
_HOSTS = array(
    "hosts",
    string(
        check=check_route_host,
        len_min=1,
        required=True,
        match_all=[{"pattern": "^[^*]*%*?[^*]*$", "err": "invalid wildcard: must have at most one wildcard"}],
        match_any={
            "patterns": ["^%*%.", "%.%*$", "^[^*]*$"],
            "err": "invalid wildcard: must be placed at leftmost or rightmost label",
        },
    ),
    description="Host names that match; one label may be a wildcard.",
)
_PATHS = array(
    "paths",
    string(
        check=check_route_path,
        len_min=1,
        required=True,
        match_any={
            "patterns": ["^/", "^~/"],
            "err": "should start with: / (fixed path) or ~/ (regex path)",
        },
        match_none=common.NO_EMPTY_SEGMENTS,
        description="A prefix, or ~ and a regular expression.",
    ),
    description="Paths that match.",
)
_HEADERS = map_of(
    "headers",
    common.header_name(
        len_min=1,
        required=True,
        match_none=[
            {
                "pattern": "^[Hh][Oo][Ss][Tt]$",
                "err": "cannot contain 'host' header, which must be specified in the 'hosts' attribute",
            }
        ],
    ),
    array("", string(len_min=1, required=True), required=True),
    description="Headers that match, by name.",
)
_SOURCES, _DESTINATIONS = _peers("sources"), _peers("destinations")
_STRIP_PATH = boolean(
    "strip_path", default=True, required=True, description="Whether the matched prefix stays out of the upstream path."
)


def _forbidden(field: Field, protocols: str) -> Field:
    """The field as a variant has it in which it must stay null."""
    attrs = {**field.attrs, "eq": None, "err": f"cannot set '{field.name}' when 'protocols' is {protocols}"}
    return replace(field, attrs=attrs)


def _needs(protocol: str, *names: str) -> dict[str, Any]:
    """Encrypted kinds of ``protocol`` may be told apart by SNI as well."""
    secure = f"{protocol}s"
    return {
        "if_field": "protocols",
        "if_match": {"contains": secure},
        "then_at_least_one_of": [*names, "snis"],
        "then_err": f"must set one of %s when 'protocols' is '{secure}'",
        "else_match": {"contains": protocol},
        "else_then_at_least_one_of": list(names),
        "else_then_err": f"must set one of %s when 'protocols' is '{protocol}'",
    }


_WEB = "'http' or 'https'"
_GRPC = "'grpc' or 'grpcs'"
_STREAM = "'tcp', 'tls', 'tls_passthrough' or 'udp'"

_HTTP_VARIANT = Variant(
    (_forbidden(_SOURCES, _WEB), _forbidden(_DESTINATIONS, _WEB)),
    (EntityRule("conditional_at_least_one_of", _needs("http", "methods", "hosts", "headers", "paths")),),
)
_GRPC_STRIP = {
    **_STRIP_PATH.attrs,
    "default": False,
    "ne": True,
    "err": f"cannot set 'strip_path' when 'protocols' is {_GRPC}",
}
_GRPC_VARIANT = Variant(
    (
        replace(_STRIP_PATH, attrs=_GRPC_STRIP),
        _forbidden(_METHODS, _GRPC),
        _forbidden(_SOURCES, _GRPC),
        _forbidden(_DESTINATIONS, _GRPC),
    ),
    (EntityRule("conditional_at_least_one_of", _needs("grpc", "hosts", "headers", "paths")),),
)
_STREAM_VARIANT = Variant(
    tuple(_forbidden(field, _STREAM) for field in (_METHODS, _HOSTS, _PATHS, _HEADERS)),
    (
        EntityRule(
            "conditional_at_least_one_of",
            {
                "if_field": "protocols",
                "if_match": {"elements": {"type": "string", "one_of": ["tcp", "tls", "udp"]}},
                "then_at_least_one_of": ["sources", "destinations", "snis"],
                "then_err": "must set one of %s when 'protocols' is 'tcp', 'tls' or 'udp'",
            },
        ),
        EntityRule(
            "conditional_at_least_one_of",
            {
                "if_field": "protocols",
                "if_match": {"elements": {"type": "string", "one_of": ["tls_passthrough"]}},
                "then_at_least_one_of": ["snis"],
                "then_err": "must set snis when 'protocols' is 'tls_passthrough'",
            },
        ),
    ),
)

_SNIS_NEED_TLS = EntityRule(
    "conditional",
    {
        "if_field": "protocols",
        "if_match": {
            "elements": {
                "type": "string",
                "not_one_of": ["grpcs", "https", "tls", "tls_passthrough"],
                "len_min": 1,
                "required": True,
            }
        },
        "then_field": "snis",
        "then_match": {"len_eq": 0},
        "then_err": "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
    },
)
# Two rules of Kong's that warn or compile router expressions; rendered, with nothing left to check here.
_RENDERED_ONLY = (
    EntityRule("custom_entity_check", {"field_sources": ["path_handling"]}),
    EntityRule(
        "custom_entity_check",
        {
            "run_with_missing_fields": True,
            "field_sources": [
                *("id", "protocols", "snis", "sources", "destinations", "methods", "hosts", "paths", "headers"),
                *("expression", "regex_priority", "priority"),
            ],
        },
    ),
)

ROUTES = Schema(
    "routes",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        common.name(),
        set_of(
            "protocols",
            string(one_of=list(common.PROTOCOLS), len_min=1, required=True, description="A protocol."),
            default=["http", "https"],
            len_min=1,
            required=True,
            mutually_exclusive_subsets=[
                ["http", "https"],
                ["tcp", "tls", "udp"],
                ["tls_passthrough"],
                ["grpc", "grpcs"],
            ],
            description="Protocols that the route serves.",
        ),
        integer(
            "https_redirect_status_code",
            default=426,
            one_of=[426, 301, 302, 307, 308],
            required=True,
            description="The answer to plain HTTP where the route is for HTTPS alone.",
        ),
        _STRIP_PATH,
        boolean("preserve_host", default=False, required=True, description="Whether the client's Host goes upstream."),
        boolean("request_buffering", default=True, required=True, description="Whether request bodies are gathered."),
        boolean("response_buffering", default=True, required=True, description="Whether answers are gathered."),
        common.TAGS,
        foreign("service", "services", description="Where matching requests go."),
        set_of(
            "snis",
            string(check=check_wildcard_host, len_min=1, required=True, description="A TLS server name."),
            description="TLS server names that match.",
        ),
        _SOURCES,
        _DESTINATIONS,
        _METHODS,
        _HOSTS,
        _PATHS,
        _HEADERS,
        integer("regex_priority", default=0, description="Which regular expression is tried first: the higher."),
        string("path_handling", default="v0", one_of=["v0", "v1"], len_min=1, description="How paths are joined."),
    ),
    checks=(_SNIS_NEED_TLS, *_RENDERED_ONLY),
    endpoint_key="name",
    variant_key="protocols",
    variants={
        "http": _HTTP_VARIANT,
        "https": _HTTP_VARIANT,
        "grpc": _GRPC_VARIANT,
        "grpcs": _GRPC_VARIANT,
        "tcp": _STREAM_VARIANT,
        "tls": _STREAM_VARIANT,
        "tls_passthrough": _STREAM_VARIANT,
        "udp": _STREAM_VARIANT,
    },
)
