"""The live tail with its filter, and the page of one request."""

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input

from aimon_local.client.admin import segment
from aimon_local.tui import filters
from aimon_local.tui.lines import clean, plain, wrapped
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import Request
from aimon_local.tui.views import frame
from aimon_local.tui.views import requests as view
from aimon_local.tui.widgets import Grid, Lines


class Requests(Page):
    """Every request as it ends; the newest is at the bottom."""

    NAME = "requests"
    BINDINGS = bindings("requests")

    def __init__(self) -> None:
        super().__init__()
        self.filter = filters.Filter()
        self._let: list[Request] = []  # what the filter let through, oldest first
        self._keys: list[str] = []
        self._number = 0  # the newest request that was asked
        self._of: filters.Filter | None = None

    def body(self) -> ComposeResult:
        """Title, filter, tail."""
        yield Lines(id="title")
        yield Input(id="filter", placeholder="tier:pro status:429 reason:rate_limited model:gpt* tokens>1000 !route:x")
        yield Grid(id="tail", follow=True)

    def on_mount(self) -> None:
        """The filter shows up when it is wanted."""
        self.query_one(Input).display = bool(self.filter.text)

    def filter_by(self, text: str) -> None:
        """Show what some words let through."""
        self.filter = filters.parse(text)
        if self.is_mounted:
            self.repaint()

    def _gather(self, requests: tuple[Request, ...]) -> None:
        """Ask the filter of what is new only; what left the ring leaves the list."""
        if self._of is not self.filter:
            self._of, self._let, self._number = self.filter, [], 0
        new = []
        for request in reversed(requests):
            if request.number <= self._number:
                break
            if self.filter(request):
                new.append(request)
        oldest = requests[0].number if requests else 0
        gone = next((at for at, each in enumerate(self._let) if each.number >= oldest), len(self._let))
        if new or gone or not self._number:
            self._let = [*self._let[gone:], *reversed(new)]
            self._keys = [each.id for each in self._let]
        self._number = requests[-1].number if requests else 0

    def show(self, seen: Seen) -> None:
        """The tail."""
        requests = seen.state.requests
        self._gather(requests)
        grid = self.query_one("#tail", Grid)
        width, signs, let = grid.room, seen.signs, self._let
        new = 0 if grid.at_end or grid.keys is self._keys else len(self._keys) - len(grid.keys)
        below = max(0, len(self._keys) - 1 - grid.marked) if not grid.at_end else 0
        self.query_one("#title", Lines).put(
            [view.title(len(let), len(requests), self.filter.text, self.filter.fault, max(new, below))]
        )
        empty = frame.nothing_yet(seen) if not requests else [(), (("  No request passes this filter.", "dim"),)]
        grid.put(view.heading(width, signs), self._keys, lambda at: view.tail(let[at], width, signs), empty)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Its story."""
        self.dashboard.open_request(event.key)

    def action_filter(self) -> None:
        """Type filter words."""
        field = self.query_one(Input)
        field.display = True
        field.value = self.filter.text
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """It holds while one types."""
        if event.input.has_focus:
            self.filter_by(event.value)

    def on_input_submitted(self) -> None:
        """Back to the tail."""
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one(Input).display = bool(self.filter.text)
        self.query_one(Grid).focus()

    def action_out(self) -> None:
        """Out of the field, else without a filter."""
        if self.query_one(Input).has_focus:
            self._close_filter()
        elif self.filter.text:
            self.filter_by("")
            self._close_filter()

    def action_denied(self) -> None:
        """Only what was denied, or all again."""
        self.filter_by("" if self.filter.text == "decision:deny" else "decision:deny")

    def action_from_cell(self) -> None:
        """Those of the marked one's consumer."""
        marked = self._marked()
        if marked is not None:
            self.filter_by(f"consumer:{marked.consumer}")

    def action_tail(self) -> None:
        """Back to the newest."""
        grid = self.query_one(Grid)
        grid.mark(len(grid.keys) - 1)
        self.repaint()

    def _marked(self) -> Request | None:
        grid = self.query_one(Grid)
        return self._let[grid.marked] if grid.marked < len(self._let) else None

    def rows(self) -> Rows:
        """What the filter lets through."""
        return Request._fields, self._let


class Story(Page):
    """One request: the phases, limits before and after, the ledger's row."""

    NAME = "request"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS = bindings("request")

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.request_id = request_id
        self._explained: Mapping[str, Any] | None = None
        self._row: Mapping[str, Any] | None = None

    def body(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll():
            yield Lines(id="story")

    def on_mount(self) -> None:
        """Ask for it."""
        path = f"/requests/{segment(self.request_id)}"
        admin = self.dashboard.admin

        def ask() -> tuple[Any, Any]:
            return admin.get(f"{path}/explain"), admin.get(path)

        self.later(ask, self._told)

    def _told(self, answer: tuple[Any, Any]) -> None:
        self._explained, self._row = answer
        self.repaint()

    def show(self, seen: Seen) -> None:
        """The story, once it is known."""
        block = self.query_one("#story", Lines)
        if self._explained is None or self._row is None:
            block.put([((f" {clean(self.request_id)}: asking the gateway …", "dim"),)])
            return
        made = view.story(seen, self._explained, self.size.width - 2)
        facts = ", ".join(f"{name} {value}" for name, value in self._row.items() if name != "ai" and value is not None)
        made += [(), ((" ledger entry", "head"),), *wrapped(clean(facts, 2000), self.size.width - 2, "   ")]
        block.styles.height = len(made)
        block.put(made)

    def copied(self) -> str:
        """Its id."""
        return self.request_id

    def action_curl(self) -> None:
        """A curl line of its kind, to the clipboard."""
        row, admin = self._row, self.dashboard.admin
        if row is None:
            return

        def paths() -> list[str]:
            return admin.get(f"/routes/{segment(row['route_id'])}").get("paths") or [] if row["route_id"] else []

        link = self.dashboard.seen().link
        self.later(paths, lambda found: self.dashboard.copy(view.curl(row, link.proxy, found, link.key)))

    def action_replay(self) -> None:
        """Ask the gates again: would it be admitted now? Its body was never kept, so nothing can be sent again."""
        row = self._row
        if row is None or not row["consumer"]:
            self.notify("it had no consumer, so there are no limits to ask", severity="warning")
            return
        ai = row["ai"] or {}
        asked: dict[str, Any] = {"consumer": row["consumer"]}
        if row["route"]:
            asked["route"] = row["route"]
        if ai.get("model"):
            asked |= {"model": ai["model"], "prompt_tokens": ai["estimate"], "max_output": ai["reserved_output"] or 1}
        self.later(lambda: self.dashboard.admin.post("/check", asked), self._checked)

    def _checked(self, verdict: Mapping[str, Any]) -> None:
        signs = self.dashboard.signs
        denial = verdict["denial"]
        if denial is None:
            self.notify(f"{signs.ok} it would pass now", markup=False)
        else:
            self.notify(
                f"{signs.deny} denied now: {clean(denial['reason'])} {clean(denial['message'])}",
                severity="warning",
                markup=False,
            )

    def rows(self) -> Rows:
        """The story's lines."""
        return ("line",), [(plain(line),) for line in self.query_one("#story", Lines).shown]
