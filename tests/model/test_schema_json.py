import json

from aimon_local.model.entities import SCHEMAS, plugin_schema
from aimon_local.model.schema import EntityRule, record, string
from aimon_local.model.schema_json import config_schema, entity_schema, plugin_schema_json
from tests.support.plugin_tables import PLUGIN_SCHEMAS


def names(body):
    return [next(iter(field)) for field in body["fields"]]


def test_every_table_is_json():
    for schema in SCHEMAS.values():
        json.dumps(entity_schema(schema))
    for schema in PLUGIN_SCHEMAS.values():
        json.dumps(plugin_schema_json(schema))


def test_hidden_fields_stay_out():
    assert "ttl" not in names(entity_schema(SCHEMAS["keyauth_credentials"]))
    assert "consumer_group" not in names(entity_schema(SCHEMAS["plugins"]))


def test_a_plugin_shows_what_is_its_own():
    assert names(plugin_schema_json(PLUGIN_SCHEMAS["cors"])) == ["consumer", "protocols", "config"]
    consumer = plugin_schema_json(PLUGIN_SCHEMAS["cors"])["fields"][0]["consumer"]
    assert consumer["eq"] is None
    acl = plugin_schema_json(PLUGIN_SCHEMAS["acl"])
    assert names(acl) == ["protocols", "config"]
    assert acl["entity_checks"][0] == {"only_one_of": ["config.allow", "config.deny"]}


def test_protocols_are_those_of_the_plugin():
    config = record("config", string("a"))
    schema = plugin_schema("x", config, protocols=("http",), protocols_one_of=("http", "tcp"))
    protocols = plugin_schema_json(schema)["fields"][0]["protocols"]
    assert (protocols["default"], protocols["elements"]["one_of"]) == (["http"], ["http", "tcp"])


def test_the_deprecated_rendering_is_the_config_alone():
    assert names(config_schema(PLUGIN_SCHEMAS["correlation-id"])) == ["header_name", "generator", "echo_downstream"]


def test_rules_and_old_names_of_records_are_rendered():
    config = record("config", string("a"), string("b"), checks=(EntityRule("distinct", ["a", "b"]),))
    rendered = plugin_schema_json(plugin_schema("x", config))["fields"][-1]["config"]
    assert rendered["entity_checks"] == [{"distinct": ["a", "b"]}]
    limits = plugin_schema_json(PLUGIN_SCHEMAS["rate-limiting"])["fields"][-1]["config"]
    assert {"redis_port": {"type": "integer"}} in limits["shorthand_fields"]
