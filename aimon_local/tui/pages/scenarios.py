"""Scenarios: pick, run, watch, judge. Each run is ``aimon-local run`` in a process of its own, on this gateway."""

import json
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from aimon_local.tui.lines import plain
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.play import Script, scripts
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import scenarios as view
from aimon_local.tui.widgets import Grid, Lines


class Scenarios(Page):
    """The list above, the run below."""

    NAME = "scenarios"
    BINDINGS = bindings("scenarios")

    def __init__(self) -> None:
        super().__init__()
        self.scripts: Sequence[Script] | None = None

    def body(self) -> ComposeResult:
        """List and run."""
        yield Grid(id="scripts")
        with VerticalScroll(id="running"):
            yield Lines(id="run")

    def on_mount(self) -> None:
        """Ask the command what there is."""
        self.later(self.dashboard.scripts or scripts, self._told)

    def _told(self, found: Sequence[Script]) -> None:
        self.scripts = found
        self.repaint()

    def show(self, seen: Seen) -> None:
        """Both."""
        playing = self.dashboard.player.playing
        grid = self.query_one("#scripts", Grid)
        some = self.scripts or ()
        heading, made = view.scripts(some, playing, grid.room, seen.signs)
        grid.styles.height = max(4, min(len(some) + 2, self.size.height // 2))
        word = "  asking what there is" if self.scripts is None else "  there are no scripts in this install"
        grid.put(heading, [each.name for each in some], made.__getitem__, [((word, "dim"),)])
        block = self.query_one("#run", Lines)
        run = view.run(playing, self.size.width - 2, seen.signs)
        block.styles.height = max(1, len(run))
        block.put(run)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """What broke it, as requests, where it failed; else it runs."""
        playing = self.dashboard.player.playing
        report = next((each for each in playing.reports if each["script"] == event.key), None)
        if report is None:
            self.action_run()
            return
        self.dashboard.open_requests("consumer:" + ",".join(f"*{name}*" for name in view.actors_of(report)))

    def action_run(self) -> None:
        """The marked one."""
        key = self.query_one("#scripts", Grid).key
        if key is not None:
            self._start([key])

    def action_run_all(self) -> None:
        """All of them, one after the other."""
        self._start([each.name for each in self.scripts or ()])

    def _start(self, names: Sequence[str]) -> None:
        player = self.dashboard.player
        if player.playing.runs:
            self.notify("a run goes on; comma stops it", severity="warning")
            return
        if not self.dashboard.seen().link.attached:
            self.notify("no gateway to run it against", severity="warning")
            return
        if names:
            player.start(names)
            self.repaint()

    def action_stop(self) -> None:
        """End the traffic; the report still comes."""
        self.dashboard.player.stop()

    def action_save(self) -> None:
        """The report, as JSON."""
        playing = self.dashboard.player.playing
        if not playing.reports:
            self.notify("nothing was played to its end yet", severity="warning")
            return
        path = self.dashboard.folder / f"aimon-run-{playing.reports[0]['script']}.json"
        try:
            path.write_text(json.dumps(list(playing.reports), indent=2), encoding="utf-8")
        except OSError as fault:
            self.notify(f"not saved: {fault}", severity="error", markup=False)
            return
        self.notify(f"saved: {path}", markup=False)

    def rows(self) -> Rows:
        """The run's lines."""
        return ("line",), [(plain(line),) for line in self.query_one("#run", Lines).shown]
