"""Money: revenue, cost and margin of today, and a field that asks what other prices would have made of it."""

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.widgets import Input

from aimon_local.tui.lines import Line
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import frame, insights
from aimon_local.tui.views import money as view
from aimon_local.tui.widgets import Grid, Lines


class Money(Page):
    """One table, one question, and the ledger's own answers."""

    NAME = "money"
    SORTS = view.GROUPS
    BINDINGS = bindings("money")

    def __init__(self) -> None:
        super().__init__()
        self._answer: Mapping[str, Any] | None = None
        self._insight: tuple[str, Mapping[str, Any]] | None = None

    def body(self) -> ComposeResult:
        """Sums, table, question, answer."""
        yield Lines(id="title")
        yield Grid(id="money")
        yield Input(
            id="question", placeholder="what if: MODEL IN OUT (dollars per million tokens), or PLAN MARKUP_PERCENT"
        )
        yield Lines(id="answer")

    def on_mount(self) -> None:
        """The field shows up when it is wanted."""
        self.query_one(Input).display = False

    def show(self, seen: Seen) -> None:
        """Everything."""
        self.query_one("#title", Lines).put([view.head(seen, self.sort)])
        some = view.grouped(seen, self.sort)
        grid = self.query_one("#money", Grid)
        heading, made = view.table(seen, some, grid.room)
        grid.put(heading, [name for name, _ in some], made.__getitem__, frame.nothing_yet(seen))
        block = self.query_one("#answer", Lines)
        told: list[Line] = [((" p asks what other prices would have made of today; s groups by another thing", "dim"),)]
        told = told if self._answer is None else view.compared(self._answer, self.size.width)
        if self._insight is not None:
            told = insights.answer(*self._insight, self.size.width, max(3, self.size.height // 3))
        block.styles.height = len(told)
        block.put(told)

    def action_price(self) -> None:
        """Type a price."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_insight(self) -> None:
        """The next answer of the ledger."""
        at = -1 if self._insight is None else insights.NAMES.index(self._insight[0])
        name = insights.NAMES[(at + 1) % len(insights.NAMES)]

        def told(page: Mapping[str, Any]) -> None:
            self._insight = name, page
            self.repaint()

        self.later(lambda: self.dashboard.admin.get(insights.path(name)), told)

    def action_out(self) -> None:
        """Out of the field, else of the answer."""
        field = self.query_one(Input)
        if field.display:
            field.display = False
            self.query_one(Grid).focus()
        else:
            self._answer = self._insight = None
            self.repaint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the gateway: the law lives there."""
        offers = view.asked(event.value)
        if isinstance(offers, str):
            self.notify(offers, severity="warning", markup=False)
            return
        day = self.dashboard.seen().state.since_ns // 1_000_000_000
        body = {"plans": [{"name": "what if", "offers": offers}], "since": str(day)}
        self.later(lambda: self.dashboard.admin.post("/what-if", body), self._told)

    def _told(self, answer: Mapping[str, Any]) -> None:
        self._answer, self._insight = answer, None
        self.repaint()

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """A consumer, or the requests of a tier or a model."""
        if self.sort == "consumer":
            self.dashboard.open_consumer(event.key)
        else:
            self.dashboard.open_requests(f"{self.sort}:{event.key}")

    def rows(self) -> Rows:
        """The table."""
        names = (self.sort, "calls", "input", "output", "charge_nano", "cost_nano", "margin_nano")
        some = view.grouped(self.dashboard.seen(), self.sort)
        return names, [(name, s.calls, s.input, s.output, s.charge, s.cost, s.margin) for name, s in some]
