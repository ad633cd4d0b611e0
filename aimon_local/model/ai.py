"""What the ledger keeps of one AI call beside its usage row: facts, tokens, money, and how it was decided.

Integers only; money in nano-dollars. The prompt itself is never kept.
"""

from typing import NamedTuple


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
