"""Whether the loop may commit a lone row itself: as long as that takes a few dozen microseconds, as on most disks.

A hop to the writing thread and back costs a lone client more than the commit. But a commit that waits for a slow disk
would hold up all requests, so each one is timed, and slow ones send the next rows to the thread for a while. Pure: the
caller reads the clock. To change what counts as slow: the constants.
"""

SLOW = 0.0003  # seconds; some in a row, and the disk is not a quick one at the moment
ROW = 3  # of slow ones
REST = 2.0  # seconds until the loop tries again
STALL = 0.005  # seconds; one such is enough: a sync, or a neighbour that took the processor
LONG_REST = 0.25  # what stalls a commit here stalls it in the thread too, and every answer waits for its commit


class Pace:
    """``allows`` before a commit, ``took`` after it."""

    __slots__ = ("_again", "_slow")

    def __init__(self) -> None:
        self._again = 0.0  # monotonic seconds from which the loop may
        self._slow = 0  # slow ones in a row

    def allows(self, now: float) -> bool:
        """Whether the loop may commit now; monotonic seconds."""
        return now >= self._again

    def took(self, began: float, ended: float) -> None:
        """A commit on the loop ended; monotonic seconds."""
        seconds = ended - began
        if seconds < SLOW:
            self._slow = 0
            return
        self._slow += 1
        if seconds >= STALL:
            self._again = ended + LONG_REST
        elif self._slow >= ROW:
            self._again, self._slow = ended + REST, 0
