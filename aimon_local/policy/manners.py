"""How a client behaves when it is refused: does it wait as it was told, does it back off, does it stop? A pure fold.

Only refusals count, in the order in which they came: a client that is never refused has no manners to speak of. A
refused call that came while an earlier refusal of the same kind still ran was early; one that was in flight when that
refusal went out is not. Three parts, each in percent, None where there is no evidence:

    honoured    refusals that named a time, less the calls that came before it
    backed_off  of the gaps between calls that were refused in a row, those that are no shorter than the one before
    stopped     refusals that say not to try again (quota, budget, approval, abnormal usage), less the tries after them

The score is their mean, weighted 2 : 1 : 2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aimon_local.policy import reasons

FINAL = frozenset(
    (reasons.QUOTA_EXHAUSTED, reasons.BUDGET_EXHAUSTED, reasons.APPROVAL_REQUIRED, reasons.ABNORMAL_USAGE)
)
"""Refusals that tell a client to stop."""

WAITS = FINAL | {reasons.REQUEST_LIMIT, reasons.TOKEN_LIMIT, reasons.CONCURRENCY, reasons.RATE_LIMITED}
WAITS |= {reasons.THROTTLED, reasons.QUEUE_FULL}
"""Refusals after which it matters when the client comes again."""

_NS = 1_000_000_000
_SILENCE = 60 * _NS  # what is expected where a final refusal named no time
_ROW = 120 * _NS  # calls that are refused further apart than this are not in a row
_SLACK = 50  # a gap may be a fiftieth shorter than the one before: clocks and networks


class Refusal(NamedTuple):
    """One refused call."""

    at_ns: int  # when it came
    ended_ns: int  # when the client had its answer
    reason: str
    wait_ns: int = 0  # that it was told; 0: none, -1: no time is long enough


@dataclass(slots=True)
class Manners:
    """What a fold over a client's refusals found."""

    refusals: int = 0
    timed: int = 0  # that named a time
    early: int = 0  # that came before the time
    gaps: int = 0
    shrunk: int = 0
    final: int = 0  # that say not to try again
    again: int = 0  # tries after such

    @property
    def honoured(self) -> int | None:
        """Percent."""
        return _share(self.timed, self.early)

    @property
    def backed_off(self) -> int | None:
        """Percent."""
        return _share(self.gaps, self.shrunk)

    @property
    def stopped(self) -> int | None:
        """Percent."""
        return _share(self.final, self.again)

    @property
    def score(self) -> int | None:
        """0 to 100; None: no evidence."""
        parts = ((self.honoured, 2), (self.backed_off, 1), (self.stopped, 2))
        known = [(part, weight) for part, weight in parts if part is not None]
        return sum(part * weight for part, weight in known) // sum(weight for _, weight in known) if known else None

    def facts(self) -> Mapping[str, Any]:
        """As JSON shows it."""
        shares = {name: getattr(self, name) for name in ("score", "honoured", "backed_off", "stopped")}
        counts = {name: getattr(self, name) for name in ("refusals", "timed", "early", "final", "again")}
        return {**shares, **counts}


def manners(refusals: Iterable[Refusal]) -> Manners:
    """The fold; refusals in any order."""
    found = Manners()
    rows: dict[str, _Row] = {}
    for each in sorted(each for each in refusals if each.reason in WAITS):
        rows.setdefault(each.reason, _Row()).take(each, found)
    return found


class _Row:
    """Refusals of one reason."""

    __slots__ = ("any", "due", "ended", "gap", "last")

    def __init__(self) -> None:
        self.any = False
        self.due = self.ended = self.gap = self.last = 0

    def take(self, each: Refusal, found: Manners) -> None:
        found.refusals += 1
        told = _told(each)
        knows = self.any and each.at_ns >= self.ended  # it came after the client had read the one before
        early = knows and each.at_ns < self.due
        if told:
            found.timed += 1
        found.early += early
        if each.reason in FINAL:
            found.final += 1
            found.again += early
        if knows:
            self._gap(each, found)
        if knows or not self.any:
            self.any, self.last, self.ended = True, each.at_ns, each.ended_ns
        self.due = max(self.due, each.ended_ns + told)

    def _gap(self, each: Refusal, found: Manners) -> None:
        gap = each.at_ns - self.last
        if gap > _ROW or each.at_ns >= self.due:
            self.gap = 0
            return
        if self.gap:
            found.gaps += 1
            found.shrunk += gap * _SLACK < self.gap * (_SLACK - 1)
        self.gap = gap


def _told(each: Refusal) -> int:
    if each.wait_ns > 0:
        return each.wait_ns
    return _SILENCE if each.reason in FINAL else 0


def _share(of: int, bad: int) -> int | None:
    return None if not of else 100 * max(0, of - bad) // of
