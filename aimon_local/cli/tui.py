"""``aimon-local tui``: the dashboard, attached to a gateway that runs already."""

import time
from pathlib import Path

import click

from aimon_local.client.admin import DEFAULT_URL, AdminClient
from aimon_local.errors import AimonError


@click.command(help="The dashboard: attach to a running gateway. It waits for one that is not there yet.")
@click.option(
    "--url", "--admin-url", default=DEFAULT_URL, envvar="AIMON_LOCAL_ADMIN", show_default=True, help="The Admin API."
)
@click.option("--proxy", default="http://127.0.0.1:8000", show_default=True, help="The proxy, for curl lines.")
@click.option("--token", envvar="AIMON_LOCAL_TOKEN", default=None, help="The admin token, where one is set.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain characters, for fonts and terminals without others.")
def command(url: str, proxy: str, token: str | None, ascii_only: bool) -> None:
    """Run it until it is left."""
    run(url, proxy, token, ascii_only)


def run(
    url: str, proxy: str, token: str | None, ascii_only: bool = False, *, key: str = "", owns: bool = False
) -> str | None:
    """The dashboard on this terminal; what it was left with."""
    import sys

    from aimon_local.tui.app import Dashboard
    from aimon_local.tui.feed import Feed
    from aimon_local.tui.seen import Link

    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise AimonError("the dashboard needs a terminal", "without one: aimon-local usage, requests, events")
    address = url if "//" in url else f"http://{url}"
    admin = AdminClient(url, token)
    feed = Feed(AdminClient(url, token), Link(address, proxy, key=key), time.monotonic_ns)
    return Dashboard(admin, feed, ascii_only=ascii_only, owns=owns, folder=Path.cwd(), token=token).run()
