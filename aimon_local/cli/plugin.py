"""``aimon-local plugin``."""

from collections.abc import Sequence
from typing import Any

import click

from aimon_local.cli.common import existing, json_option, print_entity, print_rows, say_done, talks_to_gateway
from aimon_local.cli.entity import parse_settings, set_option
from aimon_local.client.admin import AdminClient, segment


@click.group(help="Add, list, change and remove plugins.")
def command() -> None:
    """Hold the commands."""


@command.command("add", help="Add the plugin NAME; without a scope it is global. --set minute=5 sets config.minute.")
@click.argument("name")
@click.option("--service", help="Only on this service.")
@click.option("--route", help="Only on this route.")
@click.option("--consumer", help="Only for this consumer.")
@click.option("--group", help="Only for this consumer group.")
@set_option
@json_option
@talks_to_gateway
def add(admin: AdminClient, name: str, settings: Sequence[str], as_json: bool, **scope: str | None) -> None:
    """POST /plugins."""
    keys = {"service": "name", "route": "name", "consumer": "username", "group": "name"}
    body: dict[str, Any] = {"name": name, "config": parse_settings(settings)}
    for field, value in scope.items():
        if value is not None:
            body["consumer_group" if field == "group" else field] = {keys[field]: value}
    print_entity(admin.post("/plugins", body), as_json, ("id", "name"))


@command.command("list", help="List the plugins, with where each acts.")
@json_option
@talks_to_gateway
def list_all(admin: AdminClient, as_json: bool) -> None:
    """GET /plugins."""
    columns = ("name", "instance_name", "service", "route", "consumer", "consumer_group", "enabled", "id")
    print_rows(admin.pages("/plugins"), columns, as_json)


@command.command("show", help="Show one plugin, by id or instance name.")
@click.argument("plugin")
@json_option
@talks_to_gateway
def show(admin: AdminClient, plugin: str, as_json: bool) -> None:
    """GET /plugins/PLUGIN."""
    print_entity(existing(admin, "plugin", plugin, f"/plugins/{segment(plugin)}"), as_json, ("id", "name"))


@command.command("set", help="Change the configuration of a plugin: --set minute=10.")
@click.argument("plugin")
@set_option
@click.option("--enable/--disable", "enabled", default=None, help="Switch it on or off.")
@json_option
@talks_to_gateway
def change(admin: AdminClient, plugin: str, settings: Sequence[str], enabled: bool | None, as_json: bool) -> None:
    """PATCH /plugins/PLUGIN."""
    body: dict[str, Any] = {}
    if settings:
        body["config"] = parse_settings(settings)
    if enabled is not None:
        body["enabled"] = enabled
    if not body:
        raise click.UsageError("nothing to change: give --set field=value, --enable or --disable")
    print_entity(admin.patch(f"/plugins/{segment(plugin)}", body), as_json, ("id", "name"))


@command.command("remove", help="Remove a plugin, by id or instance name.")
@click.argument("plugin")
@json_option
@talks_to_gateway
def remove(admin: AdminClient, plugin: str, as_json: bool) -> None:
    """DELETE /plugins/PLUGIN."""
    existing(admin, "plugin", plugin, f"/plugins/{segment(plugin)}")
    admin.delete(f"/plugins/{segment(plugin)}")
    say_done("plugin", plugin, "removed", as_json)
