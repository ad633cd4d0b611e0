"""Where each caller stands with its guards: its memory, what was said to it, how long it has to be silent.

In memory, bounded: of ``MOST`` callers the one that was quiet the longest is forgotten. A restart forgets counts; what
it does not forget is a cool-down, which is stored with the counters (key ``guard:SUBJECT``).
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from aimon_local.model.guards import Grade, Guards
from aimon_local.model.usage import CounterChange
from aimon_local.policy.guards.memory import Counts, Memory

PREFIX = "guard"
MOST = 5_000
_UNIT = "cool-down"
_NS = 1_000_000_000


class Spoken(NamedTuple):
    """One guard that has something to say about a call."""

    guard: str
    grade: Grade
    times: int
    threshold: int
    shadow: bool

    @property
    def word(self) -> str:
        """As the ledger keeps it: ``repeat:deny:10/10``; a guard in shadow with ``~`` before it."""
        return f"{'~' if self.shadow else ''}{self.guard}:{self.grade.word}:{self.times}/{self.threshold}"


def judged(guards: Guards, counts: Counts) -> list[Spoken]:
    """The guards that speak, by their thresholds."""
    out = []
    for name, count in zip(counts._fields, counts, strict=True):
        if not count or name in guards.off:
            continue
        ladder = guards.ladder(name)
        grade = ladder.grade(count)
        if grade is not Grade.CALM:
            out.append(Spoken(name, grade, count, getattr(ladder, grade.word), name in guards.shadow))
    return out


class Box:
    """One caller's standing."""

    __slots__ = ("memory", "next_ns", "told", "until_ns", "why")

    def __init__(self) -> None:
        self.memory = Memory()
        self.until_ns = 0  # of a cool-down; 0: there is none
        self.next_ns = 0  # of who is throttled: the next call
        self.why = ""  # the guard that began the cool-down
        self.told: dict[str, Grade] = {}  # by guard

    def news(self, spoken: Iterable[Spoken], names: Iterable[str]) -> list[Spoken]:
        """Of what is said, by guards of these names, that which was not said before, and is worse than what was."""
        now = {each.guard: each.grade for each in spoken}
        fresh = [each for each in spoken if each.grade > self.told.get(each.guard, Grade.CALM)]
        for name in names:
            if name in now:
                self.told[name] = now[name]
            else:
                self.told.pop(name, None)
        return fresh

    def recover(self) -> None:
        """There was silence."""
        self.memory.forgive()
        self.until_ns = self.next_ns = 0
        self.why = ""
        self.told.clear()


class Boxes:
    """All callers'. ``key``: of fingerprints; the gateway puts the install's own there at a start."""

    __slots__ = ("_boxes", "key")

    def __init__(self) -> None:
        self.key = b""
        self._boxes: OrderedDict[str, Box] = OrderedDict()

    def open(self, subject: str) -> Box:
        """A caller's box, made if need be."""
        box = self._boxes.get(subject)
        if box is None:
            box = self._boxes[subject] = Box()
            if len(self._boxes) > MOST:
                self._boxes.popitem(last=False)
        else:
            self._boxes.move_to_end(subject)
        return box

    def find(self, subject: str) -> Box | None:
        """A caller's box, if there is one."""
        return self._boxes.get(subject)

    def all(self) -> list[tuple[str, Box]]:
        """Every caller's, by subject."""
        return list(self._boxes.items())

    def load(self, rows: Iterable[CounterChange]) -> None:
        """Cool-downs that a restart must not end."""
        for row in rows:
            prefix, _, subject = row.key.partition(":")
            if prefix == PREFIX and subject:
                box = self.open(subject)
                box.until_ns, box.why = row.value, row.unit.partition("/")[2]


def stored(subject: str, box: Box, now_ns: int) -> CounterChange:
    """A cool-down as the counters keep it."""
    return CounterChange(
        f"{PREFIX}:{subject}", f"{_UNIT}/{box.why}", now_ns // _NS, box.until_ns, -(-box.until_ns // _NS)
    )
