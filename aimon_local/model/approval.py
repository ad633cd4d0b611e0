"""A question to the operator: may this caller go beyond a soft limit, and by how much? Nouns alone."""

from enum import Enum
from typing import Any, NamedTuple

from aimon_local.model.money import dollars

ASKED = "approval.asked"
"""Where a call's question is, among its notes: a ``Question``."""


HOLD = "approval.hold"
"""Where it stands for how many seconds a refused call may wait for the answer; None: it has waited."""

MET = "approval.met"
"""Where the id of the question stands that a call has met."""


class State(Enum):
    """What became of a question. One that nobody answered before its end is gone: the limit has room again."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class Question(NamedTuple):
    """One question and its answer, in the order of the table's columns. Amounts are the limit's units."""

    id: str
    at_ns: int
    subject: str  # of the account that the limit counts on
    consumer: str  # whose call asked, by name
    tier: str
    limit_name: str  # requests/day
    amount: int  # of the limit
    used: int  # of it when it was asked
    requested: int
    asked: int  # calls that have met it so far
    request_id: str  # of the first of them
    state: str = State.PENDING.value
    decided_ns: int = 0
    decided_by: str = ""
    granted: int = 0  # head-room on top of the limit
    ends_ns: int = 0  # of the question while it is open (its window ends), then of the head-room

    @property
    def unit(self) -> str:
        """What the limit counts."""
        return self.limit_name.partition("/")[0]

    @property
    def is_money(self) -> bool:
        """Amounts are nano-dollars."""
        return self.unit in ("cost", "charge")

    def facts(self) -> dict[str, Any]:
        """As JSON shows it: money in dollars."""
        shown = self._asdict()
        if self.is_money:
            shown |= {name: dollars(shown[name]) for name in ("amount", "used", "requested", "granted")}
        return {"id": shown.pop("id"), "limit": shown.pop("limit_name"), "unit": self.unit, **shown}
