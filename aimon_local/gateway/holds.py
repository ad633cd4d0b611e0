"""Calls that wait for the operator's answer to a soft limit, each at most as long as its tier says; bounded."""

import asyncio
from collections.abc import Callable

MOST = 1000  # that wait at once; one more is refused right away

Then = Callable[[], None]


class Holds:
    """Who waits for which question. Use it on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[Then, asyncio.TimerHandle]]] = {}
        self._count = 0

    def wait(self, question: str, seconds: float, then: Then) -> bool:
        """Call ``then`` when the question is answered, or after so many seconds; False: too many wait, it never is."""
        if self._count >= MOST:
            return False
        self._count += 1
        timer = asyncio.get_running_loop().call_later(seconds, self._over, question, then)
        self._waiting.setdefault(question, []).append((then, timer))
        return True

    def answered(self, question: str) -> None:
        """The operator has answered: all that wait for it go on, in the order in which they came."""
        for then, timer in self._waiting.pop(question, ()):
            timer.cancel()
            self._count -= 1
            then()

    def _over(self, question: str, then: Then) -> None:
        kept = [each for each in self._waiting.pop(question, ()) if each[0] is not then]
        if kept:
            self._waiting[question] = kept
        self._count -= 1
        then()
