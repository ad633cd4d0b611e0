"""``aimon-local top``: a few lines under the prompt that stay up to date: tiers and the last denials, until Ctrl-C.

Plain text and cursor moves, no dashboard: it scrolls nothing away and leaves its last picture behind. Where stdout is
no terminal it prints one picture and ends.
"""

import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from aimon_local.client.admin import DEFAULT_URL, AdminClient

if TYPE_CHECKING:
    from aimon_local.tui.lines import Line
    from aimon_local.tui.seen import Seen

_EVERY = 0.5  # seconds between looks; nothing is written where nothing changed
_WAIT = 5.0  # seconds for a gateway, where there is no terminal to wait on
_DENIALS = 3
_COLOURS = {
    "deny": "31;1",
    "near": "33;1",
    "ok": "34",
    "money": "32",
    "title": "36;1",
    "head": "4",
    "spark": "34",
    "dim": "2",
}


@click.command(help="A small live view of the tiers under the prompt, until Ctrl-C.")
@click.option(
    "--url", "--admin-url", default=DEFAULT_URL, envvar="AIMON_LOCAL_ADMIN", show_default=True, help="The Admin API."
)
@click.option("--token", envvar="AIMON_LOCAL_TOKEN", default=None, help="The admin token, where one is set.")
@click.option("--once", is_flag=True, help="One picture, then end.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain characters.")
def command(url: str, token: str | None, once: bool, ascii_only: bool) -> None:
    """Watch until Ctrl-C."""
    from aimon_local.client.admin import AdminError
    from aimon_local.tui.feed import Feed
    from aimon_local.tui.lines import ASCII, UNICODE
    from aimon_local.tui.seen import Link

    signs = ASCII if ascii_only or "utf" not in (sys.stdout.encoding or "").lower() else UNICODE
    feed = Feed(AdminClient(url, token), Link(url), time.monotonic_ns)
    feed.start()
    pause = threading.Event()
    try:
        if once or not sys.stdout.isatty():
            end = time.monotonic() + _WAIT
            while not feed.link.attached and time.monotonic() < end and not feed.link.why:
                pause.wait(0.02)
            if not feed.link.attached:
                raise AdminError(feed.link.why or f"no gateway answers on {url}", feed.link.hint)
            pause.wait(0.1)  # the tail comes just behind the snapshot
            click.echo("\n".join(picture(feed.seen("1m", signs), 100, colours=False)))
            return
        shown: list[str] = []
        while True:
            width = shutil.get_terminal_size().columns - 1
            made = picture(feed.seen("1m", signs), width, colours=not _no_colour())
            if made != shown:
                back = f"\x1b[{len(shown)}F\x1b[J" if shown else ""
                sys.stdout.write(back + "\n".join(made) + "\n")
                sys.stdout.flush()
                shown = made
            pause.wait(_EVERY)
    except KeyboardInterrupt:
        return
    finally:
        feed.stop()


def _no_colour() -> bool:
    import os

    return bool(os.environ.get("NO_COLOR"))


def picture(seen: "Seen", width: int, colours: bool) -> list[str]:
    """The lines as the terminal gets them."""
    from aimon_local.tui.views import frame, tiers

    made = [frame.status(seen, width)]
    heading, rows = tiers.board(seen, tiers.ordered(seen, "name"), width)
    made += [heading, *rows]
    denied = list(reversed(seen.state.denials))[:_DENIALS]
    if denied:
        made.append(tiers.denials_heading(width, seen.signs))
        made += [tiers.denial(each, width, seen.signs) for each in denied]
    return [_painted(line, colours) for line in made]


def _painted(line: "Line", colours: bool) -> str:
    if not colours:
        return "".join(text for text, _ in line).rstrip()
    return "".join(f"\x1b[{_COLOURS[word]}m{text}\x1b[0m" if word in _COLOURS else text for text, word in line)
