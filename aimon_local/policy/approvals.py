"""Soft limits: a full one asks the operator, an approved question is head-room on it until it ends. Pure.

A question stands for all calls of a caller that meet the same full limit, until it is answered or the limit's window is
over. Head-room is added to the limit's amount, lazily, whenever an account is looked at; several grants add up. It
belongs to the window as the limit does: its ledger is the table of questions.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from aimon_local.model.approval import ASKED, MET, Question, State
from aimon_local.policy.account import Account, Full
from aimon_local.policy.call import Call

MOST = 10_000  # questions that are remembered; the oldest goes
_ID = 10  # characters of a request's id that become the question's
_SHORT = 60_000_000_000  # the least that a question stays open

Place = tuple[str, str]  # (account's subject, limit's name)


class Approvals:
    """All open and answered questions whose end is not over."""

    __slots__ = ("_by_id", "_granted", "_latest")

    def __init__(self, known: Iterable[Question] = ()) -> None:
        self._by_id: OrderedDict[str, Question] = OrderedDict()
        self._latest: dict[Place, str] = {}
        self._granted: dict[Place, list[Question]] = {}
        for each in known:
            self.put(each)

    def put(self, question: Question) -> None:
        """A new question, or what became of an old one."""
        place = question.subject, question.limit_name
        self._by_id[question.id] = question
        self._latest[place] = question.id
        others = [each for each in self._granted.get(place, ()) if each.id != question.id]
        if question.state == State.APPROVED.value:
            others.append(question)
        if others:
            self._granted[place] = others
        if len(self._by_id) > MOST:
            _, oldest = self._by_id.popitem(last=False)
            where = oldest.subject, oldest.limit_name
            if self._latest.get(where) == oldest.id:
                del self._latest[where]

    def find(self, id_: str) -> Question | None:
        """The question of an id."""
        return self._by_id.get(id_)

    def bring(self, accounts: Sequence[Account], now_ns: int) -> None:
        """Give the accounts' limits the amounts that hold now."""
        if not self._granted:
            return
        for account in accounts:
            for limit in account.tier.limits:
                grants = self._granted.get((account.subject, limit.name)) if limit.ask else None
                if grants is None:
                    continue
                active = [each for each in grants if each.ends_ns > now_ns]
                amount = limit.amount + sum(each.granted for each in active)
                for _, counter in account.counters:
                    if counter.name == limit.name:
                        counter.amount = amount
                if len(active) != len(grants):
                    self._keep((account.subject, limit.name), active)

    def _keep(self, place: Place, active: list[Question]) -> None:
        if active:
            self._granted[place] = active
        else:
            del self._granted[place]

    def asked(self, call: Call, full: Full, accounts: Sequence[Account]) -> str | None:
        """The id of the question that a call's full limit leads to, noted for the ledger; None: see ``ask``."""
        consumer = call.consumer
        name = (consumer.username or consumer.custom_id or "") if consumer is not None else ""
        question = self.ask(full, accounts, call.request_id, name, call.now_ns)
        if question is None:
            return None
        call.notes[MET] = question.id
        if question.asked == 1:
            call.notes[ASKED] = question
        return question.id

    def ask(
        self, full: Full, accounts: Sequence[Account], request_id: str, consumer: str, now_ns: int
    ) -> Question | None:
        """The question that a full limit leads to; None: the limit is a hard one, or the answer was no."""
        status = full.status
        account = next((each for each in accounts if each.subject == status.subject), None)
        limits = account.tier.limits if account is not None else ()
        limit = next((each for each in limits if each.name == status.name and each.ask), None)
        if account is None or limit is None:
            return None
        found = self._by_id.get(self._latest.get((status.subject, status.name), ""))
        if found is not None and found.ends_ns > now_ns and found.state != State.APPROVED.value:
            if found.state == State.DENIED.value:
                return None
            again = found._replace(asked=found.asked + 1)
            self.put(again)
            return again
        ends = now_ns + max(status.resets, _SHORT)
        facts = (account.tier.name, limit.name, limit.amount, status.used, full.requested, 1, request_id)
        made = Question(f"ask-{request_id[-_ID:]}", now_ns, status.subject, consumer, *facts, ends_ns=ends)
        self.put(made)
        return made


def decided(
    question: Question, approve: bool, by: str, now_ns: int, granted: int | None = None, for_ns: int | None = None
) -> Question:
    """The question with its answer. Without an amount: as much again as the limit is; without a time: the rest of its
    window.
    """
    ends = question.ends_ns if for_ns is None else now_ns + for_ns
    if not approve:
        return question._replace(state=State.DENIED.value, decided_ns=now_ns, decided_by=by)
    amount = question.amount if granted is None else granted
    return question._replace(state=State.APPROVED.value, decided_ns=now_ns, decided_by=by, granted=amount, ends_ns=ends)
