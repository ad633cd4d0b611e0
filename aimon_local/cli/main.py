"""The command line: one group, whose commands are imported when they are asked for.

stdout is data, stderr is talk; ``--json`` on everything that lists. Exit codes: 0 done, 1 it failed (the message says
what, where and what to do), 2 the command line itself is wrong.

To add a command: a line in ``COMMANDS`` (name → module, short help) and a module with a click command ``command``.
"""

import importlib

import click

from aimon_local import __version__
from aimon_local.errors import AimonError

# name: (module, short help). The help stands here so that the list of commands imports none of them.
COMMANDS = {
    "up": ("up", "Start the gateway: proxy, Admin API and built-in upstream."),
    "tui": ("tui", "The dashboard, attached to a running gateway."),
    "top": ("top", "A small live view of the tiers under the prompt."),
    "agent": ("agent", "Create, list, show and revoke agents; tokens, runs."),
    "consumer": ("consumer", "Create, list, show and delete consumers."),
    "key": ("key", "Create, list, rotate, revoke and expire API keys."),
    "service": ("service", "Create, list, show and delete services."),
    "route": ("route", "Create, list, show and delete routes."),
    "plugin": ("plugin", "Add, list, change and remove plugins."),
    "tier": ("tier", "Define and assign tiers: limits, price plans, prices."),
    "usage": ("usage", "Show what consumers used."),
    "spend": ("spend", "Show the tokens and the money of AI calls."),
    "insights": ("insights", "Answer questions of the business from the ledger."),
    "bill": ("bill", "Show what a consumer owes for a month."),
    "what-if": ("what_if", "Show the recorded traffic under other tiers and prices."),
    "reprice": ("reprice", "Correct what calls cost and brought by the prices of now."),
    "requests": ("requests", "List and show requests from the ledger."),
    "explain": ("explain", "Explain what became of a request, and why."),
    "check": ("check", "Ask whether a call would be admitted; spend nothing."),
    "events": ("events", "Show what happens, as it happens."),
    "guards": ("guards", "List whom behaviour guards have spoken to; pardon one."),
    "approvals": ("approvals", "List, show and deny what soft limits ask."),
    "approve": ("approve", "Grant head-room on a soft limit that has asked."),
    "alerts": ("alerts", "List whose limits are nearly used up."),
    "clock": ("clock", "Show the gateway's clock; freeze, advance, jump or speed it."),
    "audit": ("audit", "Show who wrote what, when, and how it was before."),
    "run": ("run", "Play scripts of traffic, and judge what came of them."),
    "record": ("record", "Write what went through the gateway as a script to replay."),
    "verify": ("verify", "Recount the ledger: does it all add up?"),
    "lab": ("lab", "Lessons that the gateway watches, step by step."),
    "export": ("export", "Write what this gateway holds for bigger systems."),
    "import": ("import_", "Take over what a bigger system holds."),
    "doctor": ("doctor", "Check this machine, the data directory and the running gateway."),
    "version": ("version", "Print the version."),
}


class _Commands(click.Group):
    """A group that imports a command's module only when that command runs or shows its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = importlib.import_module(f"aimon_local.cli.{found[0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AimonError as fault:
            click.echo(f"error: {fault}", err=True)
            if fault.hint:
                click.echo(f"hint:  {fault.hint}", err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="aimon-local", message="%(prog)s %(version)s")
def main() -> None:
    """aimon-local: the AI-API monetization control plane on a laptop, in one process."""
