"""The opening page: a board of tiers, and what was denied last. Then a tier's consumers."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Digits

from aimon_local.tui import lines
from aimon_local.tui.lines import Line, clean
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import frame
from aimon_local.tui.views import tiers as view
from aimon_local.tui.widgets import Grid, Lines

_NAMES = ("requests / s", "tokens / min", "revenue today")


class Tiers(Page):
    """Who uses what, live."""

    NAME = "tiers"
    SORTS = view.SORTS
    BINDINGS = bindings("tiers")

    def body(self) -> ComposeResult:
        """Headline, board, denials."""
        with Horizontal(id="headline"):
            for at in range(3):
                yield Digits("0", id=f"digits{at}")
        yield Lines(id="headnames")
        yield Grid(id="board")
        yield Grid(id="denials")

    def show(self, seen: Seen) -> None:
        """Each list by itself."""
        for at, text in enumerate(view.headline(seen)):
            digits = self.query_one(f"#digits{at}", Digits)
            if digits.value != text:
                digits.update(text)
        third = max(1, self.size.width // 3)
        self.query_one("#headnames", Lines).put([tuple((lines.fit(name, third), "dim") for name in _NAMES)])
        board = self.query_one("#board", Grid)
        tiers = view.ordered(seen, self.sort)
        heading, made = view.board(seen, tiers, board.room)
        board.styles.height = min(len(made) + 2, max(6, self.size.height // 2))
        board.put(heading, [tier.name for tier in tiers], made.__getitem__)
        self._denials(seen)

    def _denials(self, seen: Seen) -> None:
        grid = self.query_one("#denials", Grid)
        some = list(reversed(seen.state.denials))
        width, signs = grid.room, seen.signs
        heading = view.denials_heading(width, signs)
        empty: list[Line] = [(), (("  Nothing was denied yet.", "dim"),)]
        if not seen.state.total.allowed and not some:
            heading, empty = (), frame.nothing_yet(seen)
        grid.put(heading, [each.id for each in some], lambda at: view.denial(some[at], width, signs), empty)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """A tier's consumers, or a request."""
        if event.grid.id == "board":
            self.app.push_screen(Consumers(event.key))
        else:
            self.dashboard.open_request(event.key)

    def action_denials(self) -> None:
        """The tail of what was denied."""
        self.dashboard.open_requests("decision:deny")

    def rows(self) -> Rows:
        """The board."""
        names = ("tier", "consumers", "allowed", "denied", "input", "output", "cost_nano", "charge_nano")
        tiers = self.dashboard.seen().state.tiers.values()
        return names, [(tier.name, tier.consumers, *_numbers(tier.sums)) for tier in tiers]


def _numbers(sums: object) -> tuple[object, ...]:
    return tuple(getattr(sums, name) for name in ("allowed", "denied", "input", "output", "cost", "charge"))


class Consumers(Page):
    """The consumers of one tier."""

    NAME = "consumers"

    def __init__(self, tier: str) -> None:
        super().__init__()
        self.tier = tier

    def body(self) -> ComposeResult:
        """One list."""
        yield Lines(id="title")
        yield Grid(id="consumers")

    def show(self, seen: Seen) -> None:
        """The busiest first."""
        some = view.of_tier(seen, self.tier)
        more = f", and {seen.state.more}+ that are not named" if seen.state.more else ""
        title = f" {clean(self.tier) or view.NO_TIER}: {len(some)} used it{more}"
        self.query_one("#title", Lines).put([((title, "title"),)])
        grid = self.query_one("#consumers", Grid)
        heading, made = view.consumers(seen, some, grid.room)
        empty: list[Line] = [
            (),
            (("  None of its consumers called yet. Put one into it:", "text"),),
            ((f"  aimon-local tier assign CONSUMER {clean(self.tier)}", "key"),),
        ]
        grid.put(heading, [each.name for each in some], made.__getitem__, empty)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """One of them."""
        self.dashboard.open_consumer(event.key)

    def rows(self) -> Rows:
        """The list."""
        names = ("consumer", "allowed", "denied", "input", "output", "cost_nano", "charge_nano")
        some = view.of_tier(self.dashboard.seen(), self.tier)
        return names, [(each.name, *_numbers(each.sums)) for each in some]
