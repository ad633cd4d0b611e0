import pytest

from aimon_local.model.entities.plugins import plugin_schema, unknown_plugin
from aimon_local.model.schema import record, string
from aimon_local.model.validate import process
from tests.support.admin_stories import NOW, CountingIds

CONFIG = record("config", string("a", default="x"))


def make(schema, **data):
    return process(schema, {"name": "p", **data}, mode="insert", now=NOW, ids=CountingIds())


def test_the_config_is_required_and_filled():
    schema = plugin_schema("p", CONFIG)
    assert make(schema)["config"] == {"a": "x"}
    assert make(schema, config=None).body["fields"] == {"config": "required field missing"}


def test_protocols_are_limited_to_those_of_the_plugin():
    schema = plugin_schema("p", CONFIG, protocols=("http", "tcp"))
    assert make(schema)["protocols"] == ["http", "tcp"]
    assert make(schema, protocols=["udp"]).body["fields"] == {"protocols": ["expected one of: http, tcp"]}
    wider = plugin_schema("p", CONFIG, protocols=("http",), protocols_one_of=("http", "udp"))
    assert make(wider, protocols=["udp"])["protocols"] == ["udp"]
    assert make(wider, protocols=[])["protocols"] == []


def test_a_config_must_be_a_record_of_that_name():
    with pytest.raises(ValueError, match="plugin p"):
        plugin_schema("p", record("settings"))


def test_unknown_names():
    assert unknown_plugin("x") == "plugin 'x' not enabled; add it to the 'plugins' configuration property"
