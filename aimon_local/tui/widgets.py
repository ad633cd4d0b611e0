"""The widgets: ``Lines`` (a block of text) and ``Grid`` (a table with a marked row). Both repaint only what changed.

Textual's own DataTable paints all of itself at each change (measured: ten times the work of a line that changed), and a
plain str in it is read as markup. Here a cell is a piece of text with a style word; the colours stand in ``CSS``.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from aimon_local.tui.lines import STYLES, Line

CSS = """
    .word--text { color: $foreground; }
    .word--dim { color: $foreground 60%; }
    .word--bold { color: $foreground; text-style: bold; }
    .word--title { color: $accent; text-style: bold; }
    .word--head { color: $foreground 70%; text-style: underline; }
    .word--ok { color: $primary; }
    .word--deny { color: $error; text-style: bold; }
    .word--near { color: $warning; text-style: bold; }
    .word--shadow { color: $secondary; }
    .word--money { color: $success; }
    .word--bar { color: $primary; }
    .word--track { color: $foreground 30%; }
    .word--key { color: $accent; text-style: bold; }
    .word--spark { color: $primary; }
"""
"""The colours of the style words; the app has it among its own."""

_WORDS = {f"word--{word}" for word in STYLES}


class Styled(Widget):
    """Style words as the theme has them."""

    _known: dict[tuple[str, bool], Style] | None = None

    def notify_style_update(self) -> None:
        """Another theme, or the focus came or went: words look another way."""
        super().notify_style_update()
        self._known = None

    def look(self, word: str, reverse: bool) -> Style:
        """A style word's colours on this widget's ground; looked up once, since each piece of each line asks."""
        if self._known is None:
            self._known = {}
        found = self._known.get((word, reverse))
        if found is None:
            found = self.rich_style + self.get_component_rich_style(f"word--{word}", partial=True)
            if reverse:
                found += Style(reverse=True)
            self._known[word, reverse] = found
        return found

    def strip(self, line: Line, width: int, reverse: bool = False) -> Strip:
        """A line as it is painted; what is longer is cut."""
        together: list[tuple[str, str]] = []  # neighbours of one look are one segment: each costs at every paint
        for text, word in line:
            if together and together[-1][1] == word:
                together[-1] = (together[-1][0] + text, word)
            else:
                together.append((text, word))
        made = Strip([Segment(text, self.look(word, reverse)) for text, word in together])
        return made.adjust_cell_length(width, self.look("text", reverse))


class Lines(Styled):
    """A block of lines; ``put`` gives it new ones. ``Lines.Clicked`` tells of a click, by line and cell."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _WORDS
    DEFAULT_CSS = "Lines { height: 1; width: 1fr; }"

    class Clicked(Message):
        """A click: which widget, line and cell."""

        def __init__(self, lines: "Lines", x: int, y: int) -> None:
            super().__init__()
            self.lines, self.x, self.y = lines, x, y

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.shown: Sequence[Line] = ()

    def put(self, shown: Sequence[Line]) -> None:
        """Show these; only lines that differ are painted."""
        old, self.shown = self.shown, shown
        for y in range(max(len(old), len(shown))):
            if (old[y] if y < len(old) else None) != (shown[y] if y < len(shown) else None):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        return self.strip(self.shown[y] if y < len(self.shown) else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Tell of it."""
        self.post_message(self.Clicked(self, event.x, event.y))


class Grid(ScrollView, Styled, can_focus=True):
    """A table: a heading that stays, rows that are made when they are seen, one of them marked.

    ``put`` takes the rows' keys and a function that makes the line of a place; the mark stays with its key. ``follow``:
    the mark stays at the end while it is there.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = _WORDS
    DEFAULT_CSS = """
    Grid { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    Grid:focus { background-tint: $foreground 0%; }
    """

    class Opened(Message):
        """Enter, or a click on the marked row."""

        def __init__(self, grid: "Grid", key: str) -> None:
            super().__init__()
            self.grid, self.key = grid, key

    class Moved(Message):
        """Another row is marked."""

    def __init__(self, *, id: str | None = None, follow: bool = False) -> None:
        super().__init__(id=id)
        self.follow = follow
        self.keys: Sequence[str] = ()
        self.marked = 0
        self.empty: Sequence[Line] = ()
        self._heading: Line = ()
        self._line: Callable[[int], Line] = lambda at: ()
        self._painted: list[tuple[Line, bool]] = []

    @property
    def key(self) -> str | None:
        """The marked row's."""
        return self.keys[self.marked] if self.marked < len(self.keys) else None

    @property
    def at_end(self) -> bool:
        """Whether the last row is marked, or there is none."""
        return self.marked >= len(self.keys) - 1

    @property
    def room(self) -> int:
        """Cells of a line."""
        return self.size.width

    def put(self, heading: Line, keys: Sequence[str], line: Callable[[int], Line], empty: Sequence[Line] = ()) -> None:
        """Show these rows; ``empty``: lines for where there is none."""
        marked, tail = self.key, self.follow and self.at_end
        self._heading, self._line, self.empty = heading, line, empty
        if keys is not self.keys:
            moved = self._place_of(marked, keys)
            self.keys = keys
            self.marked = len(keys) - 1 if tail and keys else moved
            self.virtual_size = Size(self.size.width, len(keys) + 1)
            self._show_mark()
        self._repaint()

    def _place_of(self, key: str | None, keys: Sequence[str]) -> int:
        """Where a key is now: rings move by little, so the search begins where it was."""
        if key is None or not keys:
            return 0
        for at in range(min(self.marked, len(keys) - 1), -1, -1):
            if keys[at] == key:
                return at
        for at in range(self.marked, len(keys)):
            if keys[at] == key:
                return at
        return min(self.marked, len(keys) - 1)

    def _visible(self, y: int) -> tuple[Line, bool]:
        """The line at a place of the window, and whether it is marked."""
        if y == 0:
            return self._heading, False
        at = y - 1 + int(self.scroll_offset.y)
        if not self.keys:
            return (self.empty[at] if at < len(self.empty) else ()), False
        if at >= len(self.keys):
            return (), False
        return self._line(at), at == self.marked

    def _repaint(self) -> None:
        """Paint the lines of the window that are not as they were."""
        now = [self._visible(y) for y in range(self.size.height)]
        old, self._painted = self._painted, now
        if len(old) != len(now):
            self.refresh()
            return
        for y, (one, other) in enumerate(zip(old, now, strict=True)):
            if one != other:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        line, marked = self._visible(y)
        return self.strip(line, self.size.width, marked and self.has_focus)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another part of it is seen."""
        super().watch_scroll_y(old_value, new_value)
        self._painted = []
        self.refresh()

    def on_resize(self) -> None:
        """Columns are chosen anew by who fills it; the window is painted whole."""
        self.virtual_size = Size(self.size.width, len(self.keys) + 1)
        self._painted = []
        self.refresh()

    def _show_mark(self) -> None:
        height = max(1, self.size.height - 1)
        top = int(self.scroll_offset.y)
        if self.marked < top or self.marked >= top + height:
            target = self.marked if self.marked < top else self.marked - height + 1
            self.scroll_to(y=max(0, target), animate=False, force=True)

    def mark(self, at: int) -> None:
        """Mark a row by its place."""
        at = max(0, min(len(self.keys) - 1, at))
        if at != self.marked:
            self.marked = at
            self._show_mark()
            self._repaint()
            self.post_message(self.Moved())

    # ---- keys and mouse

    def key_up(self) -> None:
        """One up."""
        self.mark(self.marked - 1)

    def key_down(self) -> None:
        """One down."""
        self.mark(self.marked + 1)

    def key_k(self) -> None:
        """One up."""
        self.mark(self.marked - 1)

    def key_j(self) -> None:
        """One down."""
        self.mark(self.marked + 1)

    def key_pageup(self) -> None:
        """A window up."""
        self.mark(self.marked - self.size.height + 2)

    def key_pagedown(self) -> None:
        """A window down."""
        self.mark(self.marked + self.size.height - 2)

    def key_home(self) -> None:
        """The first."""
        self.mark(0)

    def key_end(self) -> None:
        """The last."""
        self.mark(len(self.keys) - 1)

    def on_click(self, event: events.Click) -> None:
        """Mark the row; a second click opens it."""
        at = event.y - 1 + int(self.scroll_offset.y)
        if event.y < 1 or at >= len(self.keys):
            return
        if at == self.marked and self.has_focus:
            self.open()
        self.mark(at)

    def open(self) -> None:
        """Tell that the marked row is wanted."""
        key = self.key
        if key is not None:
            self.post_message(self.Opened(self, key))


def clicked_key(line: Line, x: int) -> str | None:
    """The word of the piece at a cell, where a line is a list of buttons."""
    at = 0
    for text, _ in line:
        at += cell_len(text)
        if x < at:
            return text
    return None
