"""``/schemas/*``: the tables that judge entities, printed; and a judgement without a write."""

from collections.abc import Callable
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Handler, Reply, json_reply, message, refused
from aimon_local.gateway.admin.entities import typed
from aimon_local.model.schema import Schema
from aimon_local.model.schema_json import config_schema, entity_schema, plugin_schema_json
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation


def entity(ask: Ask) -> Reply:
    """GET /schemas/{name}."""
    schema = _schema(ask, ask.params["name"])
    return schema if isinstance(schema, Reply) else json_reply(200, entity_schema(schema))


def plugin(render: Callable[[Schema], dict[str, Any]]) -> Handler:
    """GET of a plugin's schema, whole or its config alone."""

    def handler(ask: Ask) -> Reply:
        name = ask.params["name"]
        schema = ask.context.catalog.plugin_schemas.get(name)
        return message(404, f"No plugin named '{name}'") if schema is None else json_reply(200, render(schema))

    return handler


whole_plugin = plugin(plugin_schema_json)
plugin_config = plugin(config_schema)


def validate(ask: Ask) -> Reply:
    """POST /schemas/{db_entity_name}/validate: would this be a good entity? References are not looked up (Kong)."""
    kind = ask.params.get("db_entity_name", "plugins")
    schema = _schema(ask, kind)
    if isinstance(schema, Reply):
        return schema
    data, context = typed(ask, kind), ask.context
    if isinstance(data, Violation):
        return refused(data)
    special = context.catalog.schema_for(kind, data.get("name"))
    if isinstance(special, Violation):
        return refused(special)
    made = process(special, data, mode="insert", now=context.now(), ids=context.ids, schemas=context.catalog.schemas)
    return refused(made) if isinstance(made, Violation) else message(200, "schema validation successful")


def _schema(ask: Ask, name: str) -> Schema | Reply:
    schema = ask.context.catalog.schemas.get(name)
    return message(404, f"No entity named '{name}'") if schema is None or not schema.in_admin else schema
