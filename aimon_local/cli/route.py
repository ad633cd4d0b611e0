"""``aimon-local route``."""

from collections.abc import Sequence
from typing import Any

import click

from aimon_local.cli.common import json_option, print_entity, talks_to_gateway
from aimon_local.cli.entity import Kind, commands, parse_settings, set_option
from aimon_local.client.admin import AdminClient, segment

command = commands(Kind("route", "/routes", "name", ("name", "service", "hosts", "paths", "methods", "id")))
del command.commands["create"]  # a route is created under its service


@command.command("create", help="Create a route NAME that leads to SERVICE.")
@click.argument("name")
@click.argument("service")
@click.option("--path", "paths", multiple=True, help="A path prefix, or ~/regex. Repeatable.")
@click.option("--host", "hosts", multiple=True, help="A host name. Repeatable.")
@click.option("--method", "methods", multiple=True, help="A method. Repeatable.")
@set_option
@json_option
@talks_to_gateway
def create(
    admin: AdminClient, name: str, service: str, settings: Sequence[str], as_json: bool, **criteria: Sequence[str]
) -> None:
    """POST /services/SERVICE/routes."""
    body: dict[str, Any] = {"name": name, **{field: list(values) for field, values in criteria.items() if values}}
    created = admin.post(f"/services/{segment(service)}/routes", {**body, **parse_settings(settings)})
    print_entity(created, as_json, ("id", "name"))
