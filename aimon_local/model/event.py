"""What can be said of a running gateway while it runs: one frozen noun per kind of event. No numbers, no I/O.

An event's number is its place in the stream (``gateway.events``). Times are nanoseconds since the epoch. A new kind is
a class here with its word in ``kind``, and a line in ``KINDS``. No event holds a secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from aimon_local.model.ai import AiRecord
from aimon_local.model.alert import Alert
from aimon_local.model.approval import Question
from aimon_local.model.rows import Change
from aimon_local.model.usage import UsageRow

_LABELS = ("name", "username", "custom_id", "model", "target", "group")  # by which people know an entity
MOST_CHANGES = 100  # named in one event; a whole document may hold thousands


@dataclass(frozen=True, slots=True)
class Started:
    """The gateway began; everything before belongs to an earlier process."""

    kind: ClassVar[str] = "start"
    at_ns: int
    version: str
    pid: int

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """The row of a request is in the ledger. ``row.at_ns`` is when its head arrived; ``ai``: what an AI call used."""

    kind: ClassVar[str] = "request"
    row: UsageRow
    ai: AiRecord | None = None

    def facts(self) -> Mapping[str, Any]:
        """The row by its columns, and ``ai`` by its own (null where it was no AI call)."""
        return {**self.row._asdict(), "ai": self.ai and self.ai.facts()}


@dataclass(frozen=True, slots=True)
class Changed:
    """One entity that was written: what was done (put, delete), to which kind, which one. Its fields stay out."""

    op: str
    kind: str
    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """A write took effect; the next request sees it. ``more``: changed entities that are not named here."""

    kind: ClassVar[str] = "config"
    at_ns: int
    changes: tuple[Changed, ...]
    more: int

    @classmethod
    def of(cls, at_ns: int, changes: Sequence[Change]) -> "ConfigChanged":
        """The event of one commit."""
        named = tuple(_changed(change) for change in changes[:MOST_CHANGES])
        return cls(at_ns, named, len(changes) - len(named))

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ledger can't be written (``failure`` says why, ``hint`` what to do), or can be again (None)."""

    kind: ClassVar[str] = "ledger"
    at_ns: int
    failure: str | None
    hint: str | None

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class GuardSpoke:
    """A behaviour guard has begun to warn, throttle or deny a caller; or the caller has recovered."""

    kind: ClassVar[str] = "guard"
    at_ns: int
    consumer_id: str
    consumer: str
    guard: str
    action: str  # warn, throttle, deny, recover
    count: int
    threshold: int
    shadow: bool  # it would have, were it not in shadow
    request_id: str

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ApprovalChanged:
    """A soft limit asks the operator (``question.state`` pending), or the operator has answered."""

    kind: ClassVar[str] = "approval"
    at_ns: int
    question: Question

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return {**self.question.facts(), "at_ns": self.at_ns}


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """A limit is nearly used up (``alert.state`` firing), or that is over (resolved)."""

    kind: ClassVar[str] = "alert"
    alert: Alert

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return self.alert.facts()


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """Somebody has moved the gateway's clock: it shows ``at_ns`` now, ``shift_ns`` off real time."""

    kind: ClassVar[str] = "clock"
    at_ns: int
    real_ns: int
    shift_ns: int
    speed: int  # times real time; 0: it is frozen
    action: str  # freeze, resume, reset, advance, jump, speed
    given: str  # the action's argument, "" where it has none
    by: str

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LabMoved:
    """The lesson under way has a new state: ``step`` of ``steps`` are done, ``title`` is the next (None: none is)."""

    kind: ClassVar[str] = "lab"
    at_ns: int
    lesson: str
    step: int
    steps: int
    title: str | None
    seen: int
    why: str | None  # what went wrong last
    request_id: str | None

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that this listener can't have any more, between those numbered ``after`` and ``next``.

    ``missed``: how many. None: they were of an earlier process, which nobody can count ("restart").
    """

    kind: ClassVar[str] = "gap"
    after: int
    next: int
    reason: str  # "overrun": they left the ring before they were read; "restart"
    missed: int | None

    def facts(self) -> Mapping[str, Any]:
        """What goes out, as JSON has it."""
        return asdict(self)


Event = (
    Started
    | RequestEnded
    | ConfigChanged
    | LedgerState
    | GuardSpoke
    | ApprovalChanged
    | AlertRaised
    | ClockMoved
    | LabMoved
    | Gap
)
KINDS = (
    *(RequestEnded.kind, ConfigChanged.kind, LedgerState.kind, Started.kind),
    *(GuardSpoke.kind, ApprovalChanged.kind, ClockMoved.kind, LabMoved.kind),
    AlertRaised.kind,
)
"""What can be asked for; a gap is always told."""


def _changed(change: Change) -> Changed:
    row = change.entity
    names = (row.get(field) for field in _LABELS)
    return Changed(change.op, change.kind, str(row.get("id")), next((name for name in names if name), None))
