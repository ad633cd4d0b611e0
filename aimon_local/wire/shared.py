"""What the connections of one listener share: their user's hooks, bounds, deadlines and counts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimon_local.wire.deadlines import Deadlines
from aimon_local.wire.limits import Limits
from aimon_local.wire.message import Client, Handler, RequestHead

if TYPE_CHECKING:
    from aimon_local.wire.lifetime import Lifetime

Factory = Callable[[Client], Handler]
# (status, Kong's text, the head where it was read) → (field lines, body) of an answer that the wire gives by itself
RenderError = Callable[[int, str, RequestHead | None], tuple[list[bytes], bytes]]


def plain_error(status: int, message: str, head: RequestHead | None) -> tuple[list[bytes], bytes]:
    """The default page of a refusal by the wire."""
    return [b"Content-Type: text/plain; charset=utf-8"], message.encode() + b"\n"


@dataclass(slots=True)
class Counts:
    """Totals since the start, in Kong's words: connections accepted and handled (not over the cap), requests begun."""

    accepted: int = 0
    handled: int = 0
    requests: int = 0


@dataclass(slots=True)
class Shared:
    """One listener's common ground."""

    factory: Factory
    limits: Limits
    deadlines: Deadlines
    fast: bool  # plain heads may take the scanner
    render_error: RenderError = plain_error
    draining: bool = False
    counts: Counts = field(default_factory=Counts)
    connections: "set[Lifetime]" = field(default_factory=set)
    on_last: Callable[[], None] | None = None  # called when a drain has no connection left
