"""How long a request may take where its tier says so: until the answer's head, and in all. Two timers at most."""

import asyncio
from collections.abc import Callable


class Patience:
    """The timers of one request, from the moment it goes to the upstream; ``expired`` is called once at most."""

    __slots__ = ("_first", "_whole")

    def __init__(self, first_byte: float | None, total: float | None, expired: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._first, self._whole = (
            None if seconds is None else loop.call_later(seconds, self._expire, expired)
            for seconds in (first_byte, total)
        )

    def _expire(self, expired: Callable[[], None]) -> None:
        self.end()
        expired()

    def answered(self) -> None:
        """The answer's head is there."""
        if self._first is not None:
            self._first.cancel()

    def end(self) -> None:
        """The request is over."""
        for timer in (self._first, self._whole):
            if timer is not None:
                timer.cancel()
