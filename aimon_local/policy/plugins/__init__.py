"""The plugins, one small file each: its schema and its rule side by side.

``ORDER`` is the order in which they look at a request: Kong's priorities, high first. This list is the law; the
``priority`` of a plugin is only what ``GET /`` reports.
"""

from collections.abc import Mapping

from aimon_local.model.entities import plugin_schema
from aimon_local.model.schema import Schema
from aimon_local.policy.plugins import (
    acl,
    basic_auth,
    correlation_id,
    cors,
    file_log,
    http_log,
    ip_restriction,
    jwt,
    key_auth,
    prometheus,
    proxy_cache,
    rate_limiting,
    request_size_limiting,
    request_termination,
    request_transformer,
    response_transformer,
)
from aimon_local.policy.rule import PluginType

ORDER: tuple[PluginType, ...] = (
    correlation_id.PLUGIN,
    cors.PLUGIN,
    jwt.PLUGIN,
    key_auth.PLUGIN,
    basic_auth.PLUGIN,
    ip_restriction.PLUGIN,
    request_size_limiting.PLUGIN,
    acl.PLUGIN,
    rate_limiting.PLUGIN,
    request_transformer.PLUGIN,
    response_transformer.PLUGIN,
    proxy_cache.PLUGIN,
    prometheus.PLUGIN,
    http_log.PLUGIN,
    file_log.PLUGIN,
    request_termination.PLUGIN,
)
"""Who looks first."""

BY_NAME: Mapping[str, PluginType] = {each.name: each for each in ORDER}
"""In the same order."""


def _schema(plugin: PluginType) -> Schema:
    return plugin_schema(
        plugin.name,
        plugin.config,
        no_consumer=plugin.no_consumer,
        checks=plugin.checks,
        protocols=plugin.protocols,
        protocols_one_of=plugin.protocols_one_of,
    )


SCHEMAS: Mapping[str, Schema] = {each.name: _schema(each) for each in ORDER}
"""What the Admin API takes of each kind."""
