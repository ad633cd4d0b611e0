"""http-log: what it orders, and what its schema takes."""

import pytest

from aimon_local.policy.plugins.http_log import PLUGIN
from tests.support.calls import compile_rule, make_call
from tests.support.plugins import OUTLINE, stored


def test_http_log_orders_with_its_whole_config():
    rule = compile_rule(PLUGIN, {"http_endpoint": "http://h/"})
    order = rule.log(make_call(), OUTLINE)
    assert (order.sink, order.config["plugin_id"], order.config["queue"]["max_batch_size"]) == ("http", "plugin-id", 1)
    assert order.entry["client_ip"] == "127.0.0.1"


def test_http_log_defaults():
    config = stored(PLUGIN, {"http_endpoint": "http://h:9/x"})
    assert (config["method"], config["content_type"], config["timeout"]) == ("POST", "application/json", 10000)
    assert config["queue"] == {
        "max_batch_size": 1, "max_coalescing_delay": 1, "max_entries": 10000, "max_bytes": None, "max_retry_time": 60,
        "initial_retry_delay": 0.01, "max_retry_delay": 60, "concurrency_limit": 1,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["nope", "ftp://h/", "http://", "http://h:99999/", "//h/x"])
def test_http_log_needs_a_url(url):
    assert stored(PLUGIN, {"http_endpoint": url}) == "schema violation (config.http_endpoint: missing host in url)"


@pytest.mark.parametrize("name", ["Host", "HOST", "content-length", "Content-TYPE"])
def test_http_log_keeps_its_own_fields(name):
    refusal = stored(PLUGIN, {"http_endpoint": "http://h/", "headers": {name: "x"}})
    assert refusal.startswith("schema violation (config.headers: cannot contain '")


@pytest.mark.parametrize("url", ["http://user:secret@h/", "http://user@h/"])
def test_http_log_takes_one_set_of_credentials(url):
    assert stored(PLUGIN, {"http_endpoint": url, "headers": {"authorization": "x"}}) == (
        "schema violation (config: specifying both an 'Authorization' header and user info in 'http_endpoint' "
        "is not allowed)"
    )
    assert stored(PLUGIN, {"http_endpoint": url, "headers": {"x-authorization": "x"}})["http_endpoint"] == url
    assert stored(PLUGIN, {"http_endpoint": "http://h/", "headers": {"Authorization": "x"}})["headers"]
