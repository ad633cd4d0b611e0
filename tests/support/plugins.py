"""What log rules see of a request that is over, and a plugin's config as the Admin API would store it."""

from aimon_local.model.entities import plugin_schema
from aimon_local.model.validate import process
from aimon_local.policy.rule import Outline
from tests.support.calls import NOON

OUTLINE = Outline(
    status=200, upstream_status=200, started_ns=NOON * 10**9, gateway_us=100, upstream_us=200, total_us=400, bytes_in=10,
    bytes_out=20, upstream=None, request_fields=(), response_fields=(),
)  # fmt: skip


class Ids:
    """Fresh names that are not fresh."""

    def uuid(self):
        return "00000000-0000-4000-8000-000000000001"

    def token32(self):
        return "a" * 32


def stored(plugin, config):
    """The stored config, or the refusal's text."""
    schema = plugin_schema(plugin.name, plugin.config, checks=plugin.checks)
    done = process(schema, {"name": plugin.name, "config": config}, mode="insert", now=NOON * 10**9, ids=Ids())
    return done["config"] if isinstance(done, dict) else done.body["message"]
