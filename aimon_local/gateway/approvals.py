"""The operator's answers to questions of soft limits: stored with their line of the audit log, then in force."""

import asyncio
import logging
from collections.abc import Callable

from aimon_local.clock import Clock
from aimon_local.errors import StoreError
from aimon_local.gateway.auditing import GATEWAY, Auditor, approval_line
from aimon_local.gateway.holds import Holds
from aimon_local.model.approval import ASKED, MET, Question, State
from aimon_local.model.event import ApprovalChanged
from aimon_local.policy.call import Call
from aimon_local.policy.state import LimitState
from aimon_local.storage import approvals
from aimon_local.storage.database import Database
from aimon_local.storage.entities import EntityStore

_log = logging.getLogger("aimon_local")


class ApprovalDoor:
    """Lists, shows, decides. ``publish`` hears of each answer."""

    def __init__(
        self,
        database: Database,
        store: EntityStore,
        state: LimitState,
        auditor: Auditor,
        clock: Clock,
        publish: Callable[[ApprovalChanged], None],
    ) -> None:
        self._database, self._store, self._state = database, store, state
        self._auditor, self._clock, self._publish = auditor, clock, publish
        self._holds = Holds()
        self._writing: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def hold(self, call: Call, seconds: float, then: Callable[[], None]) -> bool:
        """Let a call wait for the answer to the question that it has met; ``then`` goes on. False: too many wait.

        Its question is told and stored now: the row of the call comes too late for that.
        """
        if not self._holds.wait(str(call.notes.get(MET)), seconds, then):
            return False
        question = call.notes.pop(ASKED, None)
        if isinstance(question, Question):
            self._publish(ApprovalChanged(call.now_ns, question))
            task = asyncio.get_running_loop().create_task(self._store_asked(question))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        return True

    async def _store_asked(self, question: Question) -> None:
        line = approval_line(self._auditor.stamp()._replace(actor=GATEWAY), "ask", None, question)
        async with self._turn:
            if self._state.approvals.find(question.id) in (None, question):  # else it is answered, and stored so
                try:
                    await self._store.execute([(approvals.PUT, [tuple(question)])], [line])
                except StoreError as fault:
                    _log.warning("a question could not be stored: %s", fault)

    async def close(self) -> None:
        """Let what is being stored be stored."""
        if self._writing:
            await asyncio.wait(set(self._writing))

    async def listed(self, state: str | None, consumer: str | None, size: int) -> list[Question]:
        """The newest first."""
        rows = await asyncio.to_thread(approvals.listed, self._database, state, consumer, size)
        return [self._state.approvals.find(row.id) or row for row in rows]

    async def one(self, id_: str) -> Question | None:
        """The question of an id."""
        return self._state.approvals.find(id_) or await asyncio.to_thread(approvals.one, self._database, id_)

    async def decide(
        self, id_: str, approve: bool, granted: int | None = None, for_ns: int | None = None
    ) -> Question | str | None:
        """Answer an open question; why it can't be answered any more; None: there is none of that id."""
        from aimon_local.policy.approvals import decided  # noqa: PLC0415 (a start without needs none of it)

        async with self._turn:
            question, now = await self.one(id_), self._clock.now_ns()
            if question is None:
                return None
            if question.state != State.PENDING.value:
                return f"{id_} was {question.state} before"
            if question.ends_ns <= now:
                return f"{id_} is over: the limit's window began anew"
            stamp = self._auditor.stamp()
            by = f"{stamp.actor.name} {stamp.actor.address}".strip()
            answered = decided(question, approve, by, now, granted, for_ns)
            line = approval_line(stamp, "approve" if approve else "deny", question, answered)
            await self._store.execute([(approvals.PUT, [tuple(answered)])], [line])
            self._state.approvals.put(answered)
            self._publish(ApprovalChanged(now, answered))
            self._holds.answered(id_)
            return answered
