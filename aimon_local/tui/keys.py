"""All keys of the dashboard in one table: bindings, footer, help screen, and the README's list are made of it.

Keys are plain letters, digits, enter, escape and blank, which every terminal sends; no letter means two things on one
page. To add a key: a line here, and a method ``action_NAME`` on the app or on the page that ``where`` names.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Key(NamedTuple):
    """``where``: "" is everywhere, else the name of the page. ``foot``: its place in the footer; 0: not there."""

    key: str
    action: str
    label: str  # one word, for the footer
    help: str
    where: str = ""
    foot: int = 0

    @property
    def shown(self) -> str:
        """As people write it."""
        return _WRITTEN.get(self.key, self.key)


_WRITTEN = {"escape": "esc", "question_mark": "?", "slash": "/", "colon": ":", "full_stop": ".", "comma": ","}

KEYS: tuple[Key, ...] = (
    Key("1", "page('tiers')", "Tiers", "Tiers: who uses what, live"),
    Key("2", "page('requests')", "Requests", "Requests: the live tail, and each decision"),
    Key("3", "page('scenarios')", "Scenarios", "Scenarios: replay traffic and judge it"),
    Key("4", "page('agents')", "Agents", "Agents: who acts for whom, and what waits for approval"),
    Key("5", "page('money')", "Money", "Money: revenue, cost, margin"),
    Key("6", "page('policy')", "Policy", "Policy: what is configured, what acts on what"),
    Key("7", "page('lab')", "Lab", "Lab: the lessons, ticked off as you do them"),
    Key("enter", "open", "open", "Go in: a tier's consumers, a consumer, a request", foot=1),
    Key("escape", "out", "back", "Go out, or close what is open", foot=2),
    Key("slash", "filter", "filter", "Filter words: tier:pro status:429 reason:rate_limited tokens>1000 !route:x"),
    Key("space", "freeze", "freeze", "Stop painting; nothing is lost meanwhile", foot=8),
    Key("w", "window", "window", "The time that rates and sparks look back: 1m, 5m, 1h", foot=9),
    Key("s", "sort", "sort", "Sort by the next column", foot=7),
    Key("y", "copy", "copy", "Copy what is marked (OSC 52: through ssh and tmux too)"),
    Key("e", "export", "export", "Save this screen's list as CSV and its picture as SVG"),
    Key(
        "C", "clock", "clock", "The gateway's clock: to the next minute, hour or day; freeze, go on, back to real time"
    ),
    Key("t", "theme", "theme", "The next theme, light ones too"),
    Key("colon", "command_palette", "commands", "All commands by name (ctrl+p too)"),
    Key("question_mark", "help", "help", "This list", foot=3),
    Key("q", "leave", "quit", "Quit", foot=4),
    Key("d", "denied", "denied", "Requests: only what was denied", "requests", 3),
    Key("f", "from_cell", "same", "Requests: filter by the marked one's consumer", "requests", 4),
    Key("G", "tail", "tail", "Requests: back to the newest", "requests", 5),
    Key("d", "denials", "denied", "Tiers: what was denied, as a list", "tiers", 3),
    Key("x", "run", "run", "Scenarios: play the marked one against this gateway", "scenarios", 3),
    Key("X", "run_all", "all", "Scenarios: play all of them", "scenarios", 4),
    Key("comma", "stop", "stop", "Scenarios: end the traffic; the report still comes", "scenarios", 5),
    Key("r", "save", "report", "Scenarios: save the report as JSON", "scenarios", 6),
    Key("p", "price", "price", "Money: what would other prices have made of today? Nothing is stored", "money", 3),
    Key("i", "insight", "insights", "Money: alerts, then each insight of the ledger, with its method", "money", 4),
    Key("a", "approve", "approve", "Agents: grant head-room on the marked question (asks)", "agents", 3),
    Key("D", "deny", "deny", "Agents: say no to the marked question (asks)", "agents", 4),
    Key(
        "E",
        "edit",
        "edit",
        "Policy: edit the marked one as JSON: checked as you type, a diff before it is applied",
        "policy",
        3,
    ),
    Key("u", "undo", "undo", "Policy: take back what was applied last (asks)", "policy", 4),
    Key("r", "reload", "reload", "Policy: read it anew", "policy", 5),
    Key("c", "curl", "curl", "Request: copy a curl line of its kind", "request", 3),
    Key("R", "replay", "replay", "Request: ask the gates whether it would pass now; nothing is sent", "request", 4),
    Key("m", "move", "move", "Consumer: to another tier (asks)", "consumer", 3),
    Key("K", "rotate", "keys", "Consumer: rotate or disable a key (asks)", "consumer", 4),
)


def of(page: str) -> list[Key]:
    """The keys that a page answers to, its own first."""
    own = [each for each in KEYS if each.where == page]
    taken = {each.key for each in own}
    return own + [each for each in KEYS if not each.where and each.key not in taken]


def footer(page: str, most: int = 8) -> list[Key]:
    """At most eight, those of the page first."""
    return sorted((each for each in of(page) if each.foot), key=lambda each: (not each.where, each.foot))[:most]


def pages() -> list[Key]:
    """The pages' own keys, in their order."""
    return [each for each in KEYS if each.action.startswith("page(")]


def markdown(keys: Sequence[Key] = KEYS) -> str:
    """The README's list."""
    lines = ["| key | what it does |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{each.shown}` | {each.help} |" for each in keys)])
