"""The end of a request, whatever came of it: an answer of our own, SETTLE, RECORD.

``Closing`` holds what an exchange remembers, and the one way out of it: each request that was routed is settled and
recorded exactly once, and the end of its answer waits for the commit of its row. What happens before is
``gateway.exchange``.
"""

import logging
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from aimon_local.errors import StoreError
from aimon_local.gateway import refusals, reply
from aimon_local.gateway.patience import Patience
from aimon_local.gateway.record import outline, usage_row
from aimon_local.model.ai import AiRecord
from aimon_local.model.approval import ASKED
from aimon_local.model.guard_words import SAID, WORDS
from aimon_local.policy import reasons
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.call import Answer, BodyFilter, Call, Refuse, ResponseDraft
from aimon_local.policy.plan import NO_PLAN, Plan
from aimon_local.policy.rule import Meter
from aimon_local.wire.message import Client, Exchange, Header, RequestHead

if TYPE_CHECKING:
    from aimon_local.gateway.destinations import Choice
    from aimon_local.gateway.runtime import Runtime
    from aimon_local.gateway.waiting import Turn

_log = logging.getLogger(__name__)

Stop = Refuse | Answer
_TOLD = frozenset((WORDS, SAID, ASKED))  # notes that are more than a row


class State(Enum):
    """What the next body bytes of the client mean."""

    NEW = auto()
    FOR_RULE = auto()  # a rule must see the whole body before it decides
    WAIT = auto()  # for a slot of a busy service
    GATHER = auto()  # request_buffering: a small body is sent with its length
    STREAM = auto()  # passed on as it comes
    OVER = auto()  # dropped: the answer is decided, or the body is complete


NEW, FOR_RULE, WAIT, GATHER, STREAM, OVER = State
"""By name alone: to load a member of an enum takes longer than to compare it (Python 3.11), and each request does."""


class Closing:
    """What an exchange remembers, and how it ends."""

    __slots__ = (
        "answering",
        "attempts",
        "bytes_in",
        "bytes_out",
        "call",
        "choice",
        "client",
        "due",
        "filter",
        "forwarded",
        "gathered",
        "gone",
        "head",
        "lines",
        "meter",
        "over",
        "patience",
        "plan",
        "position",
        "reason",
        "replayable",
        "runtime",
        "sent_to",
        "started",
        "state",
        "status",
        "streaming",
        "trailers",
        "tried",
        "turn",
        "upstream",
        "upstream_head",
        "upstream_status",
    )

    head: RequestHead
    call: Call
    due: tuple[bytes | None, int | None, bool]  # what waits for its turn: body or None, length, whether all is here
    started: int  # monotonic nanoseconds, at the head's arrival

    def __init__(self, runtime: "Runtime", client: Client) -> None:
        self.runtime = runtime
        self.client = client
        self.state = NEW
        self.plan: Plan = NO_PLAN
        self.position = -1  # of the last rule that ran
        self.gathered: list[bytes] = []
        self.upstream: Exchange | None = None
        self.choice: Choice | None = None
        self.attempts = 0
        self.tried: tuple[str, ...] = ()  # names of targets that failed this request
        self.replayable = True  # all of the body is here: a try that was never sent can be made again
        self.answering = False  # the answer is decided: nothing else may answer
        self.over = False  # recorded
        self.gone = False  # the client left, the upstream is read on
        self.patience: Patience | None = None
        self.turn: Turn | None = None  # of a bounded service, until the upstream is through
        self.filter: BodyFilter | None = None
        self.meter: Meter | None = None
        self.lines: list[bytes] = []  # of the answer's head
        self.streaming = False  # the answer's head is out, its body follows
        self.trailers: Sequence[Header] = ()
        self.bytes_in = self.bytes_out = 0
        self.status = 0
        self.reason: str | None = None  # why it was denied
        self.upstream_status: int | None = None
        self.forwarded = self.upstream_head = 0  # monotonic nanoseconds; 0: not yet
        self.sent_to: tuple[str, int] | None = None  # address and port of the upstream

    # ---- SETTLE: an answer of our own

    def _refuse(self, stop: Stop) -> None:
        """Answer without the upstream, or in its place."""
        call, runtime = self.call, self.runtime
        self.state = OVER
        self.answering = True
        self._drop_upstream()
        self.reason = stop.reason if stop.reason not in reasons.FAILURES else None
        draft, body = self._shaped(stop)
        lines = self.lines = reply.own_lines(call, stop, draft, runtime.product, self.latencies())
        if runtime.clock.moved:
            lines.append(self._clock_line())
        self.status = draft.status
        self.bytes_out = len(body)
        if call.match is None:  # nothing was proxied: there is no row
            self._log(runtime.clock.monotonic_ns())
            self.client.respond(draft.status, lines, body)
        else:
            self._record(lambda: self.client.respond(draft.status, lines, body))

    def _shaped(self, stop: Stop) -> tuple[ResponseDraft, bytes]:
        """Our answer as the rules leave it. One that fails here leaves a bare 500: nobody else would answer."""
        call = self.call
        try:
            draft, body = reply.own_draft(call, stop)
            for rule in self.plan.response:
                rule.response(call, draft)
            for rule in self.plan.body if body else ():
                made = rule.body(call, draft)
                if made is not None:
                    body = made(body)
        except Exception:
            _log.exception("a rule failed on our own answer")
            return reply.own_draft(call, refusals.FAULT)
        return draft, body

    # ---- RECORD

    def _record(self, then: Callable[[], None], complete: bool = True) -> None:
        """Hand the row and the changed counters to the ledger; ``then`` runs when they are committed."""
        self.over = True
        if self.gone and self.upstream_status is not None:
            complete = False
        runtime = self.runtime
        ended = runtime.clock.monotonic_ns()
        if self.patience is not None:
            self.patience.end()
        if self.turn is not None and self.status != 101:  # a tunnel begins here
            self._end_turn()
        call, plan = self.call, self.plan
        try:
            for position, rule in plan.settle:
                if position <= self.position:
                    rule.settle(call, complete)
            if plan.log:
                self._log(ended)
        except Exception:
            _log.exception("a rule failed at the end of a request")  # its row is written all the same

        def committed(failure: StoreError | None) -> None:
            if failure is None:
                then()
            elif complete:
                self._unrecorded(failure)

        notes, row = call.notes, usage_row(self, ended, complete and not self.gone)
        ai = notes.get(NOTE)
        record = ai if isinstance(ai, AiRecord) else None
        if _TOLD.isdisjoint(notes):
            return runtime.ledger.add(row, call.touched, committed, record)
        return runtime.ledger.add(row, call.touched, committed, *runtime.heard(call, record))

    def _log(self, ended: int) -> None:
        """Let the log plugins say what is to be written elsewhere."""
        for rule in self.plan.log:
            order = rule.log(self.call, outline(self, ended))
            if order is not None:
                self.runtime.sinks.take(order)

    def _unrecorded(self, failure: StoreError) -> None:
        """The ledger could not take the row: no client may see a complete answer that it does not hold."""
        self.runtime.report(failure)
        if self.streaming:
            return self.client.abort()
        stop = refusals.STORE_DOWN
        draft, body = reply.own_draft(self.call, stop)
        lines = reply.own_lines(self.call, stop, draft, self.runtime.product, self.latencies())
        return self.client.respond(stop.status, lines, body)

    def latencies(self) -> tuple[int, int, int]:
        """Milliseconds: in the gateway before the upstream had it, until the upstream's head, in all until now."""
        now = self.runtime.clock.monotonic_ns()
        forwarded = self.forwarded or now
        answered = self.upstream_head or now
        return (
            (forwarded - self.started) // 1_000_000,
            (answered - forwarded) // 1_000_000,
            (now - self.started) // 1_000_000,
        )

    def _clock_line(self) -> bytes:
        """The mark of a moved clock: the time that the request was decided by."""
        at = self.call.now_ns
        clock = self.runtime.clock
        return reply.clock_line(at, clock.shift_ns(at, clock.monotonic_ns() - self.started))

    def _give_up(self, stop: Refuse) -> None:
        """Answer in the upstream's place; what is still on its way from it is dropped."""
        self.filter = None
        self.gathered.clear()
        self._drop_upstream()
        self._refuse(stop)

    def _drop_upstream(self) -> None:
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.cancel()

    def _end_turn(self) -> None:
        """Give a bounded service its slot back, or leave its queue."""
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.end()
