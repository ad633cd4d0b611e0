"""What every page has: the frame around it, keys from the one table, and ``paint``, which the app calls.

A page is a thin shell over views: ``paint`` turns what is seen into lines and puts them into widgets. It asks the Admin
API only through ``self.app.ask``, in a thread. A new page: a module with a class here, a line in ``pages.PAGES``.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from aimon_local.tui import keys
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import frame
from aimon_local.tui.widgets import Grid, Lines, clicked_key

if TYPE_CHECKING:
    from aimon_local.tui.app import Dashboard

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]


def bindings(where: str) -> list[BindingType]:
    """Those of the table that belong somewhere."""
    return [Binding(each.key, each.action, each.label, show=False) for each in keys.KEYS if each.where == where]


class Page(Screen[None]):
    """A page between the status lines and the footer."""

    NAME: ClassVar[str] = ""
    SORTS: ClassVar[Sequence[str]] = ()
    TICKS: ClassVar[bool] = False  # its picture changes each second by itself
    AUTO_FOCUS = "Grid"
    HELP = "Press ? for all keys."

    def __init__(self) -> None:
        super().__init__()
        self.sorted_by = 0

    @property
    def dashboard(self) -> "Dashboard":
        """The app."""
        return cast("Dashboard", self.app)

    @property
    def sort(self) -> str:
        """What it is sorted by."""
        return self.SORTS[self.sorted_by] if self.SORTS else ""

    def compose(self) -> ComposeResult:
        """The frame, and the page's own in between."""
        yield Lines(id="tabs")
        yield Lines(id="status")
        yield from self.body()
        yield Lines(id="foot")

    def body(self) -> ComposeResult:
        """The page's own widgets."""
        raise NotImplementedError

    def show(self, seen: Seen) -> None:
        """Put what is seen into the page's widgets."""
        raise NotImplementedError

    def paint(self, seen: Seen) -> None:
        """All of it."""
        self.query_one("#tabs", Lines).put([frame.tabs(self.NAME, self.size.width)])
        self.query_one("#status", Lines).put([frame.status(seen, self.size.width)])
        self.query_one("#foot", Lines).put([frame.footer(self.NAME, self.size.width)])
        self.show(seen)

    def repaint(self) -> None:
        """Now, whatever changed: a key was pressed."""
        self.dashboard.paint(force=True)

    def on_screen_resume(self) -> None:
        """It is seen again."""
        self.call_after_refresh(self.repaint)

    def on_resize(self) -> None:
        """Columns are chosen anew."""
        self.call_after_refresh(self.repaint)

    # ---- what keys do; a page says what of it is its own

    def action_sort(self) -> None:
        """By the next column."""
        if self.SORTS:
            self.sorted_by = (self.sorted_by + 1) % len(self.SORTS)
            self.notify(f"sorted by {self.sort}", timeout=2)
            self.repaint()

    def action_open(self) -> None:
        """The marked row of the list that has the focus."""
        focused = self.focused
        grid = focused if isinstance(focused, Grid) else next(iter(self.query(Grid)), None)
        if grid is not None:
            grid.open()

    def action_out(self) -> None:
        """Out of it, where it was gone into."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def copied(self) -> str:
        """What ``y`` copies: the marked row's key."""
        focused = self.focused
        seen = self.dashboard.seen()
        if self.NAME in ("tiers", "requests") and not seen.state.requests:
            return "\n".join(frame.curl(seen))
        return (focused.key or "") if isinstance(focused, Grid) else ""

    def rows(self) -> Rows:
        """What ``e`` exports: column names, and rows."""
        return (), ()

    def on_lines_clicked(self, event: Lines.Clicked) -> None:
        """The pages and the footer are buttons."""
        if event.lines.id not in ("tabs", "foot") or not event.lines.shown:
            return
        line = event.lines.shown[0]
        text = clicked_key(line, event.x)
        at = next((number for number, (piece, _) in enumerate(line) if piece is text), None)
        if at is None:
            return
        wanted = next((piece.strip() for piece, word in reversed(line[: at + 1]) if word == "key"), "")
        found = next((each for each in keys.of(self.NAME) if each.shown == wanted), None)
        if found is not None:
            self.run_worker(self.app.run_action(found.action, self if found.where else self.app), exit_on_error=False)

    def later(self, ask: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Ask the gateway in a thread; ``then`` gets the answer here, a refusal is told."""
        self.dashboard.ask(ask, then, self)
