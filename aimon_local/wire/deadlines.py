"""One timer for the deadlines of many connections.

A connection moves its deadline by setting an attribute, as often as it likes; the timer is armed for the earliest
one it has heard of and finds out when it fires which of them still stand. So a request costs no timer (setting one up
and cancelling it costs a microsecond each, many times what a clock reading does).
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Protocol

_log = logging.getLogger(__name__)

NEVER = float("inf")
_SHORTEST = 0.005  # seconds between two firings, so that a swarm of deadlines can't take the processor


class Member(Protocol):
    """What has a deadline, on the monotonic clock in seconds; ``NEVER`` for none."""

    deadline: float

    def on_deadline(self, now: float) -> None:
        """The deadline has passed; set the next one."""


class Deadlines:
    """A set of members, woken when their deadlines pass."""

    __slots__ = ("_handle", "_loop", "_members", "next", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._members: set[Member] = set()
        self._handle: asyncio.TimerHandle | None = None
        # A loop with a time of its own is asked for it; the usual ones' is the machine's, which is read at less cost.
        self.now: Callable[[], float] = loop.time if getattr(loop, "virtual", False) else monotonic
        self.next = NEVER  # when the timer fires

    def add(self, member: Member) -> None:
        """Watch a member from now on."""
        self._members.add(member)
        self.note(member.deadline)

    def discard(self, member: Member) -> None:
        """Forget a member."""
        self._members.discard(member)

    def note(self, at: float) -> None:
        """A deadline was set; to be called where it may be earlier than ``next``."""
        if at < self.next:
            if self._handle is not None:
                self._handle.cancel()
            self.next = at
            self._handle = self._loop.call_later(max(_SHORTEST, at - self.now()), self._fire)

    def close(self) -> None:
        """Stop the timer and forget everyone."""
        self._members.clear()
        self._disarm()

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self.next = NEVER

    def _fire(self) -> None:
        self._disarm()
        now = self.now()
        for member in [each for each in self._members if each.deadline <= now]:
            try:
                member.on_deadline(now)
            except Exception:  # the others' deadlines must not die with it
                _log.exception("a deadline failed")
                member.deadline = NEVER
        self.note(min((each.deadline for each in self._members), default=NEVER))
