"""Policy: what is configured as a tree, and edits of it: checked while typing, shown as a diff, applied, taken back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import TextArea

from aimon_local.client.admin import AdminError, segment
from aimon_local.tui.lines import Line, clean, plain
from aimon_local.tui.pages.dialogs import Ask
from aimon_local.tui.pages.page import Page, Rows, bindings
from aimon_local.tui.seen import Seen
from aimon_local.tui.views import policy as view
from aimon_local.tui.widgets import Grid, Lines

Entity = Mapping[str, Any]


class Policy(Page):
    """Tree left, the marked one right."""

    NAME = "policy"
    BINDINGS = bindings("policy")

    def __init__(self) -> None:
        super().__init__()
        self._found: Mapping[str, Sequence[Entity]] = {}
        self._armed: Sequence[Entity] = ()
        self._writes = -1
        self._undo: list[tuple[str, str, dict[str, Any]]] = []  # (kind, id, fields as they were)

    def body(self) -> ComposeResult:
        """Both."""
        with Horizontal():
            yield Grid(id="tree")
            with VerticalScroll(id="detail"):
                yield Lines(id="entity")

    def on_mount(self) -> None:
        """Read it."""
        self.query_one("#tree").styles.width = "2fr"
        self.query_one("#detail").styles.width = "3fr"
        self.action_reload()

    def action_reload(self) -> None:
        """Read it anew."""
        admin = self.dashboard.admin

        def read() -> tuple[Any, Any]:
            return {kind: list(admin.pages(f"/{kind}")) for kind in view.KINDS}, admin.get("/armed")["data"]

        self.later(read, self._told)

    def _told(self, answer: tuple[Any, Any]) -> None:
        self._found, self._armed = answer
        self.repaint()

    def show(self, seen: Seen) -> None:
        """Tree and entity; a write from elsewhere is read too."""
        if seen.state.writes != self._writes:
            first, self._writes = self._writes < 0, seen.state.writes
            if not first:
                self.action_reload()
        grid = self.query_one("#tree", Grid)
        rows = view.tree(self._found, seen.signs)
        made: list[Line] = [line for _, line in rows]
        grid.put(((" what is configured", "head"),), [key for key, _ in rows], made.__getitem__)
        marked = self._marked()
        armed = [
            each for each in self._armed if marked and marked[0] == "tiers" and each["tier"] == marked[1].get("name")
        ]
        block = self.query_one("#entity", Lines)
        text = view.detail(marked[1] if marked else None, armed, seen.signs, max(20, self.size.width * 3 // 5 - 3))
        block.styles.height = len(text)
        block.put(text)

    def _marked(self) -> tuple[str, Entity] | None:
        kind, _, id_ = (self.query_one("#tree", Grid).key or "").partition("/")
        row = next((each for each in self._found.get(kind, ()) if str(each["id"]) == id_), None)
        return None if row is None else (kind, row)

    def on_grid_moved(self) -> None:
        """Another one is marked."""
        self.repaint()

    def on_grid_opened(self) -> None:
        """Edit it."""
        self.action_edit()

    def action_edit(self) -> None:
        """The marked one, as JSON."""
        marked = self._marked()
        if marked is None:
            self.notify("mark an entity to edit it", severity="warning")
            return
        kind, row = marked
        self.app.push_screen(Editor(self, kind, row), lambda new: self._edited(kind, row, new))

    def _edited(self, kind: str, row: Entity, new: dict[str, Any] | None) -> None:
        fields = view.changed(row, new) if new is not None else {}
        if not fields:
            return
        question = f"Apply this to {clean(view.name_of(row))}?"
        before = {name: row.get(name) for name in fields}

        def act(sure: bool | None) -> None:
            if sure:
                self._apply(kind, str(row["id"]), fields, before)

        self.app.push_screen(Ask(question, lines=view.diff(row, new or {})), act)

    def _apply(self, kind: str, id_: str, fields: dict[str, Any], before: dict[str, Any] | None) -> None:
        path = f"/{kind}/{segment(id_)}"

        def done(_: Any) -> None:
            if before is not None:
                self._undo.append((kind, id_, before))
            self.notify("applied; the next request sees it. u takes it back" if before is not None else "taken back")
            self.action_reload()

        self.later(lambda: self.dashboard.admin.patch(path, fields), done)

    def action_undo(self) -> None:
        """Take the last edit back."""
        if not self._undo:
            self.notify("nothing was applied here", severity="warning")
            return
        kind, id_, before = self._undo[-1]

        def act(sure: bool | None) -> None:
            if sure:
                self._undo.pop()
                self._apply(kind, id_, before, None)

        self.app.push_screen(Ask(f"Take back {', '.join(clean(name) for name in before)} of one of the {kind}?"), act)

    def rows(self) -> Rows:
        """The tree's lines."""
        return ("line",), [(plain(line),) for _, line in view.tree(self._found, self.dashboard.signs)]


class Editor(ModalScreen[dict[str, Any]]):
    """JSON with a word on it: whether it can be read, and what the gateway thinks of it. F2 goes on, escape leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "apply", "apply", priority=True),
        Binding("f3", "would", "would", priority=True),
        Binding("escape", "dismiss(None)", "leave", priority=True),
    ]

    def __init__(self, page: Policy, kind: str, row: Entity) -> None:
        super().__init__()
        self._page, self._kind, self._row = page, kind, row
        self.said = ""

    def compose(self) -> ComposeResult:
        """Text, and what is said of it."""
        with Vertical(classes="dialog wide"):
            yield TextArea(view.text_of(self._row), id="json", show_line_numbers=True)
            yield Lines(id="said")
            yield Lines(id="how")

    def on_mount(self) -> None:
        """Tall enough to work in."""
        self.query_one(TextArea).styles.height = max(5, self.app.size.height - 8)
        more = " F3 what it would have denied  " if self._kind == "tiers" else ""
        self.query_one("#how", Lines).put([((" F2 diff and apply  ", "key"), (more, "key"), (" esc leave", "key"))])
        self.query_one(TextArea).focus()

    def on_text_area_changed(self) -> None:
        """Check it; what can be read is shown to the gateway's own rules, which store nothing."""
        found = view.read(self.query_one(TextArea).text)
        if isinstance(found, str):
            self._say(found, False)
            return
        self._say("it can be read", True)
        admin = self._page.dashboard.admin
        path = f"/schemas/{'plugins' if self._kind == 'plugins' else self._kind}/validate"

        def ask() -> str:
            try:
                admin.post(path, {name: value for name, value in found.items() if value is not None})
            except AdminError as fault:
                return "" if fault.status == 404 else str(fault)
            return ""

        def then(fault: str) -> None:
            if self.is_attached and view.read(self.query_one(TextArea).text) == found:
                self._say(fault or "good", not fault)

        self._page.later(ask, then)

    def _say(self, text: str, good: bool) -> None:
        signs = self._page.dashboard.signs
        self.said = text
        self.query_one("#said", Lines).put(
            [((f" {signs.ok if good else signs.deny} {clean(text, 500)}", "ok" if good else "deny"),)]
        )

    def action_apply(self) -> None:
        """Hand it over, where it can be read."""
        found = view.read(self.query_one(TextArea).text)
        if isinstance(found, str):
            self._say(found, False)
            return
        self.dismiss(found)

    def action_would(self) -> None:
        """What the edited tier would have made of the calls that the ledger holds."""
        found = view.read(self.query_one(TextArea).text)
        if isinstance(found, str) or self._kind != "tiers":
            return
        tier = {name: value for name, value in found.items() if value is not None and name not in ("name", "tags")}
        body = {"plans": [{"name": "edit", "offers": {"tiers": {found.get("name"): tier}}}]}
        admin = self._page.dashboard.admin

        def told(answer: Mapping[str, Any]) -> None:
            if self.is_attached:
                self._say(view.would(answer), True)

        self._page.later(lambda: admin.post("/what-if", body), told)
