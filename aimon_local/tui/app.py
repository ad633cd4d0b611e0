"""The dashboard: owns the clock tick, the page that is open, and what keys do everywhere.

Fewer than three paints a second (a key's own come at once), and none when nothing changed: a tick looks at the feed's
version and at what time alone moves (rates that fade, a window that ends). Nothing here reads the gateway but the feed
and ``ask``; a gateway that is gone is a state, never a traceback. Pages: ``pages.PAGES``; keys: ``keys.KEYS``.
"""

import csv
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen
from textual.widget import Widget

from aimon_local.client.admin import AdminClient, AdminError
from aimon_local.errors import AimonError
from aimon_local.tui import keys
from aimon_local.tui.feed import Feed
from aimon_local.tui.lines import ASCII, UNICODE, clean
from aimon_local.tui.pages import PAGES
from aimon_local.tui.pages.consumer import OneConsumer
from aimon_local.tui.pages.dialogs import Ask, Help, Pick
from aimon_local.tui.pages.page import Page, bindings
from aimon_local.tui.pages.requests import Requests, Story
from aimon_local.tui.play import Player, Script
from aimon_local.tui.seen import Seen
from aimon_local.tui.traces import STEPS, WINDOWS
from aimon_local.tui.views import frame
from aimon_local.tui.views.clock import clock_moves
from aimon_local.tui.widgets import CSS

TICK = 0.35  # seconds between paints that no key asked for, at least
THEMES = ("textual-dark", "textual-light", "nord", "gruvbox", "ansi-dark", "ansi-light")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so would be run by a spreadsheet
LEFT_RUNNING = "left running"
"""What ``run`` gives where the user wants the gateway to go on."""


class Dashboard(App[str]):
    """``owns``: the gateway is a child of ours, so leaving asks what becomes of it."""

    TITLE = "aimon-local"
    BINDINGS = bindings("")
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {**PAGES}
    CSS = (
        CSS
        + """
    Lines#tabs { background: $surface; }
    Lines#status { background: $panel; }
    Lines#foot { background: $surface; dock: bottom; }
    #headline { height: 3; }
    #headline Digits { width: 1fr; color: $primary; }
    #filter { height: 3; }
    Ask, Pick, Help { align: center middle; }
    .dialog { width: 74; max-width: 100%; height: auto; max-height: 100%; padding: 0 1; }
    .dialog { border: round $primary; background: $surface; }
    .wide { width: 100; }
    """
    )

    def __init__(
        self,
        admin: AdminClient,
        feed: Feed,
        *,
        ascii_only: bool = False,
        owns: bool = False,
        folder: Path | None = None,
        token: str | None = None,
    ) -> None:
        super().__init__()
        self.admin, self.feed, self.owns = admin, feed, owns
        self.signs = ASCII if ascii_only else UNICODE
        self.window = "1m"
        self.folder = folder or Path()
        self.paints = 0
        link = feed.link
        self.player = Player(("--admin-url", link.address, "--url", link.proxy), token, self._played)
        self.lessons: Callable[[], Sequence[Mapping[str, Any]]] | None = None  # the same
        self.scripts: Callable[[], Sequence[Script]] | None = None  # instead of asking the command what there is
        self._held: Seen | None = None  # what was seen when it was frozen
        self._painted: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Attach, open the first page, begin to tick."""
        self.theme = THEMES[0]
        self.switch_mode("tiers")
        self.feed.start()
        self.set_interval(TICK, self.paint)
        for name in ("SIGHUP", "SIGTERM"):  # a closed terminal ends us, and what we started
            number = getattr(signal, name, None)
            if number is not None and self._loop is not None:
                with suppress(NotImplementedError, RuntimeError, ValueError):
                    self._loop.add_signal_handler(number, self.exit)

    def on_unmount(self) -> None:
        """Let go of the gateway."""
        self.player.close()
        self.feed.stop()

    def _played(self) -> None:
        self.feed.version += 1

    # ---- painting

    def seen(self) -> Seen:
        """What is to be shown: now, or when it was frozen."""
        if self._held is not None:
            behind = max(0, self.feed.state.number - self._held.state.number)
            return replace(self._held, frozen=True, behind=behind, link=self.feed.link, window=self.window)
        return self.feed.seen(self.window, self.signs)

    def paint(self, force: bool = False) -> None:
        """Paint the page that is open, if it would look another way."""
        if not self.is_running or not self.screen_stack:  # a last tick, after the end
            return
        page = self.screen
        if not isinstance(page, Page) or not page.is_mounted:
            return
        seen = self.seen()
        mark = (page, seen.behind, *self._moving(seen, page))
        if not force and mark == self._painted:
            return
        self._painted = mark
        self.paints += 1
        with self.batch_update():
            page.paint(seen)

    def _moving(self, seen: Seen, page: Page) -> tuple[object, ...]:
        """What can change a picture: what was told, and the time, as finely as it matters just now."""
        if self._held is not None:
            return (self.feed.link,)
        width = WINDOWS[self.window]
        fades = seen.now_ns - seen.state.at_ns < (STEPS + 1) * width * 1_000_000_000
        every = 1 if page.TICKS else width if fades else 60
        return self.feed.version, seen.second // every

    # ---- pages

    async def action_page(self, name: str) -> None:
        """Open a page, at its outermost."""
        if name not in PAGES:
            self.notify(f"{name}: not in this build", severity="warning")
            return
        await self.switch_mode(name)
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self.paint(force=True)

    def open_request(self, request_id: str) -> None:
        """One request's story."""
        self.push_screen(Story(request_id))

    def open_consumer(self, name: str) -> None:
        """One consumer."""
        self.push_screen(OneConsumer(name))

    def open_requests(self, words: str) -> None:
        """The tail, filtered."""

        async def go() -> None:
            await self.action_page("requests")
            if isinstance(self.screen, Requests):
                self.screen.filter_by(words)

        self.run_worker(go(), exit_on_error=False)

    # ---- keys

    def action_freeze(self) -> None:
        """Stop or go on painting."""
        self._held = None if self._held is not None else self.feed.seen(self.window, self.signs)
        self.paint(force=True)

    def action_window(self) -> None:
        """The next window."""
        names = list(WINDOWS)
        self.window = names[(names.index(self.window) + 1) % len(names)]
        self.paint(force=True)

    def action_theme(self) -> None:
        """The next theme."""
        at = THEMES.index(self.theme) if self.theme in THEMES else -1
        self.theme = THEMES[(at + 1) % len(THEMES)]
        self.notify(f"theme {self.theme}", timeout=2)

    def watch_theme(self, theme: str) -> None:
        """Colours of lines are made when they are painted."""
        self.call_after_refresh(self.refresh_all)

    def refresh_all(self) -> None:
        """Paint every widget anew."""
        for widget in self.screen.query(Widget):
            widget.refresh()

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(Help(frame.help_lines(self.screen.NAME if isinstance(self.screen, Page) else "")))

    def action_open(self) -> None:
        """Go in."""
        if isinstance(self.screen, Page):
            self.screen.action_open()

    def action_out(self) -> None:
        """Go out."""
        if isinstance(self.screen, Page):
            self.screen.action_out()

    def action_sort(self) -> None:
        """The page's next order."""
        if isinstance(self.screen, Page):
            self.screen.action_sort()

    def action_filter(self) -> None:
        """The tail's filter, from anywhere."""

        async def go() -> None:
            if not isinstance(self.screen, Requests):
                await self.action_page("requests")
            if isinstance(self.screen, Requests):
                self.screen.action_filter()

        self.run_worker(go(), exit_on_error=False)

    def action_copy(self) -> None:
        """What is marked."""
        if isinstance(self.screen, Page):
            self.copy(self.screen.copied())

    def copy(self, text: str) -> None:
        """To the terminal's clipboard (OSC 52), and say what."""
        if text:
            self.copy_to_clipboard(text)
            self.notify(f"copied: {clean(text)}", timeout=4, markup=False)

    def action_export(self) -> None:
        """CSV of the list, SVG of the screen."""
        page = self.screen
        if not isinstance(page, Page):
            return
        stem = f"aimon-{page.NAME}-{self.seen().second}"
        names, rows = page.rows()
        try:
            made = [Path(self.save_screenshot(f"{stem}.svg", str(self.folder)))]
            if names:
                made.append(self.folder / f"{stem}.csv")
                with made[-1].open("w", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file)
                    writer.writerow(names)
                    writer.writerows([_cell(each) for each in row] for row in rows)
        except OSError as fault:
            self.notify(f"not saved: {fault}", severity="error", markup=False)
            return
        self.notify(f"saved: {', '.join(str(path) for path in made)}", markup=False)

    def action_clock(self) -> None:
        """Move the gateway's clock: to a window's edge, or stop it."""
        page = self.screen
        if not isinstance(page, Page):
            return
        moves = clock_moves(self.feed.now())

        def move(word: str | None) -> None:
            if word is not None:
                page.later(
                    lambda: self.admin.post("/clock", moves[word]), lambda found: self.done(f"clock: {found['now']}")
                )

        self.push_screen(Pick("The gateway's clock (windows, bills and the ledger follow it)", list(moves)), move)

    def action_leave(self) -> None:
        """End it; a gateway of our own is asked about."""
        if not self.owns:
            self.exit()
            return
        question = Ask("Quit. Stop the gateway too?", "stop it", "leave it running")
        self.push_screen(question, self._leave)

    def _leave(self, stop: bool | None) -> None:
        if stop is not None:
            self.exit(None if stop else LEFT_RUNNING)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key of the table by name, and Textual's own."""
        yield from super().get_system_commands(screen)
        page = screen if isinstance(screen, Page) else None
        for each in keys.of(page.NAME if page else ""):
            target = page if each.where and page else self

            async def run(action: str = each.action, target: Any = target) -> None:
                await self.run_action(action, target)

            yield SystemCommand(f"{each.label} ({each.shown})", each.help, run)

    # ---- the gateway

    def ask(self, ask: Callable[[], Any], then: Callable[[Any], None], page: Page) -> None:
        """Ask in a thread; the answer goes to ``then`` while the page is there, a refusal to the user."""

        def back(answer: Any) -> None:
            if page.is_attached:
                then(answer)

        def work() -> None:
            try:
                answer = ask()
            except AimonError as fault:
                self.call_from_thread(self.refused, fault)
            else:
                self.call_from_thread(back, answer)

        page.run_worker(work, thread=True, exit_on_error=False)

    def refused(self, fault: AimonError) -> None:
        """Say what the gateway said."""
        if isinstance(fault, AdminError) and not fault.status and not self.feed.link.attached:
            return  # the status line says it already
        text = f"{clean(fault, 500)}{f'; {clean(fault.hint)}' if fault.hint else ''}"
        self.notify(text, title="refused", severity="error", markup=False)

    def done(self, text: str) -> None:
        """Say that something was done, and look anew."""
        self.notify(clean(text, 500), timeout=15, markup=False)
        self.feed.refresh()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
