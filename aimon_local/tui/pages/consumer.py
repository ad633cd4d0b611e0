"""One consumer: limits as they stand now, keys, models, last requests; what is done to it is asked first."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult

from aimon_local.client.admin import segment
from aimon_local.tui.fold import limit
from aimon_local.tui.lines import clean
from aimon_local.tui.pages.dialogs import Ask, Pick
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import Consumer, Limit, Request
from aimon_local.tui.views import consumer as view
from aimon_local.tui.views import requests as tail
from aimon_local.tui.widgets import Grid, Lines

_EVERY = 1.0  # seconds between looks at what is reserved, and only while something happens


class OneConsumer(Page):
    """Limits, keys, models, requests of one consumer."""

    NAME = "consumer"
    TICKS = True
    BINDINGS = bindings("consumer")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.who = name
        self._limits: Sequence[Limit] | None = None
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._requests: list[Request] = []
        self._asked: tuple[int, int] = (-1, -1)

    def body(self) -> ComposeResult:
        """From who it is to what it did."""
        yield Lines(id="head")
        yield Lines(id="limits")
        yield Lines(id="more")
        yield Grid(id="last")

    def on_mount(self) -> None:
        """Limits are asked for: what is reserved is in no event."""
        self.set_interval(_EVERY, self._look)
        self._look()
        if self.who:
            path = f"/consumers/{segment(self.who)}/key-auth"
            self.later(lambda: list(self.dashboard.admin.pages(path)), self._told_keys)

    def _look(self) -> None:
        seen = self.dashboard.seen()
        asked = (seen.state.number, seen.second // 10)
        if not self.who or asked == self._asked or not self.is_current or not seen.link.attached:
            return
        self._asked = asked
        self.later(lambda: self.dashboard.admin.get("/snapshot", consumer=self.who), self._told_limits)

    def _told_limits(self, document: Mapping[str, Any]) -> None:
        self._limits = [limit(row) for row in document["limits"]]
        self.repaint()

    def _told_keys(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._keys = rows
        self.repaint()

    def show(self, seen: Seen) -> None:
        """All of it."""
        who = seen.state.consumers.get(self.who) or Consumer(self.who)
        self._put("head", view.head(seen, who))
        known = who.limits.values() if self._limits is None else self._limits
        self._put("limits", view.limits(seen, [each.standing(seen.now_ns) for each in known], self.size.width))
        self._requests = [each for each in reversed(seen.state.requests) if each.consumer == self.who][:200]
        used: dict[str, tuple[int, int, int]] = {}
        for each in self._requests:
            if each.model and not each.denied:
                calls, tokens, cost = used.get(each.model, (0, 0, 0))
                used[each.model] = (calls + 1, tokens + each.tokens, cost + each.cost)
        self._put("more", [view.models(used), *view.keys(self._keys, seen.signs)])
        grid = self.query_one("#last", Grid)
        width, signs, some = grid.room, seen.signs, self._requests
        empty = [(("  No request of it is kept here; aimon-local requests shows older ones.", "dim"),)]
        grid.put(
            tail.heading(width, signs), [each.id for each in some], lambda at: tail.tail(some[at], width, signs), empty
        )

    def _put(self, name: str, made: list[Any]) -> None:
        block = self.query_one(f"#{name}", Lines)
        block.styles.height = len(made)
        block.put(made)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """A request of it."""
        self.dashboard.open_request(event.key)

    def copied(self) -> str:
        """Its name."""
        return super().copied() or self.who

    def rows(self) -> Rows:
        """Its last requests."""
        return Request._fields, self._requests

    # ---- what is done to it

    def action_move(self) -> None:
        """To another tier."""
        names = sorted(name for name in self.dashboard.seen().state.tiers if name)
        self.app.push_screen(Pick(f"Move {clean(self.who)} to which tier?", names), self._move)

    def _move(self, tier: str | None) -> None:
        if tier is None:
            return
        admin, path = self.dashboard.admin, f"/consumers/{segment(self.who)}/consumer_groups"

        def move() -> str:
            for row in admin.get(path)["consumer_groups"]:
                if row["name"] in self.dashboard.seen().state.tiers:
                    admin.delete(f"{path}/{segment(row['name'])}")
            admin.post(path, {"group": tier})
            return f"{self.who} is in {tier} now; the next call counts there"

        self.later(move, self.dashboard.done)

    def action_rotate(self) -> None:
        """A new key beside the old ones, or the old ones gone."""
        some = ["a new key; old ones stay good", "a new key; old ones are gone", "all keys gone"]
        self.app.push_screen(Pick(f"Keys of {clean(self.who)}", some), self._rotate)

    def _rotate(self, what: str | None) -> None:
        if what is None:
            return
        admin, path = self.dashboard.admin, f"/consumers/{segment(self.who)}/key-auth"
        old = [] if "stay" in what else [row["id"] for row in self._keys]

        def rotate() -> str:
            made = admin.post(path)["key"] if what.startswith("a new") else None
            for each in old:
                admin.delete(f"{path}/{segment(each)}")
            self._keys = list(admin.pages(path))
            return f"new key, shown this once: {made}" if made else f"{self.who} has no key now"

        def act(sure: bool | None) -> None:
            if sure:
                self.later(rotate, self.dashboard.done)

        if old:
            self.app.push_screen(Ask(f"{len(old)} keys of {clean(self.who)} will stop working. Go on?"), act)
        else:
            act(True)
