"""What the ledger holds since a moment, as one state of it: sums of all rows up to one row, which is named.

Whoever then adds the requests that ended after that row (the event stream has them, in the ledger's order) counts each
once and misses none. All statements run in one read transaction. To sum by something else: a line in ``read``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aimon_local.storage.spend import Spend

if TYPE_CHECKING:
    from aimon_local.storage.queries import UsageTotals

Groups = Mapping[str | int, Any]
_LAST = "SELECT request_id FROM usage_rows ORDER BY seq DESC LIMIT 1"


class Today(NamedTuple):
    """Sums by name ("" is none). ``last``: the id of the newest row in them; None: the ledger is empty."""

    last: str | None
    tiers: "Mapping[str | int, UsageTotals]"
    consumers: "Mapping[str | int, UsageTotals]"
    tier_spend: Mapping[str | int, Spend]
    consumer_spend: Mapping[str | int, Spend]
    model_spend: Mapping[str | int, Spend]


async def read(
    ask: Callable[[str, Mapping[str, Any]], Awaitable[list[Any]]],
    totals: Callable[[str], Awaitable[Groups]],
    spend: Callable[[str], Awaitable[Groups]],
) -> Today:
    """Ask all of it inside one transaction of the connection that ``ask`` talks to; nobody else may begin one there."""
    await ask("BEGIN", {})
    try:
        last = await ask(_LAST, {})
        return Today(
            last[0][0] if last else None,
            await totals("tier"),
            await totals("consumer"),
            await spend("tier"),
            await spend("consumer"),
            await spend("model"),
        )
    finally:
        await ask("COMMIT", {})
