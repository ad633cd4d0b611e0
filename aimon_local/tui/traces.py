"""How much happened in each of the last sixty steps of time: what rates and sparklines are made of. Pure.

A trace is a value; ``add`` gives the next one. Time is what the events say (Unix seconds of the gateway's clock), so a
frozen or jumped clock is followed. To add a width: a line in ``WINDOWS``.
"""

from typing import NamedTuple

STEPS = 60

WINDOWS = {"1m": 1, "5m": 5, "1h": 60}
"""The windows that a view can show, and the seconds of each one's step."""


class Trace(NamedTuple):
    """Sums of sixty steps; ``last`` is the newest step's number since the epoch."""

    width: int  # seconds of a step
    last: int = 0
    counts: tuple[int, ...] = (0,) * STEPS

    def add(self, second: int, units: int) -> "Trace":
        """With ``units`` more at a time; what is older than the oldest step is let go."""
        step = second // self.width
        counts = self.counts
        ahead = step - self.last
        if ahead > 0:
            counts = counts[ahead:] + (0,) * min(ahead, STEPS)
            return Trace(self.width, step, (*counts[:-1], units))
        at = STEPS - 1 + ahead
        if at < 0:
            return self
        return Trace(self.width, self.last, (*counts[:at], counts[at] + units, *counts[at + 1 :]))

    def until(self, second: int) -> tuple[int, ...]:
        """The sixty steps that end with the one of ``second``; what lies behind it is not there."""
        ahead = second // self.width - self.last
        if ahead <= 0:
            return self.counts
        return self.counts[ahead:] + (0,) * min(ahead, STEPS)

    def total(self, second: int) -> int:
        """All of the sixty steps."""
        return sum(self.until(second))


Traces = tuple[Trace, ...]
"""One per window, in the order of ``WINDOWS``."""

EMPTY: Traces = tuple(Trace(width) for width in WINDOWS.values())


def added(traces: Traces, second: int, units: int) -> Traces:
    """All windows with ``units`` more."""
    return tuple(trace.add(second, units) for trace in traces)


def of(traces: Traces, window: str) -> Trace:
    """The trace of a window."""
    return traces[list(WINDOWS).index(window)]


def per_second(traces: Traces, window: str, second: int) -> float:
    """The mean rate over a window that ends at ``second``."""
    trace = of(traces, window)
    return trace.total(second) / (trace.width * STEPS)
