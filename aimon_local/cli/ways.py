"""A command with a list of sub-commands, each of which is imported when it is asked for."""

import importlib
from collections.abc import Mapping

import click


class Ways(click.Group):
    """``ways``: name → (module, short help). The help stands there so that the list imports none of them."""

    def __init__(self, name: str, help: str, ways: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(name=name, help=help)
        self._ways = ways

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self._ways)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in self._ways:
            return None
        found: click.Command = importlib.import_module(f"aimon_local.cli.{self._ways[cmd_name][0]}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self._ways.items()])
