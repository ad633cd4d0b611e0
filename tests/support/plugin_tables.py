"""Configuration tables of some plugins, for tests of the schema language: attributes as Kong has them."""

from aimon_local.model.checks import check_header_name
from aimon_local.model.entities import plugin_schema
from aimon_local.model.schema import (
    EntityRule,
    Field,
    Shorthand,
    array,
    boolean,
    integer,
    number,
    record,
    set_of,
    string,
)

PERIODS = ("second", "minute", "hour", "day", "month", "year")


def _renamed(name, kind, **attrs):
    old = Field(f"redis_{name}", kind, attrs)
    return Shorthand(old.name, lambda value: {"redis": {name: value}}, old, deprecated=True, shown=("redis", name))


RATE_LIMITING = record(
    "config",
    *(number(name, gt=0) for name in PERIODS),
    string("limit_by", default="consumer", one_of=["consumer", "ip"]),
    string("header_name", check=check_header_name),
    string("path"),
    string("policy", default="local", one_of=["local", "redis"]),
    boolean("fault_tolerant", required=True, default=True),
    record(
        "redis",
        string("host"),
        integer("port", default=6379, between=[0, 65535]),
        integer("timeout", default=2000),
        string("username"),
        string("password", len_min=0),
        integer("database", default=0),
        boolean("ssl", default=False),
        boolean("ssl_verify", default=False),
        string("server_name"),
        required=True,
    ),
    boolean("hide_client_headers", required=True, default=False),
    number("error_code", default=429, gt=0),
    string("error_message", default="API rate limit exceeded"),
    number("sync_rate", required=True, default=-1),
    shorthands=(
        _renamed("host", "string"),
        _renamed("port", "integer"),
        _renamed("password", "string", len_min=0),
        _renamed("username", "string"),
        _renamed("ssl", "boolean"),
        _renamed("ssl_verify", "boolean"),
        _renamed("server_name", "string"),
        _renamed("timeout", "integer"),
        _renamed("database", "integer"),
    ),
    required=True,
)

KEY_AUTH = record(
    "config",
    array("key_names", string(check=check_header_name), required=True, default=["apikey"]),
    boolean("hide_credentials", required=True, default=False),
    string("anonymous"),
    boolean("key_in_header", required=True, default=True),
    boolean("key_in_query", required=True, default=True),
    boolean("key_in_body", required=True, default=False),
    boolean("run_on_preflight", required=True, default=True),
    string("realm"),
)

ACL = record(
    "config",
    array("allow", string()),
    array("deny", string()),
    boolean("hide_groups_header", required=True, default=False),
    boolean("always_use_authenticated_groups", required=True, default=False),
)

METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
CORS = record(
    "config",
    array("origins", string()),
    array("headers", string()),
    array("exposed_headers", string()),
    array("methods", string(one_of=METHODS), default=METHODS),
    number("max_age"),
    boolean("credentials", required=True, default=False),
    boolean("private_network", required=True, default=False),
    boolean("preflight_continue", required=True, default=False),
)


def _check_termination(config):
    if config["message"] and (config["content_type"] or config["body"]):
        return "message cannot be used with content_type or body"
    if config["content_type"] and not config["body"]:
        return "content_type requires a body"
    if config["echo"] and (config["content_type"] or config["body"]):
        return "echo cannot be used with content_type and body"
    return None


REQUEST_TERMINATION = record(
    "config",
    integer("status_code", required=True, default=503, between=[100, 599]),
    string("message"),
    string("content_type"),
    string("body"),
    boolean("echo", required=True, default=False),
    string("trigger", check=check_header_name),
    check=_check_termination,
)


def _check_header(value):
    name = value.split(":", 1)[0]
    return f"'{name}' is not a valid header" if check_header_name(name) else None


def _lists(name, *more, header=None, pairs=False):
    match = {"match": "^[^:]+:.*$"} if pairs else {}
    return record(
        name,
        array("body", string(**match), required=True, default=[]),
        array("headers", string(check=header, **match), required=True, default=[]),
        array("querystring", string(**match), required=True, default=[]),
        *more,
        required=True,
    )


REQUEST_TRANSFORMER = record(
    "config",
    string("http_method", match="^%u+$"),
    _lists("remove"),
    _lists("rename", header=_check_header, pairs=True),
    _lists("replace", string("uri"), header=_check_header, pairs=True),
    _lists("add", header=_check_header, pairs=True),
    _lists("append", header=_check_header, pairs=True),
)


def _check_dictionary(entity):
    name = entity["config"]["memory"]["dictionary_name"]
    return None if name == "kong_db_cache" else f"missing shared dict '{name}'"


PROXY_CACHE = record(
    "config",
    array(
        "response_code",
        integer(between=[100, 900]),
        len_min=1,
        required=True,
        default=[200, 301, 404],
    ),
    array("request_method", string(one_of=METHODS), required=True, default=["GET", "HEAD"]),
    array("content_type", string(), required=True, default=["text/plain", "application/json"]),
    integer("cache_ttl", default=300, gt=0),
    string("strategy", one_of=["memory"], required=True),
    boolean("cache_control", required=True, default=False),
    boolean("ignore_uri_case", default=False),
    integer("storage_ttl"),
    record("memory", string("dictionary_name", required=True, default="kong_db_cache"), required=True),
    array("vary_query_params", string()),
    array("vary_headers", string()),
    record(
        "response_headers",
        boolean("age", default=True),
        boolean("X-Cache-Status", default=True),
        boolean("X-Cache-Key", default=True),
        required=True,
    ),
)

CORRELATION_ID = record(
    "config",
    string("header_name", default="Kong-Request-ID"),
    string("generator", required=True, default="uuid#counter", one_of=["uuid", "uuid#counter", "tracker"]),
    boolean("echo_downstream", required=True, default=False),
)

JWT = record("config", set_of("uri_param_names", string(), default=["jwt"]))

PLUGIN_SCHEMAS = {
    "rate-limiting": plugin_schema(
        "rate-limiting",
        RATE_LIMITING,
        checks=(
            EntityRule("at_least_one_of", [f"config.{name}" for name in PERIODS]),
            EntityRule(
                "conditional",
                {
                    "if_field": "config.policy",
                    "if_match": {"eq": "redis"},
                    "then_field": "config.redis.host",
                    "then_match": {"required": True},
                },
            ),
        ),
    ),
    "key-auth": plugin_schema("key-auth", KEY_AUTH, no_consumer=True),
    "acl": plugin_schema(
        "acl",
        ACL,
        checks=(
            EntityRule("only_one_of", ["config.allow", "config.deny"]),
            EntityRule("at_least_one_of", ["config.allow", "config.deny"]),
        ),
    ),
    "cors": plugin_schema("cors", CORS, no_consumer=True),
    "request-termination": plugin_schema("request-termination", REQUEST_TERMINATION),
    "request-transformer": plugin_schema("request-transformer", REQUEST_TRANSFORMER),
    "proxy-cache": plugin_schema(
        "proxy-cache",
        PROXY_CACHE,
        checks=(EntityRule("custom_entity_check", {"field_sources": ["config"]}, _check_dictionary),),
    ),
    "correlation-id": plugin_schema("correlation-id", CORRELATION_ID),
    "jwt": plugin_schema("jwt", JWT, no_consumer=True),
}
