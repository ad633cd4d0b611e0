"""The tiers' rule for an agent: may it at all, in which run, and a reserve on agent, owner, run and token together.

It stands in the place of the consumer's ``TierRule`` and does all that one does. Before it: is the agent on and its
owner alive, does the run that it names hold, do the scopes allow the call. With it: the owner's limits, the run's and
the token's budget are accounts of the same grant (``policy.account.admit``), so that all of them hold or none, and all
are settled or given back by the same step.

What it refuses is in the ledger with agent, owner, run and depth, as all that it lets through.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from aimon_local.metering.dialect import AiFacts, BadBody, Dialect
from aimon_local.metering.dialects import dialect_for
from aimon_local.model.agent import Agent, Scopes
from aimon_local.model.ai import AiRecord
from aimon_local.policy import ai_gate, ai_refusals, reasons
from aimon_local.policy.account import Account
from aimon_local.policy.agents import chain, scopes
from aimon_local.policy.agents.chain import Place
from aimon_local.policy.agents.scopes import Refused
from aimon_local.policy.agents.tokens import KIND
from aimon_local.policy.ai_gate import Blocked
from aimon_local.policy.ai_rule import NOTE, RELEASED, TierRule
from aimon_local.policy.call import Answer, Call, NeedBody, Outcome, Refuse
from aimon_local.policy.terms import Terms

_PLACE = "agent.place"
_SUBJECTS = "agent.subjects"  # of each limit of the call the account that it counts on; None: the agent's own
_NS = 1_000_000_000


class AgentRule(TierRule):
    """One agent on one kind of route."""

    __slots__ = ("_owner", "agent")

    def __init__(self, terms: Terms, agent: Agent, owner: Terms | None) -> None:
        super().__init__(_narrowed(terms, agent.scopes.max_output_tokens))
        self.agent, self._owner = agent, owner
        if owner is not None:
            self._asks = self._asks or any(limit.ask for limit in owner.counted.limits)

    # ---- before the upstream

    def access(self, call: Call) -> Outcome:
        """Refuse, or hold what the call can use, on all accounts or on none."""
        refused = self._may(call)
        if refused is not None:
            return refused if isinstance(refused, NeedBody) else self._deny(call, refused)
        outcome = super().access(call)
        if outcome is None:
            self._begin(call)
        elif not isinstance(outcome, NeedBody):
            self._stamp(call)
        return outcome

    def _may(self, call: Call) -> Refused | NeedBody | None:
        """All that needs no counter. Looking counts nothing."""
        agent, refused = self.agent, self._barred(call)
        if refused is not None:
            return refused
        place = call.notes.get(_PLACE)
        if not isinstance(place, Place):
            found = chain.place(call, agent, _claims(call))
            if isinstance(found, NeedBody):
                return found
            if isinstance(found, Refused):
                return found
            place = call.notes[_PLACE] = found
        return chain.over(place, agent, call.now_ns)

    def _barred(self, call: Call) -> Refused | None:
        """Whether it is on, whether its owner acts, and what its scopes say of route and method."""
        agent = self.agent
        if not agent.enabled:
            return Refused(reasons.AGENT_DISABLED, f"The agent '{agent.name}' is disabled.")
        if not call.snapshot.family.owner_acts(agent.owner_id, call.now_ns // _NS):
            text = f"The owner '{agent.owner}' of the agent '{agent.name}' is gone, or has no valid key."
            return Refused(reasons.OWNER_REVOKED, text)
        return scopes.of_head(agent.name, self._scopes(call), call)

    def dry(self, call: Call, facts: AiFacts | None) -> Blocked | None:
        """For a dry run: what bars it, before the tier is asked."""
        refused = self._barred(call)
        if refused is None and facts is not None:
            refused = self._scoped(call, facts)
        return None if refused is None else Blocked(refused.reason, refused.text, refused.param, refused.reason)

    def _scoped(self, call: Call, facts: AiFacts) -> Refused | None:
        refused = scopes.of_body(self.agent.name, self._scopes(call), facts)
        if refused is None and self._owner is not None and not self._owner.allows_model(facts.model):
            text = f"The tier of the owner '{self.agent.owner}' does not include the model '{facts.model}'."
            refused = Refused(reasons.MODEL_NOT_ALLOWED, text, "model")
        return refused

    def _scopes(self, call: Call) -> tuple[Scopes, ...]:
        claims = _claims(call)
        return (self.agent.scopes,) if claims is None else (self.agent.scopes, Scopes.of(claims["scopes"]))

    def _ask(self, call: Call, dialect: Dialect) -> Outcome:
        document = ai_gate.parse(call.body or b"")
        facts = None if isinstance(document, ai_gate.Blocked) else dialect.read(document)
        if facts is None or isinstance(facts, BadBody):
            return super()._ask(call, dialect)  # which says what is wrong with it
        refused = self._scoped(call, facts)
        if refused is not None:
            return self._deny(call, refused, facts.model)
        most = scopes.most_output(self._scopes(call))
        if most is None or most == self.agent.scopes.max_output_tokens:
            return super()._ask(call, dialect)
        narrow = AgentRule(_narrowed(self.terms, most), self.agent, self._owner)  # a token's, which lives for minutes
        return TierRule._ask(narrow, call, dialect)

    def _accounts(self, call: Call) -> list[Account]:
        """Its own, its owner's, its run's and its token's."""
        found = super()._accounts(call)
        owner, state = self._owner, call.state
        more: list[Account] = []
        if owner is not None:
            subject = self.agent.owner_id
            more.append(state.accounts.open(subject, owner.counted, owner.zone))
            more += [state.accounts.open(f"{subject}@{each.key}", each.tier, each.zone) for each in owner.beside]
            if self._asks:
                state.approvals.bring(more, call.now_ns)
        place = call.notes.get(_PLACE)
        if isinstance(place, Place):
            more += place.accounts(self.agent, state.runs, _claims(call), call.now_ns)
        call.notes[_SUBJECTS] = [None for each in found for _ in each.counters] + [
            each.subject for each in more for _ in each.counters
        ]
        return [*found, *more]

    def _begin(self, call: Call) -> None:
        """It was admitted: the run goes on, and upstream and client are told where in it they are."""
        place = call.notes.get(_PLACE)
        if isinstance(place, Place):
            call.touched.extend(chain.begin(call, self.agent, place))

    # ---- after it

    def settle(self, call: Call, complete: bool) -> None:
        """True up, and say whose it was."""
        super().settle(call, complete)
        record, place = call.notes.get(NOTE), call.notes.get(_PLACE)
        if isinstance(record, AiRecord) and RELEASED in record.flags and isinstance(place, Place):
            call.touched.extend(chain.give_back(place, call.now_ns))
        self._stamp(call)

    # ---- what is said of it

    def _deny(self, call: Call, refused: Refused, model: str = "") -> Refuse | Answer:
        dialect = dialect_for(call.method, call.path)
        record = AiRecord(dialect.name if dialect else "", self.terms.tier.name, model, None, False, 0, 0, 0, 0)
        call.notes[NOTE] = record._replace(denied_limit=refused.reason)
        self._stamp(call)
        if dialect is None:
            return Refuse(ai_refusals.TABLE[refused.reason].status, refused.text, refused.reason)
        return ai_refusals.refusal(dialect.provider, refused.reason, refused.text, call.request_id, refused.param)

    def _stamp(self, call: Call) -> None:
        """Agent, owner, run and depth into the ledger's row; which limits are whose."""
        record, place = call.notes.get(NOTE), call.notes.get(_PLACE)
        if not isinstance(record, AiRecord) or record.agent is not None:
            return
        run, depth = (place.run.name, place.depth) if isinstance(place, Place) else (None, 0)
        subjects = call.notes.get(_SUBJECTS)
        limits = record.limits
        if isinstance(subjects, list) and limits:
            limits = tuple(_whose(text, subject) for text, subject in zip(limits, subjects, strict=True))
        call.notes[NOTE] = record._replace(
            agent=self.agent.name, owner=self.agent.owner, run=run, depth=depth, limits=limits
        )


def _whose(text: str, subject: str | None) -> str:
    """A limit's word with the account that it counts on, where that is not the agent's own."""
    name, _, numbers = text.partition("=")
    return text if subject is None else f"{name.partition('@')[0]}@{quote(subject, '')}={numbers}"


def _claims(call: Call) -> dict[str, Any] | None:
    credential = call.credential
    return dict(credential.fields) if credential is not None and credential.kind == KIND else None


def _narrowed(terms: Terms, most: int | None) -> Terms:
    """Terms whose output is bounded as the scopes say."""
    tier = terms.tier
    if most is None or (tier.max_output_tokens is not None and tier.max_output_tokens <= most):
        return terms
    return replace(terms, tier=replace(tier, max_output_tokens=most, clamp=True))
