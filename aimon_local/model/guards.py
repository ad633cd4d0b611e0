"""What behaviour guards look for, and from when on they warn, throttle and deny: nouns alone, ``policy.guards`` acts.

The numbers to begin with are those of tools that stop loops in the wild: a third identical call is worth a word, a
handful a brake, some ten an end. All of them can be set on a tier.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from aimon_local.model.guard_words import NAMES


class Grade(IntEnum):
    """What a guard wants done."""

    CALM = 0
    WARN = 1  # a header says so
    THROTTLE = 2  # calls are let through with a pause between them
    DENY = 3  # nothing is let through until there was silence

    @property
    def word(self) -> str:
        """As the ledger and events have it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Ladder:
    """From which count on; 0: never."""

    warn: int
    throttle: int
    deny: int

    def grade(self, count: int) -> Grade:
        """The highest step that the count reaches."""
        for step, grade in ((self.deny, Grade.DENY), (self.throttle, Grade.THROTTLE), (self.warn, Grade.WARN)):
            if step and count >= step:
                return grade
        return Grade.CALM


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of one tier."""

    repeat: Ladder = Ladder(3, 5, 10)  # the same answered prompt, or the same tool call with the same result, again
    ping_pong: Ladder = Ladder(3, 4, 6)  # cycles of two steps that take turns
    no_progress: Ladder = Ladder(5, 10, 20)  # different calls in a row whose tools give the same result
    growth: Ladder = Ladder(5, 6, 8)  # times in a row that a conversation's prompt grew by ``growth_percent``
    velocity: Ladder = Ladder(5, 10, 20)  # times the agent's own usual spend in a minute
    storm: Ladder = Ladder(3, 5, 10)  # tries before the time that a refusal named
    errors: Ladder = Ladder(5, 10, 20)  # client errors in a row, or one request that fails again and again
    shadow: frozenset[str] = field(default=frozenset())  # these report, and do nothing
    off: frozenset[str] = field(default=frozenset())
    pollers: tuple[str, ...] = ()  # patterns "route:…", "path:…", "model:…", "tool:…", "fingerprint:…"
    pause_s: float = 60.0  # a step that comes later than this after the one before begins a new count
    growth_percent: int = 25
    growth_tokens: int = 1000  # smaller prompts may grow as they like
    velocity_floor: int = 1_000_000_000  # nano-dollars a minute; less is nobody's runaway
    throttle_s: float = 2.0  # between two calls of who is throttled
    cool_s: float = 60.0  # of silence that end a cool-down

    @property
    def are_off(self) -> bool:
        """None of them is there."""
        return self.off >= frozenset(NAMES)

    def ladder(self, name: str) -> Ladder:
        """Of one guard."""
        found: Ladder = getattr(self, name)
        return found
