"""What the ledger keeps of one AI call beside its usage row: facts, tokens, money, and how it was decided.

Integers only; money in nano-dollars. The prompt itself is never kept.
"""

from typing import Any, NamedTuple
from urllib.parse import quote, unquote

DRAIN = "ai.drain"
"""Where it stands, among a call's notes, that its answer is read to the end though its client leaves."""


class LimitMark(NamedTuple):
    """One limit that a call counted on, or would have. Units are the limit's; money in nano-dollars.

    ``after`` is what was there before with what this call used: calls beside it are not in there.
    """

    name: str  # the limit's word: requests/day
    account: str  # "" for the tier's own; else the key of the account that a route's limits count on
    amount: int
    before: int  # used and held by others when it was asked
    held: int  # for this call, until it was settled
    after: int
    resets: int  # Unix seconds at which the window that it was asked in ends; 0: it has none

    @property
    def word(self) -> str:
        """As the ledger keeps it, without a blank; ``mark`` reads it."""
        return word(*self)


def word(name: str, account: str, amount: int, before: int, held: int, after: int, resets: int) -> str:
    """A mark's word, without making the mark: it is made for each limit of each call."""
    beside = "@" + quote(account, "", errors="backslashreplace") if account else ""
    return f"{name}{beside}={amount},{before},{held},{after},{resets}"


def mark(text: str) -> LimitMark:
    """The mark that a word stands for; ValueError for one that stands for none."""
    where, _, numbers = text.partition("=")
    name, _, account = where.partition("@")
    amount, before, held, after, resets = map(int, numbers.split(","))
    return LimitMark(name, unquote(account), amount, before, held, after, resets)


class AiRecord(NamedTuple):
    """One AI call as it ended, in the order of the ledger's columns (storage/migrations)."""

    dialect: str  # provider.api, see metering.dialects; "" for a call of a plain route
    tier: str
    model: str  # as asked; "" for a plain route
    served: str | None  # the model that the answer names
    stream: bool
    estimate: int  # prompt tokens by our own count before the call
    reserved_input: int  # tokens held before the call
    reserved_output: int
    reserved_cost: int
    input: int = 0  # prompt tokens that no cache served
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0  # visible completion tokens
    reasoning: int = 0
    cost: int = 0  # what it costs us
    charge: int = 0  # what it brings
    source: str = "none"  # reported | estimated | none (nothing was used)
    complete: bool = False
    finish_reason: str | None = None
    flags: tuple[str, ...] = ()  # why reported usage was not trusted, and other remarks
    shadow: tuple[str, ...] = ()  # limits that would have refused it, were they not in shadow
    denied_limit: str | None = None  # the limit that refused it
    requested: int = 0  # units that the refusing limit was asked for
    used: int = 0  # units that were used of it
    limits: tuple[str, ...] = ()  # ``LimitMark.word`` of each limit that it counted on
    wait: int = 0  # nanoseconds after which the refusing limit had let it pass; -1: never, it is larger than the limit
    agent: str | None = None  # the agent's name, where the caller is one
    owner: str | None = None  # whom it acts for, by name
    run: str | None = None  # the run that the call belongs to
    depth: int = 0  # of the call in its run's chain
    fingerprint: str = ""  # keyed hash of the prompt; "": none was made
    guard: str = ""  # what behaviour guards said (policy.guards.boxes.Spoken.word), by blanks

    def marks(self) -> list[LimitMark]:
        """Its limits, read."""
        return [mark(text) for text in self.limits]

    def facts(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**self._asdict(), "limits": [each._asdict() for each in self.marks()]}
