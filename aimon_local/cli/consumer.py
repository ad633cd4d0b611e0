"""``aimon-local consumer``."""

import click

from aimon_local.cli.entity import Kind, commands

command = commands(
    Kind(
        "consumer",
        "/consumers",
        "username",
        ("username", "custom_id", "tags", "id"),
        (click.option("--custom-id", "custom_id", help="The id that your own system knows it by."),),
    )
)
