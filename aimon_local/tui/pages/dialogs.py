"""Small questions over a page: yes or no, one of a list, and the list of keys. Escape answers none of them."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from aimon_local.tui.lines import Line
from aimon_local.tui.widgets import Grid, Lines


class Ask(ModalScreen[bool]):
    """Yes (y) or no (n, escape)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "dismiss(True)", "yes"),
        ("n", "dismiss(False)", "no"),
        ("escape", "dismiss(None)", "no"),
    ]

    def __init__(self, question: str, yes: str = "yes", no: str = "no", lines: Sequence[Line] = ()) -> None:
        super().__init__()
        self._question, self._answers, self._lines = question, (yes, no), lines

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical(classes="dialog"):
            yield Lines(id="question")

    def on_mount(self) -> None:
        """As tall as it is."""
        yes, no = self._answers
        block = self.query_one(Lines)
        block.styles.height = 3 + len(self._lines)
        block.put(
            [
                ((self._question, "bold"),),
                *self._lines,
                (),
                ((" y ", "key"), (yes, "text"), ("   n ", "key"), (no, "text"), ("   esc ", "key"), ("back", "text")),
            ]
        )


class Pick(ModalScreen[str]):
    """One of some words."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "none"), ("enter", "open", "this")]

    def __init__(self, question: str, words: Sequence[str]) -> None:
        super().__init__()
        self._question, self._words = question, words

    def compose(self) -> ComposeResult:
        """The question over the list."""
        with Vertical(classes="dialog"):
            yield Grid(id="pick")

    def on_mount(self) -> None:
        """As tall as the list."""
        grid = self.query_one(Grid)
        grid.styles.height = min(len(self._words) + 1, 15)
        grid.focus()
        made: list[Line] = [((f"  {word}", "text"),) for word in self._words]
        grid.put(((self._question, "bold"),), list(self._words), made.__getitem__)

    def action_open(self) -> None:
        """The marked one."""
        self.dismiss(self.query_one(Grid).key)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """By the mouse."""
        self.dismiss(event.key)


class Help(ModalScreen[None]):
    """A text that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss", "close"),
        ("question_mark", "dismiss", "close"),
        ("q", "dismiss", "close"),
    ]

    def __init__(self, text: Sequence[Line]) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        with VerticalScroll(classes="dialog wide"):
            yield Lines()

    def on_mount(self) -> None:
        """As tall as the text."""
        block = self.query_one(Lines)
        block.styles.height = len(self._text)
        block.put(self._text)
