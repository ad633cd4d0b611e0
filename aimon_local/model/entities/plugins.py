"""Plugins: what all kinds share, and how one kind's schema is put together.

``consumer_group`` is Kong's Enterprise scope: accepted, stored, and shown only where it is set. Names that no schema
knows are refused with Kong's text by the catalog (``unknown_plugin``).
"""

from collections.abc import Sequence
from dataclasses import replace

from aimon_local.model.entities import common
from aimon_local.model.schema import EntityRule, Field, Schema, boolean, foreign, record, set_of, string

HTTP_PROTOCOLS = ("grpc", "grpcs", "http", "https")
SCOPES = ("route", "service", "consumer", "consumer_group")
_ABOUT_PROTOCOLS = "Protocols of requests that the plugin looks at."


def _scope(field: str, kind: str, *, hidden: bool = False) -> Field:
    about = f"Limits the plugin to one of the {kind}."
    made = foreign(field, kind, default=None, on_delete="cascade", description=about)
    return replace(made, hidden=hidden)


def _protocols(default: Sequence[str], element: Field) -> Field:
    return set_of("protocols", element, default=list(default), required=True, description=_ABOUT_PROTOCOLS)


PLUGINS = Schema(
    "plugins",
    (
        common.ID,
        string("name", len_min=1, required=True, description="Which plugin."),
        common.name("instance_name"),
        common.CREATED_AT,
        common.UPDATED_AT,
        _scope("route", "routes"),
        _scope("service", "services"),
        _scope("consumer", "consumers"),
        _scope("consumer_group", "consumer_groups", hidden=True),
        record("config", abstract=True, description="The settings of the plugin."),
        _protocols(HTTP_PROTOCOLS, string(one_of=list(common.PROTOCOLS), description="A protocol.")),
        boolean("enabled", default=True, required=True, description="Whether the plugin works."),
        common.TAGS,
    ),
    endpoint_key="instance_name",
    composite_unique=("name", "route", "service", "consumer", "consumer_group"),
)

_NO_CONSUMER = foreign("consumer", "consumers", eq=None, description="Stays null: the plugin finds the consumer.")


def plugin_schema(
    name: str,
    config: Field,
    *,
    no_consumer: bool = False,
    checks: tuple[EntityRule, ...] = (),
    protocols: Sequence[str] = HTTP_PROTOCOLS,
    protocols_one_of: Sequence[str] | None = None,
) -> Schema:
    """The schema of one kind of plugin: the generic entity with this ``config`` record, its rules and protocols.

    ``no_consumer``: the plugin can't be limited to a consumer (nor a group). ``checks`` name fields as
    ``config.minute``. ``name`` is the plugin's, for messages of the programmer's mistakes only.
    """
    if config.type != "record" or config.name != "config":
        raise ValueError(f"plugin {name}: its config must be a record named 'config'")
    allowed = list(protocols if protocols_one_of is None else protocols_one_of)
    special = {
        "config": replace(config, attrs={"required": True, **config.attrs}),
        "protocols": _protocols(protocols, string(one_of=allowed, len_min=1, required=True)),
    }
    if no_consumer:
        special["consumer"] = _NO_CONSUMER
        group = foreign("consumer_group", "consumer_groups", eq=None)
        special["consumer_group"] = replace(group, hidden=True)
    fields = tuple(special.get(field.name, field) for field in PLUGINS.fields)
    return replace(PLUGINS, fields=fields, checks=checks)


def unknown_plugin(name: str) -> str:
    """Kong's text for a plugin that is not there."""
    return f"plugin '{name}' not enabled; add it to the 'plugins' configuration property"
