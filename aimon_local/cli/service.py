"""``aimon-local service``."""

import click

from aimon_local.cli.entity import Kind, commands

command = commands(
    Kind(
        "service",
        "/services",
        "name",
        ("name", "protocol", "host", "port", "path", "enabled", "id"),
        (click.option("--url", "url", required=True, help="Where it leads: http://host:port/path."),),
    )
)
