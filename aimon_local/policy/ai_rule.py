"""The tiers' rule: gates, reservation before the upstream is asked, and settlement by what was used. Not a plugin.

It acts on each request of a consumer whose tier has a definition, behind rate-limiting and before the request
transformers. ``access`` holds the most that a call can use on every limit, or refuses; ``response`` and ``meter`` see
what the upstream answers; ``settle`` trues up, exactly once:

    never answered (refused by a later rule, upstream failed)     all is given back, the request too
    client gone, or time over, in the queue for a busy service     the same
    client gone before the answer                                  request and prompt, by our own count
    client gone, and the tier drains                               what the upstream really used, to its end
    upstream's error (4xx, 5xx)                                    the request alone
    answer complete, or cut on its way                             request, and tokens as metered
    answer that can't be read (compressed against our word)        request, and all that was held

Facts for the ledger: ``call.notes["ai"]``, an ``AiRecord``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.metering.dialect import Dialect
from aimon_local.metering.dialects import dialect_for
from aimon_local.metering.meter import Meter as AnswerMeter
from aimon_local.metering.meter import Metered, StreamMeter, meter_for
from aimon_local.model.ai import DRAIN, AiRecord, word
from aimon_local.model.approval import HOLD
from aimon_local.model.tier import Mode
from aimon_local.model.tokens import Source, TokenUsage
from aimon_local.policy import ai_gate, ai_refusals, ai_views
from aimon_local.policy.account import Account, Demand, Full, Grant, Status, admit, release, settle
from aimon_local.policy.accounts import Month, changes
from aimon_local.policy.ai_gate import Ask, Blocked
from aimon_local.policy.ai_headers import fields, standing
from aimon_local.policy.call import NEED_BODY, Answer, BodyFilter, Call, Outcome, Refuse, ResponseDraft, header
from aimon_local.policy.fingerprints import prompt_fingerprint
from aimon_local.policy.pricing import Totals
from aimon_local.policy.queueing import Lane
from aimon_local.policy.rule import Meter, Rule
from aimon_local.policy.terms import Terms

NOTE = "ai"
"""Where the record is in ``call.notes``; the held call itself is beside it."""

RELEASED = "released"
"""The flag of a call that was given back whole: it counts on nothing."""

_HELD = "ai.held"
_PRINT = "ai.fingerprint"  # of the prompt, from where it was read to where its record is made
_NS = 1_000_000_000
_NONE = (None, None, None, 0, 0)  # of a limit on which nothing is held
_LATE = _NS  # how much later async-count counts
_NOTHING = Metered(TokenUsage(source=Source.NONE))
_UNASKED = Metered(TokenUsage(source=Source.NONE, flags=(RELEASED,)))
_PLAIN = header("Accept-Encoding", "identity")


_Asked = tuple[str, str, str, str | None, bool, int, int, int, int]


@dataclass(slots=True)
class _Held:
    """A call that was admitted, until it is settled."""

    grant: Grant
    ask: Ask | None  # None: a plain call
    dialect: Dialect | None
    month: Month
    month_start: int
    totals: Totals
    demand: Demand
    shadow: tuple[str, ...]  # gates and limits that would have refused it
    standing: list[Status]  # of each limit, with what is held
    status: int = 0  # of the upstream; 0: it has not answered
    meter: AnswerMeter | None = None


class TierRule(Rule):
    """One tier on one kind of route: see the module."""

    __slots__ = ("_asks", "_cuts", "_drains", "_lane", "_patience", "max_body", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._asks = any(
            limit.ask for tier in (terms.counted, *(e.tier for e in terms.beside)) for limit in tier.limits
        )
        waits = (terms.tier.first_byte_s, terms.tier.total_s)
        self._cuts = terms.tier.hard_cut
        self._drains = terms.tier.on_disconnect == "drain"
        self._patience = None if waits == (None, None) else waits
        self._lane = Lane(terms.tier.name, terms.tier.priority, terms.tier.queue_s)
        most = terms.tier.max_body_bytes
        refusal = Refuse(413, f"The body is larger than {most} bytes", "body_too_large")
        self.max_body = None if most is None or "body" in terms.tier.shadow else (most, refusal)

    # ---- before the upstream

    def access(self, call: Call) -> Outcome:
        """Refuse, or hold what the call can use."""
        dialect, blocked = dialect_for(call.method, call.path), self.gate(call)
        if blocked is not None:
            return self._blocked(call, dialect, blocked)
        if dialect is None:
            if ai_views.is_me(call):
                return self.view(call)
            if ai_views.is_models(call):
                _uncompressed(call)
            return self._admit(call, None, None)
        if call.body is None and (call.chunked or call.content_length):
            return NEED_BODY
        return self._ask(call, dialect)

    def gate(self, call: Call) -> Blocked | None:
        """The gates that need no body."""
        if self.max_body is not None and (call.content_length or 0) > self.max_body[0]:
            return Blocked("body_too_large", self.max_body[1].message, None, "body")
        if self._route_allowed(call):
            return None
        message = f"The tier '{self.terms.tier.name}' does not include this route."
        return Blocked("route_not_allowed", message, None, "routes")

    def view(self, call: Call) -> Answer:
        """Where the caller stands; asking counts nothing."""
        return ai_views.me(call, self.terms, self._accounts(call), self._month(call))

    def _ask(self, call: Call, dialect: Dialect) -> Outcome:
        document = ai_gate.parse(call.body or b"")
        if isinstance(document, Blocked):
            return self._blocked(call, dialect, document)
        call.notes[_PRINT] = prompt_fingerprint(document, call.state.key, call.body or b"")
        ask = ai_gate.judge(self.terms, dialect, document, call.now_ns // _NS)
        if isinstance(ask, Blocked):
            return self._blocked(call, dialect, ask)
        refused = self._admit(call, dialect, ask)
        if refused is None:
            _uncompressed(call)
            if ask.document is not document:
                call.body = json.dumps(ask.document, separators=(",", ":"), ensure_ascii=False).encode(
                    "utf-8", "surrogatepass"
                )
        return refused

    def _route_allowed(self, call: Call) -> bool:
        tier, match = self.terms.tier, call.match
        if tier.routes == ("*",) or "routes" in tier.shadow or match is None:
            return True
        return self.terms.allows_route(match.route.name or match.route.id)

    def _subject(self, call: Call) -> str:
        return call.consumer.id if call.consumer is not None else ""

    def _accounts(self, call: Call) -> list[Account]:
        terms, registry, subject = self.terms, call.state.accounts, self._subject(call)
        found = [registry.open(subject, terms.counted, terms.zone)]
        found += [registry.open(f"{subject}@{each.key}", each.tier, each.zone) for each in terms.beside]
        if self._asks:
            call.state.approvals.bring(found, call.now_ns)
        return found

    def _month(self, call: Call) -> Month:
        return call.state.accounts.month(self._subject(call), call.now_ns, self.terms.zone)

    def wants(self, call: Call, ask: Ask | None) -> tuple[list[Account], Month, Totals, Demand]:
        """Where a call counts, its billing month, and the most that it can use there. Looking changes nothing."""
        accounts, month = self._accounts(call), self._month(call)
        demand = Demand() if ask is None else ask.demand
        totals = Totals(1, demand.input_tokens, demand.output_tokens, demand.cost)
        charge = month.most(self.terms.plan, totals)
        return accounts, month, totals, demand._replace(charge=charge) if charge else demand

    def _admit(self, call: Call, dialect: Dialect | None, ask: Ask | None) -> Outcome:
        """One synchronous step: look at every limit, hold on all or on none."""
        now = call.now_ns
        call.touched += call.state.accounts.count_late(now)
        accounts, month, totals, demand = self.wants(call, ask)
        got = admit(accounts, demand, now)
        provider = dialect.provider if dialect is not None else None
        statuses = [status for account in accounts for status in account.statuses(now)]
        before = call.reply_lines
        told = standing(statuses, provider, now, kongs=before is None or b"ratelimit-limit" not in before.names)
        if isinstance(got, Full):
            call.notes[NOTE] = AiRecord(
                *self._asked(ask, demand, None),
                denied_limit=got.status.name,
                requested=got.requested,
                used=got.status.used,
                limits=_marks(statuses, None, Demand(0), now),
                wait=got.wait,
                fingerprint=_fingerprint(call),
            )
            asked = call.state.approvals.asked(call, got, accounts) if self._asks else None
            if asked is not None:
                if self.terms.tier.hold_s:
                    call.notes.setdefault(HOLD, float(self.terms.tier.hold_s))
                return ai_refusals.approval_refusal(provider, got, call.request_id, fields(told), asked)
            if provider is None:
                return ai_refusals.plain_refusal(got, fields(told))
            return ai_refusals.limit_refusal(provider, got, call.request_id, fields(told))
        call.reply_lines = told if before is None else before.and_(told)
        call.patience, call.lane = self._patience, self._lane
        if self._drains and dialect is not None:
            call.notes[DRAIN] = True
        month.hold(totals)
        shadow = ask.shadow if ask is not None else ()
        if got.shadowed:
            shadow = (*shadow, *(full.status.name for full in got.shadowed))
        call.notes[_HELD] = _Held(got, ask, dialect, month, month.start, totals, demand, shadow, statuses)
        return None

    def _asked(self, ask: Ask | None, demand: Demand, served: str | None) -> _Asked:
        """The first columns of a record: what was asked for and held, and the model that served."""
        name = self.terms.tier.name
        if ask is None:
            return "", name, "", None, False, 0, 0, 0, 0
        dialect, model, stream, prompt = ask.facts[:4]
        _, came_in, went_out, cost, _ = demand
        return dialect, name, model, served, stream, prompt, came_in, went_out, cost

    def _blocked(self, call: Call, dialect: Dialect | None, blocked: Blocked) -> Refuse | Answer:
        record = AiRecord(dialect.name if dialect else "", self.terms.tier.name, "", None, False, 0, 0, 0, 0)
        if (facts := blocked.facts) is not None:  # what was asked for is demand, though it was refused
            wish = (facts.max_output or 0) * facts.choices
            record = record._replace(
                model=facts.model, stream=facts.stream, estimate=facts.prompt_tokens, reserved_output=wish
            )
        call.notes[NOTE] = record._replace(
            denied_limit=blocked.gate or blocked.reason, requested=blocked.requested, fingerprint=_fingerprint(call)
        )
        if dialect is None:
            return Refuse(ai_refusals.TABLE[blocked.reason].status, blocked.message, blocked.reason)
        return ai_refusals.refusal(dialect.provider, blocked.reason, blocked.message, call.request_id, blocked.param)

    # ---- the answer

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Remember that the upstream has answered, and how."""
        held = call.notes.get(_HELD)
        if isinstance(held, _Held) and draft.from_upstream:
            held.status = draft.status

    def meter(self, call: Call, draft: ResponseDraft) -> Meter | None:
        """Read an AI call's answer as it passes."""
        held = call.notes.get(_HELD)
        if not isinstance(held, _Held) or held.dialect is None or held.ask is None or draft.status >= 400:
            return None
        if (draft.get(b"content-encoding") or b"identity").strip().lower() != b"identity":
            return None
        facts = held.ask.facts
        if draft.get(b"content-length") is not None:
            facts = facts._replace(wants_usage=True)  # its length is told: nothing can be taken out
        held.meter = meter_for(held.dialect, facts, draft.get(b"content-type") or b"")
        if self._cuts and isinstance(held.meter, StreamMeter) and draft.get(b"content-length") is None:
            held.meter = _to_the_edge(held, held.dialect, held.ask)
        return held.meter

    def body(self, call: Call, draft: ResponseDraft) -> BodyFilter | None:
        """A list of models shows what the tier may use."""
        if draft.from_upstream and draft.status == 200 and ai_views.is_models(call):
            return ai_views.models_filter(self.terms)
        return None

    # ---- after it

    def settle(self, call: Call, complete: bool) -> None:
        """True up what was held."""
        held = call.notes.pop(_HELD, None)
        if not isinstance(held, _Held):
            return
        if not held.status and (complete or call.unsent):
            release(held.grant)
            self._note(call, held, self._used(held, _UNASKED.usage, 0), _UNASKED, complete=False)
            return
        metered = _metered(held, complete)
        used = self._used(held, metered.usage, 1)
        self._note(call, held, used, metered, complete)
        if self.terms.tier.mode is Mode.ASYNC_COUNT:
            call.state.accounts.later(held.grant, used, call.now_ns + _LATE)
            used = Demand()
        settle(held.grant, used)
        call.touched += (*changes(held.grant), held.month)

    def _used(self, held: _Held, usage: TokenUsage, requests: int) -> Demand:
        """What a call that is over used, what that costs and brings; its billing month counts it."""
        price = held.ask.price if held.ask is not None else None
        cost = price.rates.cost(usage) if price is not None else 0
        charge = held.month.settle(self.terms.plan, held.month_start, held.totals, usage, cost, requests)
        return Demand(requests, usage.total_input, usage.total_output, cost, charge)

    def _note(self, call: Call, held: _Held, used: Demand, metered: Metered, complete: bool) -> None:
        """The record of a call that is over."""
        usage, finish, served, error = metered
        flags = (*usage.flags, "error_in_stream") if error else usage.flags
        call.notes[NOTE] = AiRecord(  # by place, as in the ledger: names would cost each call a microsecond
            *self._asked(held.ask, held.demand, served if isinstance(served, str) else None),
            *usage[:5],
            used.cost,
            used.charge,
            usage.source.value,
            complete and usage.complete,
            finish if isinstance(finish, str) else None,
            flags,
            held.shadow,
            limits=_marks(held.standing, held.grant, used, call.now_ns),
            fingerprint=_fingerprint(call),
        )


def document_of(call: Call) -> Mapping[str, Any] | None:
    """The body of an AI call that was admitted, as it goes upstream; None: it was not read."""
    held = call.notes.get(_HELD)
    return held.ask.document if isinstance(held, _Held) and held.ask is not None else None


def _uncompressed(call: Call) -> None:
    """Ask the upstream for an answer as it is: what is compressed can't be metered."""
    call.fields = [each for each in call.fields if each[0] != b"accept-encoding"]
    call.fields.append(_PLAIN)


def _marks(statuses: list[Status], grant: Grant | None, used: Demand, now: int) -> tuple[str, ...]:
    """How each limit stood before a call and after it, as the ledger keeps it; a grant of None: nothing was held."""
    held = grant.held if grant is not None else ()
    marks, by_unit = [], used.units()
    for at, (subject, name, amount, taken, resets) in enumerate(statuses):
        _, _, unit, units, _ = held[at] if held else _NONE
        before = taken - units
        after = before if unit is None else before + by_unit[unit._name_]
        ends = -(-(now + resets) // _NS) if resets else 0
        marks.append(word(name, subject.partition("@")[2], amount, before, units, after, ends))
    return tuple(marks)


def _metered(held: _Held, complete: bool) -> Metered:
    """What an answered, or a left, call used."""
    ask = held.ask
    if ask is None or ask.price is None or held.status >= 400:
        return _NOTHING
    if held.meter is not None:
        return held.meter.finish(complete)
    output = ask.output if held.status else 0
    flag = "unreadable" if held.status else "client_gone"
    usage = TokenUsage(ask.facts.prompt_tokens, 0, 0, output, 0, Source.ESTIMATED, False, (flag,))
    return Metered(usage)


def _to_the_edge(held: _Held, dialect: Dialect, ask: Ask) -> AnswerMeter | None:
    """The meter that ends a stream at its budget's edge; None: it uses no tokens."""
    from aimon_local.metering.cut import CutMeter  # noqa: PLC0415 (where a tier cuts)
    from aimon_local.policy.hard_cut import edge  # noqa: PLC0415

    if ask.price is None:
        return None
    facts = ask.facts
    at = edge(ask.output, facts.prompt_tokens, ask.price.rates, held.standing, held.grant.held)
    return CutMeter(dialect, facts, at)


def _fingerprint(call: Call) -> str:
    return str(call.notes.get(_PRINT, ""))
