"""``aimon-local version``."""

import platform

import click

from aimon_local import __version__
from aimon_local.cli.common import json_option, print_json


@click.command(help="Print the version of aimon-local and of the Python that runs it.")
@json_option
def command(as_json: bool) -> None:
    """Print both versions."""
    facts = {"version": __version__, "python": platform.python_version(), "platform": platform.platform()}
    if as_json:
        return print_json(facts)
    click.echo(f"aimon-local {facts['version']} (Python {facts['python']}, {facts['platform']})")
    return None
