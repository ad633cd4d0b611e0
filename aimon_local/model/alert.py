"""An alert: a limit of a consumer is nearly used up, or it is no matter any more. Nouns alone; no I/O."""

from typing import Any, NamedTuple

from aimon_local.model.money import dollars

FIRING, RESOLVED = "firing", "resolved"
STATES = (FIRING, RESOLVED)
REACHED, REFUSED, OVER, ROOM = "reached", "refused", "window_over", "head_room"
"""Why: so much was used; a call was refused behind the first threshold; the window ended; the limit was raised."""


class Alert(NamedTuple):
    """One alert, in the order of the table's columns. Amounts are the limit's units; money in nano-dollars."""

    id: str  # the same for the firing and the resolved one: limit, window, threshold
    state: str
    at_ns: int
    why: str
    subject: str  # of the account that the limit counts on
    consumer: str  # whose call it was, by name
    tier: str
    limit_name: str  # requests/day
    percent: int  # the threshold
    amount: int  # of the limit
    used: int
    ends: int  # Unix seconds: of the window
    request_id: str  # of the call that reached it

    @property
    def unit(self) -> str:
        """What the limit counts."""
        return self.limit_name.partition("/")[0]

    def facts(self) -> dict[str, Any]:
        """As JSON shows it: money in dollars; ``used_percent`` rounds down, so that 80 is never shown too early."""
        shown = self._asdict()
        if self.unit in ("cost", "charge"):
            shown |= {name: dollars(shown[name]) for name in ("amount", "used")}
        percent = self.used * 100 // self.amount if self.amount > 0 else None
        return {**_first(shown), "limit": shown.pop("limit_name"), "unit": self.unit, "used_percent": percent, **shown}


def _first(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown.pop(name) for name in ("id", "state", "at_ns", "why", "consumer", "tier")}
