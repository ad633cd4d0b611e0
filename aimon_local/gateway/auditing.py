"""Who acts, and what of it goes into the audit log: the gateway's side of ``model.audit``.

The Admin API says who asks (``acting``) once per request; whatever that request writes is told under this name. What
nobody asked for is the gateway's own.
"""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from aimon_local.clock import Clock, SystemClock
from aimon_local.model.ai import AiRecord
from aimon_local.model.approval import ASKED, Question
from aimon_local.model.audit import Actor, AuditEntry, Change, Stamp, entries
from aimon_local.model.event import ApprovalChanged, GuardSpoke
from aimon_local.model.guard_words import SAID, WORDS
from aimon_local.policy.call import Call

GATEWAY = Actor()
acting: ContextVar[Actor] = ContextVar("acting", default=GATEWAY)
_REAL = SystemClock()


class Catalog(Protocol):
    """Where an entity is found as it is before a write."""

    def select(self, kind: str, id_: str) -> Mapping[str, Any] | None:
        """The stored row."""
        ...


def hear(
    call: Call, record: AiRecord | None, publish: Callable[[GuardSpoke | ApprovalChanged], None]
) -> tuple[AiRecord | None, list[AuditEntry], list[Question]]:
    """What guards and soft limits said of a call: into its record, to those who listen, into the audit log."""
    said, words = call.notes.get(SAID), call.notes.get(WORDS)
    if words and record is not None:
        record = record._replace(guard=str(words))
    lines = []
    for each in said if isinstance(said, list) else ():
        publish(each)
        stamp = Stamp(GATEWAY, each.at_ns, _REAL.now_ns())
        facts = {
            name: value for name, value in each.facts().items() if name not in ("at_ns", "consumer_id", "consumer")
        }
        action = f"would {each.action}" if each.shadow else each.action
        lines.append(stamp.entry("guard", action, "consumers", each.consumer_id, each.consumer, None, facts))
    question = call.notes.get(ASKED)
    if not isinstance(question, Question):
        return record, lines, []
    publish(ApprovalChanged(call.now_ns, question))
    lines.append(approval_line(Stamp(GATEWAY, call.now_ns, _REAL.now_ns()), "ask", None, question))
    return record, lines, [question]


def approval_line(stamp: Stamp, action: str, before: Question | None, after: Question) -> AuditEntry:
    """What is told of a question, or of its answer."""
    new = after.facts()
    old = None if before is None else before.facts()
    if old is not None:
        names = [name for name in new if old[name] != new[name]]
        old, new = ({name: side[name] for name in names} for side in (old, new))
    return stamp.entry("approval", action, "approvals", after.id, after.consumer, old, new)


class Auditor:
    """Makes the lines of a write."""

    def __init__(self, clock: Clock, catalog: Catalog) -> None:
        self._clock, self._catalog = clock, catalog

    def stamp(self) -> Stamp:
        """Who acts now, and when: by the gateway's clock and by the machine's."""
        return Stamp(acting.get(), self._clock.now_ns(), _REAL.now_ns())

    def __call__(self, changes: Sequence[Change]) -> list[AuditEntry]:
        """The lines of changes that are not yet applied to the catalog."""
        return entries(changes, self._catalog.select, self.stamp())
