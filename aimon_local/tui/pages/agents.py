"""Agents: the questions that wait for the operator, and who acts for whom with what guards say of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from aimon_local.client.admin import segment
from aimon_local.tui.lines import Line, clean, plain
from aimon_local.tui.pages.dialogs import Ask
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import agents as view
from aimon_local.tui.widgets import Grid, Lines

_EVERY = 2.0  # seconds between looks, and only where something happened


class Agents(Page):
    """Inbox above, tree below."""

    NAME = "agents"
    BINDINGS = bindings("agents")

    def __init__(self) -> None:
        super().__init__()
        self._questions: Sequence[Mapping[str, Any]] = ()
        self._guards: Sequence[Mapping[str, Any]] = ()
        self._asked = -1

    def body(self) -> ComposeResult:
        """Both."""
        yield Grid(id="inbox")
        with VerticalScroll():
            yield Lines(id="tree")

    def on_mount(self) -> None:
        """Questions and guards are asked for."""
        self.set_interval(_EVERY, self._look)
        self._look()

    def _look(self, anew: bool = False) -> None:
        seen = self.dashboard.seen()
        if not self.is_current or not seen.link.attached or (seen.state.number == self._asked and not anew):
            return
        self._asked = seen.state.number
        admin = self.dashboard.admin
        self.later(lambda: (admin.get("/approvals")["data"], admin.get("/guards")["data"]), self._told)

    def _told(self, answer: tuple[Any, Any]) -> None:
        self._questions, self._guards = answer
        self.repaint()

    def show(self, seen: Seen) -> None:
        """The inbox, then the tree."""
        grid = self.query_one("#inbox", Grid)
        heading, made = view.inbox(self._questions, grid.room, seen.signs)
        grid.styles.height = max(3, min(len(made) + 2, self.size.height // 3))
        empty: list[Line] = [
            (("  Nothing waits for you: a limit with ask = true asks here when it is used up.", "dim"),)
        ]
        grid.put(heading, [str(row["id"]) for row in self._questions], made.__getitem__, empty)
        block = self.query_one("#tree", Lines)
        tree = view.tree(seen, seen.state.requests, self._guards)
        block.styles.height = len(tree)
        block.put(tree)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """The consumer that a question is about."""
        row = next((each for each in self._questions if str(each["id"]) == event.key), None)
        if row is not None and row.get("consumer"):
            self.dashboard.open_consumer(str(row["consumer"]))

    def action_approve(self) -> None:
        """As much again, to the end of the window."""
        self._decide("approve", "Grant as much again, to the end of its window?")

    def action_deny(self) -> None:
        """A hard limit until its window is over."""
        self._decide("deny", "Say no: a hard limit until its window is over?")

    def _decide(self, word: str, question: str) -> None:
        key = self.query_one("#inbox", Grid).key
        if key is None:
            self.notify("no question is marked", severity="warning")
            return

        def act(sure: bool | None) -> None:
            if sure:
                path = f"/approvals/{segment(key)}/{word}"
                self.later(lambda: self.dashboard.admin.post(path), self._decided)

        self.app.push_screen(Ask(f"{clean(key)}: {question}"), act)

    def _decided(self, row: Mapping[str, Any]) -> None:
        self.notify(f"{clean(row['id'])} is {clean(row['state'])}", markup=False)
        self._look(anew=True)

    def rows(self) -> Rows:
        """The tree's lines."""
        return ("line",), [(plain(line),) for line in self.query_one("#tree", Lines).shown]
