"""What a tier allows: nouns alone. ``policy.limits`` is the law that reads them.

A limit counts one unit over one period, per consumer. Any number of limits hold at once; a call must fit them all.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimon_local.model.guards import Guards


class Unit(Enum):
    """What a limit counts."""

    REQUESTS = "requests"
    INPUT = "input_tokens"
    OUTPUT = "output_tokens"
    TOKENS = "tokens"  # input and output
    COST = "cost"  # nano-dollars that calls cost us
    CHARGE = "charge"  # nano-dollars that calls bring


class Period(Enum):
    """Calendar periods, in the tier's time zone."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"


SPAN_S = {
    Period.SECOND: 1,
    Period.MINUTE: 60,
    Period.HOUR: 3600,
    Period.DAY: 86400,
    Period.WEEK: 604800,
    Period.MONTH: 2592000,
}
"""Seconds of a sliding window of that name (a sliding month is thirty days)."""


class Mode(Enum):
    """How a budget is kept: ours, and how others do it, for teaching and for what-if."""

    RESERVE = "reserve"  # the most that a call can use is held back before it, and trued up after
    POST_COUNT = "post-count"  # counted after the call: parallel calls pass a nearly used budget
    ASYNC_COUNT = "async-count"  # counted some time after the call


@dataclass(frozen=True, slots=True)
class Limit:
    """So many units in a period."""

    unit: Unit
    amount: int  # units; nano-dollars for money
    period: Period
    sliding: bool = False  # any stretch of that length, instead of the calendar's
    shadow: bool = False  # counts and reports, does not deny
    ask: bool = False  # full, it asks the operator, who may grant head-room

    @property
    def name(self) -> str:
        """Its word in headers, decisions and the ledger: ``requests/day``, ``tokens/minute:sliding``."""
        return f"{self.unit.value}/{self.period.value}{':sliding' if self.sliding else ''}"


@dataclass(frozen=True, slots=True)
class Burst:
    """Requests at a steady rate with room for a burst (GCRA)."""

    amount: int  # requests per period
    period: Period
    burst: int = 1  # requests that may come at once
    shadow: bool = False
    name: str = "burst"


@dataclass(frozen=True, slots=True)
class Tier:
    """A consumer group with limits and a price plan. None: not limited."""

    name: str
    zone: str = "UTC"  # IANA name: calendar periods begin by its clock
    limits: tuple[Limit, ...] = ()
    burst: Burst | None = None
    concurrency: int | None = None  # requests in flight, held to the end of the stream
    max_prompt_tokens: int | None = None
    max_output_tokens: int | None = None  # asked or defaulted; also what is reserved where a client asks for nothing
    clamp: bool = True  # a larger wish for output is brought down to the most; False: it is refused
    max_body_bytes: int | None = None
    first_byte_s: float | None = None
    total_s: float | None = None
    models: tuple[str, ...] = ("*",)  # patterns; a model that matches none is refused
    routes: tuple[str, ...] = ("*",)  # patterns over route names
    priority: int = 1  # weight in the queue for a busy service
    queue_s: float | None = None  # the longest wait in it; None: the gateway's ``queue_seconds``
    plan: str = "free"  # the price plan's name
    mode: Mode = Mode.RESERVE
    hold_s: float | None = None  # how long a call waits for the answer to a soft limit's question; None: not at all
    hard_cut: bool = False  # a stream that outgrows what is held for it is ended at that edge
    on_disconnect: str = "abort"  # client gone: the upstream is cancelled; "drain": read to its end, within a bound
    guards: "Guards | None" = None  # what watches how its consumers behave
    shadow: frozenset[str] = field(
        default=frozenset()
    )  # names of the gates that only report: "models", "concurrency", …
