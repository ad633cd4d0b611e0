"""``aimon-local export``: what this gateway holds, for bigger systems. One sub-command per way out.

To add one: a module with a click command ``command``, and a line in ``WAYS``.
"""

import importlib

import click

# name: (module, short help). The help stands here so that the list imports none of them.
WAYS = {
    "kong": ("export_kong", "A declarative configuration for a real Kong (decK)."),
    "usage": ("export_usage", "The ledger's rows: CloudEvents, OpenMeter, FOCUS, CSV."),
}


class _Ways(click.Group):
    """Sub-commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(WAYS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in WAYS:
            return None
        found: click.Command = importlib.import_module(f"aimon_local.cli.{WAYS[cmd_name][0]}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of ways."""
        with formatter.section("Ways out"):
            formatter.write_dl([(name, about) for name, (_, about) in WAYS.items()])


command = _Ways(name="export", help="Write what this gateway holds for bigger systems.")
