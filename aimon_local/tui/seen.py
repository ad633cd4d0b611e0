"""What a view is a function of: the state, the link to the gateway, the time, and what the user chose. Pure."""

from dataclasses import dataclass, field

from aimon_local.tui.lines import UNICODE, Signs
from aimon_local.tui.state import State

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Link:
    """How the connection stands. ``key``: an API key that may be shown in a curl line ("" is none known)."""

    address: str = "http://127.0.0.1:8001"
    proxy: str = "http://127.0.0.1:8000"
    attached: bool = False
    ever: bool = False  # attached at some time
    why: str = ""
    hint: str = ""
    tries: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at everything. ``now_ns``: the gateway's time."""

    state: State = field(default_factory=State)
    link: Link = field(default_factory=Link)
    now_ns: int = 0
    window: str = "1m"
    signs: Signs = UNICODE
    frozen: bool = False
    behind: int = 0  # events that came since it was frozen

    @property
    def second(self) -> int:
        """The time, whole seconds."""
        return self.now_ns // _NS
