"""The guards in a plan: ``Door`` before the tier's rule, for what needs no body; ``Watch`` directly behind it.

A call that the guards deny never reaches the upstream, and what the tier's rule had held for it is given back. Warn is
a header, throttle a 429 with Retry-After for calls that come too close to the one before, deny a cool-down: each call
begins it anew, ``cool_s`` of silence end it. Guards in shadow are only told of.
"""

from fnmatch import fnmatchcase

from aimon_local.metering.dialects import dialect_for
from aimon_local.model.ai import AiRecord
from aimon_local.model.guards import Grade, Guards
from aimon_local.policy.ai_gate import Blocked, parse
from aimon_local.policy.ai_rule import document_of
from aimon_local.policy.call import NEED_BODY, Call, Outcome, ResponseDraft
from aimon_local.policy.guards import words
from aimon_local.policy.guards.boxes import Box, Spoken, judged, stored
from aimon_local.policy.guards.memory import Counts, Limits
from aimon_local.policy.guards.steps import Step, fingerprint, read_step
from aimon_local.policy.rule import Rule

_NS = 1_000_000_000
_FREE = "anthropic.count_tokens"
_EARLY = ("velocity", "storm", "errors")
_LATE = ("repeat", "ping_pong", "no_progress", "growth")
_BEGUN = "guard.begun"  # a throttled call that was let through: its second guard must not stop it
_STEP = "guard.step"
_NOT_ERRORS = frozenset((401, 408, 409, 425, 429))  # who is refused by these may come again
_COME_AGAIN = frozenset((429, 503, 529))


class _Guarding(Rule):
    """What both rules share."""

    __slots__ = ("_limits", "_tier", "guards")

    def __init__(self, guards: Guards, tier: str) -> None:
        self.guards, self._tier = guards, tier
        self._limits = Limits(
            int(guards.pause_s * _NS),
            int(guards.cool_s * _NS),
            guards.growth_percent,
            guards.growth_tokens,
            guards.velocity_floor,
        )

    def _act(self, call: Call, box: Box, counts: Counts, names: tuple[str, ...]) -> Outcome:
        """What the counts lead to."""
        spoken = judged(self.guards, counts) if any(counts) else []
        if box.told or spoken:
            for each in box.news(spoken, names):
                words.say(call, each.guard, each.grade.word, each.times, each.threshold, each.shadow)
        if not spoken:
            return None
        words.note(call, [each.word for each in spoken])
        acting = [each for each in spoken if not each.shadow]
        if not acting:
            return None
        worst = max(acting, key=lambda each: each.grade)
        if worst.grade is Grade.DENY:
            return self._box(call, box, worst)
        call.reply_fields.append((words.WARNING, words.warning(acting)))
        return self._brake(call, box, worst) if worst.grade is Grade.THROTTLE else None

    def _brake(self, call: Call, box: Box, worst: Spoken) -> Outcome:
        if call.now_ns < box.next_ns and _BEGUN not in call.notes:
            return self._refused(call, words.throttled(call, worst, box.next_ns - call.now_ns))
        if _BEGUN not in call.notes:
            box.next_ns = call.now_ns + int(self.guards.throttle_s * _NS)
            call.notes[_BEGUN] = True
        return None

    def _brakes(self, counts: Counts) -> bool:
        return any(each.grade is Grade.THROTTLE and not each.shadow for each in judged(self.guards, counts))

    def _box(self, call: Call, box: Box, worst: Spoken) -> Outcome:
        box.why = worst.guard
        text = f"{words.TELLS[worst.guard].format(worst.times)}; this is denied from {worst.threshold} on"
        return self._cool(call, box, text)

    def _cool(self, call: Call, box: Box, text: str) -> Outcome:
        box.until_ns = call.now_ns + self._limits.cool_ns
        if call.consumer is not None:
            call.touched.append(stored(call.consumer.id, box, call.now_ns))
        return self._refused(call, words.denied(call, box.why, text, self._limits.cool_ns))

    def _refused(self, call: Call, outcome: Outcome) -> Outcome:
        if words.NOTE not in call.notes:  # the tier's rule had no say
            dialect = dialect_for(call.method, call.path)
            name = dialect.name if dialect is not None else ""
            record = AiRecord(name, self._tier, "", None, False, 0, 0, 0, 0)
            agent = call.snapshot.family.by_consumer.get(call.consumer.id) if call.consumer is not None else None
            call.notes[words.NOTE] = record if agent is None else record._replace(agent=agent.name, owner=agent.owner)
        return outcome


class Door(_Guarding):
    """Before the tier's rule: cool-downs, and what is known without reading the request."""

    __slots__ = ()

    def access(self, call: Call) -> Outcome:
        """Deny, or let through."""
        if call.consumer is None:
            return None
        box = call.state.guards.open(call.consumer.id)
        if box.until_ns:
            if call.now_ns < box.until_ns:
                words.note(call, [f"{box.why}:cool-down"])
                text = f"The calls of this caller are denied until it is silent for {self.guards.cool_s:g} s"
                return self._cool(call, box, text)
            words.say(call, box.why, "recover", 0, 0, False)
            box.recover()
        counts = box.memory.behaviour(call.now_ns, self._limits)
        if any(counts) and call.body is None and (call.chunked or call.content_length) and self._brakes(counts):
            return NEED_BODY  # who is braked is known again by all of its request, or workers would be taken for one
        return self._act(call, box, counts, _EARLY)

    def peek(self, call: Call) -> Outcome:
        """Whether the caller is in a cool-down."""
        box = call.state.guards.find(call.consumer.id) if call.consumer is not None else None
        if box is None or call.now_ns >= box.until_ns:
            return None
        text = "The calls of this caller are denied until it is silent for a while"
        return words.denied(call, box.why, text, box.until_ns - call.now_ns)

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Remember how it ended."""
        if call.consumer is None:
            return
        memory, status, now = call.state.guards.open(call.consumer.id).memory, draft.status, call.now_ns
        target = call.path if call.query is None else f"{call.path}?{call.query}"
        unread = call.body is None and (call.chunked or call.content_length)  # nobody can tell it from another one
        request = "" if unread else fingerprint(call.state.guards.key, call.method, target, call.body or b"")
        if status < 400:
            step = call.notes.get(_STEP)
            memory.answered(step.prompt if isinstance(step, Step) else "", request, now, self._limits)
        elif status in _COME_AGAIN and (wait := _wait(draft, self._limits.cool_ns)):
            memory.refused(request, now, now + wait, self._limits, _retries(call))
        elif status not in _NOT_ERRORS:
            memory.failed(request, status < 500, now, self._limits)


class Watch(_Guarding):
    """Behind the tier's rule: what is said, by its fingerprints."""

    __slots__ = ()

    def access(self, call: Call) -> Outcome:
        """Deny, or let through."""
        dialect = dialect_for(call.method, call.path)
        if call.consumer is None or dialect is None or dialect.name == _FREE:
            return None
        if call.body is None:
            return NEED_BODY if call.chunked or call.content_length else None
        document = document_of(call) or parse(call.body)
        if isinstance(document, Blocked):
            return None
        step = read_step(document, call.state.guards.key)
        if self.guards.pollers and _polls(self.guards.pollers, call, step):
            return None
        call.notes[_STEP] = step
        box = call.state.guards.open(call.consumer.id)
        return self._act(call, box, box.memory.saw(step, call.now_ns, self._limits), _LATE)

    def settle(self, call: Call, complete: bool) -> None:
        """What it cost teaches what is usual."""
        record = call.notes.get(words.NOTE)
        if isinstance(record, AiRecord) and record.cost and call.consumer is not None:
            call.state.guards.open(call.consumer.id).memory.spent(record.cost, call.now_ns)


def _polls(patterns: tuple[str, ...], call: Call, step: Step) -> bool:
    route = call.match.route if call.match is not None else None
    known = {
        "route": (route.name or route.id,) if route is not None else (),
        "path": (call.path,),
        "model": (step.model,),
        "tool": step.tools,
        "fingerprint": (step.prompt, step.mark, step.thread),
    }
    pairs = (pattern.partition(":") for pattern in patterns)
    return any(fnmatchcase(value, wanted) for kind, _, wanted in pairs for value in known.get(kind, ()))


def _wait(draft: ResponseDraft, otherwise: int) -> int:
    """Nanoseconds for which a refusal asks; 0: it asks for nothing."""
    for name, unit in ((b"retry-after-ms", 1_000_000), (b"retry-after", _NS)):
        value = draft.get(name)
        if value is not None and value.isdigit() and len(value) < 10:
            return int(value) * unit
    return otherwise if draft.get(b"x-should-retry") == b"false" else 0


def _retries(call: Call) -> int | None:
    """Which try it is, where an official SDK says so."""
    value = call.get(b"x-stainless-retry-count")
    return int(value) if value is not None and value.isdigit() and len(value) < 4 else None
