"""file-log: what it orders, and what its schema takes."""

from aimon_local.policy.plugins.file_log import PLUGIN
from tests.support.calls import compile_rule, make_call
from tests.support.plugins import OUTLINE, stored


def test_file_log_orders_an_entry_for_its_file():
    rule = compile_rule(PLUGIN, {"path": "/x/log", "reopen": True, "custom_fields_by_lua": {"own": "return 1"}})
    order = rule.log(make_call(), OUTLINE)
    assert (order.sink, order.config) == ("file", {"path": "/x/log", "reopen": True})
    assert order.entry["own"] == 1
    assert order.entry["response"]["status"] == 200


def test_file_log_config():
    assert stored(PLUGIN, {"path": "/x"}) == {"path": "/x", "reopen": False, "custom_fields_by_lua": None}
    assert stored(PLUGIN, {}) == "schema violation (config.path: required field missing)"
    assert stored(PLUGIN, {"path": "a*b"}) == "schema violation (config.path: not a valid filename)"
    assert "can be run here" in stored(PLUGIN, {"path": "/x", "custom_fields_by_lua": {"a": "return kong"}})
