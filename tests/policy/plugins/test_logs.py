"""prometheus, file-log, http-log: what they order, and what their schemas take."""

import pytest

from aimon_local.model.entities import plugin_schema
from aimon_local.model.validate import process
from aimon_local.policy.plugins import file_log, http_log, prometheus, proxy_cache
from aimon_local.policy.rule import Outline
from tests.support.calls import NOON, compile_rule, entity, make_call

OUTLINE = Outline(
    status=200, upstream_status=200, started_ns=NOON * 10**9, gateway_us=100, upstream_us=200, total_us=400, bytes_in=10,
    bytes_out=20, upstream=None, request_fields=(), response_fields=(),
)  # fmt: skip


class Ids:
    def uuid(self):
        return "00000000-0000-4000-8000-000000000001"

    def token32(self):
        return "a" * 32


def stored(module, config):
    """The stored config, or the refusal's text."""
    plugin = module.PLUGIN
    schema = plugin_schema(plugin.name, plugin.config, checks=plugin.checks)
    done = process(schema, {"name": plugin.name, "config": config}, mode="insert", now=NOON * 10**9, ids=Ids())
    return done["config"] if isinstance(done, dict) else done.body["message"]


# prometheus ---------------------------------------------------------------------------------------------------------


def ordered(config, **facts):
    return compile_rule(prometheus.PLUGIN, config).log(make_call(**facts), OUTLINE)


def test_prometheus_names_service_and_route_as_kong():
    named = entity(service=entity(name="svc", host="h"), route=entity(name="rt", id="r-1"))
    bare = entity(service=entity(name=None, host="h"), route=entity(name=None, id="r-1"))
    order = ordered({}, match=named)
    assert order.sink == "metrics"
    assert (order.entry["service"], order.entry["route"], order.entry["source"]) == ("svc", "rt", "service")
    order = ordered({}, match=bare)
    assert (order.entry["service"], order.entry["route"]) == ("h", "r-1")


def test_prometheus_tells_consumers_only_where_it_shall():
    bob = entity(username="bob")
    assert ordered({}, consumer=bob).entry["consumer"] == ""
    assert ordered({"per_consumer": True}, consumer=bob).entry["consumer"] == "bob"
    assert ordered({"per_consumer": True}).entry["consumer"] == ""


def test_prometheus_config():
    assert set(stored(prometheus, {}).values()) == {False}
    assert stored(prometheus, {"nope": 1}) == "schema violation (config.nope: unknown field)"
    assert stored(prometheus, {"per_consumer": "x"}) == "schema violation (config.per_consumer: expected a boolean)"


# file-log -----------------------------------------------------------------------------------------------------------


def test_file_log_orders_an_entry_for_its_file():
    rule = compile_rule(
        file_log.PLUGIN, {"path": "/x/log", "reopen": True, "custom_fields_by_lua": {"own": "return 1"}}
    )
    order = rule.log(make_call(), OUTLINE)
    assert (order.sink, order.config) == ("file", {"path": "/x/log", "reopen": True})
    assert order.entry["own"] == 1
    assert order.entry["response"]["status"] == 200


def test_file_log_config():
    assert stored(file_log, {"path": "/x"}) == {"path": "/x", "reopen": False, "custom_fields_by_lua": None}
    assert stored(file_log, {}) == "schema violation (config.path: required field missing)"
    assert stored(file_log, {"path": "a*b"}) == "schema violation (config.path: not a valid filename)"
    assert "can be run here" in stored(file_log, {"path": "/x", "custom_fields_by_lua": {"a": "return kong"}})


# http-log -----------------------------------------------------------------------------------------------------------


def test_http_log_orders_with_its_whole_config():
    rule = compile_rule(http_log.PLUGIN, {"http_endpoint": "http://h/"})
    order = rule.log(make_call(), OUTLINE)
    assert (order.sink, order.config["plugin_id"], order.config["queue"]["max_batch_size"]) == ("http", "plugin-id", 1)
    assert order.entry["client_ip"] == "127.0.0.1"


def test_http_log_defaults():
    config = stored(http_log, {"http_endpoint": "http://h:9/x"})
    assert (config["method"], config["content_type"], config["timeout"]) == ("POST", "application/json", 10000)
    assert config["queue"] == {
        "max_batch_size": 1, "max_coalescing_delay": 1, "max_entries": 10000, "max_bytes": None, "max_retry_time": 60,
        "initial_retry_delay": 0.01, "max_retry_delay": 60, "concurrency_limit": 1,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["nope", "ftp://h/", "http://", "http://h:99999/", "//h/x"])
def test_http_log_needs_a_url(url):
    assert stored(http_log, {"http_endpoint": url}) == "schema violation (config.http_endpoint: missing host in url)"


@pytest.mark.parametrize("name", ["Host", "HOST", "content-length", "Content-TYPE"])
def test_http_log_keeps_its_own_fields(name):
    refusal = stored(http_log, {"http_endpoint": "http://h/", "headers": {name: "x"}})
    assert refusal.startswith("schema violation (config.headers: cannot contain '")


# proxy-cache --------------------------------------------------------------------------------------------------------


def test_proxy_cache_config():
    assert stored(proxy_cache, {"strategy": "memory"}) == {
        "response_code": [200, 301, 404], "request_method": ["GET", "HEAD"], "content_type": ["text/plain", "application/json"],
        "cache_ttl": 300, "strategy": "memory", "cache_control": False, "ignore_uri_case": False, "storage_ttl": None,
        "memory": {"dictionary_name": "kong_db_cache"}, "vary_query_params": None, "vary_headers": None,
        "response_headers": {"age": True, "X-Cache-Status": True, "X-Cache-Key": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "refusal"),
    [
        ({}, "config.strategy: required field missing"),
        ({"strategy": "redis"}, "config.strategy: expected one of: memory"),
        ({"cache_ttl": 0}, "config.cache_ttl: value must be greater than 0"),
        ({"response_code": []}, "config.response_code: length must be at least 1"),
        ({"memory": {"dictionary_name": "nope"}}, "missing shared dict 'nope'"),
    ],
)
def test_proxy_cache_refuses(config, refusal):
    given = {"strategy": "memory", **config} if config else {}
    assert stored(proxy_cache, given) == f"schema violation ({refusal})"
