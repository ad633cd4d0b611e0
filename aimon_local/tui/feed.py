"""From the stream to the state: folds on the stream's own thread, so a burst never holds the keys up.

The state is a value that is swapped in one step; whoever paints takes what is there. Freezing stops the painting, not
the folding. It also knows the gateway's time: what the gateway said last, and what has gone by here since.
"""

from collections.abc import Callable
from dataclasses import replace

from aimon_local.client.admin import AdminClient
from aimon_local.client.stream import Attached, Item, Lost, Stream
from aimon_local.tui.fold import begin, fold
from aimon_local.tui.lines import UNICODE, Signs
from aimon_local.tui.seen import Link, Seen
from aimon_local.tui.state import State


class Feed:
    """One gateway, watched. ``mono``: nanoseconds of a clock that only goes on."""

    def __init__(self, admin: AdminClient, link: Link, mono: Callable[[], int]) -> None:
        self._stream = Stream(admin, self.take)
        self._mono = mono
        self.state, self.link = State(), link
        self.version = 0  # goes up with each change
        self._told_ns = self._told_at = 0
        self._writes = 0

    def start(self) -> None:
        """Attach."""
        self._stream.start()

    def stop(self) -> None:
        """Let go."""
        self._stream.stop()

    def refresh(self) -> None:
        """Take a new snapshot."""
        self._stream.again()

    def take(self, item: Item) -> None:
        """What the stream hands over."""
        if isinstance(item, Attached):
            self.state = begin(item.document, self.state)
            self.link = replace(self.link, attached=True, ever=True, why="", hint="", tries=0)
            self._told(item.document["at"])
        elif isinstance(item, Lost):
            self.link = replace(self.link, attached=False, why=item.why, hint=item.hint, tries=item.tries)
        else:
            before = self.state
            self.state = fold(before, item.events)
            if self.state.at_ns > before.at_ns:
                self._told(self.state.at_ns, at_least=True)
            if any(kind == "clock" for _, kind, _ in item.events):  # it was moved: all windows may stand elsewhere
                self.refresh()
        self.version += 1

    def _told(self, at_ns: int, at_least: bool = False) -> None:
        if not at_least or at_ns > self.now():
            self._told_ns, self._told_at = at_ns, self._mono()

    def now(self) -> int:
        """The gateway's time, nanoseconds."""
        return self._told_ns + (self._mono() - self._told_at) if self._told_ns else 0

    def seen(self, window: str = "1m", signs: Signs = UNICODE) -> Seen:
        """One look."""
        return Seen(self.state, self.link, self.now(), window, signs)
