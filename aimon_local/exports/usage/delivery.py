"""When a batch that was sent counts as delivered, and when it is sent again: pure, from what the sink answered.

Any 2xx is delivered. What may pass (no answer, 408, 425, 429, 5xx) is tried again, later each time, as the sink's
Retry-After says or by doubling pauses with jitter; any other answer would be the same the next time, so it stops.
"""

from dataclasses import dataclass

FIRST_S = 0.5
LONGEST_S = 60.0
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sink has the batch."""


@dataclass(frozen=True, slots=True)
class Again:
    """Send the same batch once more after so many seconds."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The sink refuses for good; somebody has to look."""

    why: str


Outcome = Delivered | Again | Stop


def judge(status: int | None, retry_after: str | None, failures: int, chance: float, fault: str = "") -> Outcome:
    """What an answer means (``status`` None: there was none, ``fault`` says why).

    ``failures``: how many tries failed before this one; ``chance``: 0 to 1, spreads retries of many senders.
    """
    if status is not None and 200 <= status < 300:
        return Delivered()
    if status is not None and status < 500 and status not in _PASSING:
        return Stop(f"it answered {status}")
    why = fault or f"it answered {status}"
    if retry_after is not None and retry_after.isdigit() and len(retry_after) < 6:
        return Again(max(FIRST_S, float(retry_after)), why)
    pause = min(LONGEST_S, FIRST_S * 2.0 ** min(failures, 10))
    return Again(pause * (0.5 + chance / 2), why)
