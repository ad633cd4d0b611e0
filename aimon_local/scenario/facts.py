"""What a run saw: one ``Fact`` per request, joined with its row of the ledger, and what else the verdict looks at.

Values alone. Times are seconds since the run began, in the driver's own time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One request as the client saw it; ``row`` is the ledger's (``GET /requests``), None where there is none."""

    actor: str
    tier: str
    consumer: str
    phase: str
    step: str
    model: str
    iteration: int
    attempt: int  # 0: the first
    due: float  # when it should have been sent
    sent: float
    first_byte: float | None
    ended: float
    status: int  # 0: no answer
    error: str = ""  # connect, reset, timeout, left, protocol
    request_id: str = ""
    retry_after: float | None = None  # seconds, as it was told
    honoured: bool | None = None  # a retry: whether it waited as long as it was told; None: nothing was told
    bytes_out: int = 0
    faults: tuple[str, ...] = ()  # expectations that failed, by what the client saw
    reasons: tuple[str, ...] = ()  # deny reasons that were expected
    row: Mapping[str, Any] | None = None

    @property
    def late(self) -> float:
        """Seconds by which it was sent after its time."""
        return max(0.0, self.sent - self.due)

    @property
    def decision(self) -> str:
        """The ledger's; "" without a row."""
        return str(self.row["decision"]) if self.row else ""

    @property
    def reason(self) -> str:
        """Why it was denied; "" where it was not."""
        return str((self.row or {}).get("deny_reason") or "")

    def ai(self, name: str) -> Any:
        """A column of what the AI call used; 0 where it was none."""
        record = (self.row or {}).get("ai")
        return record.get(name, 0) if record else 0

    def with_row(self, row: Mapping[str, Any] | None) -> "Fact":
        """The same with the ledger's row; by place, for a long run has many."""
        values: list[Any] = [*_parts(self), row]
        return Fact(*values)

    def missed(self) -> Iterator[str]:
        """The expectations that failed, in words."""
        yield from self.faults
        if self.reasons and self.reason not in self.reasons:
            yield f"reason {self.reason or 'none'}, expected {' or '.join(each or 'none' for each in self.reasons)}"


_parts = attrgetter(*(each.name for each in fields(Fact)[:-1]))


@dataclass(frozen=True, slots=True)
class Mark:
    """An event of the script as it happened; ``error`` where it failed."""

    name: str
    do: str
    at: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict is made of. ``upstream``: what the mock counted between begin and end."""

    facts: tuple[Fact, ...]
    marks: tuple[Mark, ...] = ()
    upstream: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    interrupted: bool = False
    checked: bool = False  # the script expects something of its answers
    found: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # what was worked out of it already
