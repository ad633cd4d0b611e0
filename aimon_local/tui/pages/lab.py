"""Lab: a lesson's steps, ticked off as the learner does them in another terminal. The gateway recognises them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from aimon_local.client.admin import AdminError
from aimon_local.errors import AimonError
from aimon_local.tui.pages.page import Page, bindings
from aimon_local.tui.play import program
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import lab as view
from aimon_local.tui.widgets import Grid, Lines

_EVERY = 0.5  # seconds between looks, and only where something happened


class Lab(Page):
    """Lessons above, steps below."""

    NAME = "lab"
    BINDINGS = bindings("lab")

    def __init__(self) -> None:
        super().__init__()
        self._lessons: Sequence[Mapping[str, Any]] = ()
        self._state: Mapping[str, Any] | None = None
        self._asked = -1

    def body(self) -> ComposeResult:
        """Both."""
        yield Grid(id="lessons")
        with VerticalScroll():
            yield Lines(id="steps")

    def on_mount(self) -> None:
        """Ask the command for the lessons, the gateway for the one under way."""
        self.later(self.dashboard.lessons or lessons, self._listed)
        self.set_interval(_EVERY, self._look)
        self._look()

    def _listed(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._lessons = rows
        self.repaint()

    def _look(self) -> None:
        seen = self.dashboard.seen()
        if not self.is_current or not seen.link.attached or seen.state.number == self._asked:
            return
        self._asked = seen.state.number
        self.later(self._under_way, self._told)

    def _under_way(self) -> Any:
        try:
            return self.dashboard.admin.get("/lab")
        except AdminError as fault:
            if fault.status == 404:
                return None
            raise

    def _told(self, state: Mapping[str, Any] | None) -> None:
        self._state = state if state is not None and state.get("steps") else None
        self.repaint()

    def show(self, seen: Seen) -> None:
        """Lessons and steps."""
        grid = self.query_one("#lessons", Grid)
        made = view.lessons(self._lessons, seen.signs)
        grid.styles.height = max(3, min(len(made) + 2, self.size.height // 3))
        grid.put(((" Lessons", "head"),), [str(row["name"]) for row in self._lessons], made.__getitem__)
        block = self.query_one("#steps", Lines)
        steps = view.lesson(self._state, self.size.width - 2, seen.signs)
        block.styles.height = len(steps)
        block.put(steps)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Begin it."""
        link = self.dashboard.seen().link
        words = ["lab", "start", event.key, "--no-wait", "--admin-url", link.address]

        def start() -> Any:
            done = subprocess.run(
                [*program(), *words],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
                env=self.dashboard.player.environ,
            )
            if done.returncode:
                raise AimonError(done.stderr.strip().removeprefix("error: ") or "the lesson did not begin")
            return self._under_way()

        self.later(start, self._told)

    def copied(self) -> str:
        """What to run next."""
        state = self._state
        if state is None or state["done"]:
            return super().copied()
        return view.command(state, state["steps"][state["step"]])


def lessons() -> list[Mapping[str, Any]]:
    """Those that the command knows."""
    done = subprocess.run(
        [*program(), "lab", "list", "--json"], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise AimonError(done.stderr.strip() or "there are no lessons in this install")
    found: list[Mapping[str, Any]] = json.loads(done.stdout)
    return found
