"""Runs and tokens of agents as counters that have no window: how much they used in all, kept until they are forgotten.

A run belongs to the owner's agents together: a chain over several of them counts as one. It is held, settled and given
back with all other limits of a call (``policy.account``), and stored with them: rows ``tier:OWNER@run/RUN``, so a kill
keeps the count. What a call starts is counted beside it, rows ``run:OWNER@run/RUN``.

A run without a name is the agent's own for a key: it ends by silence. Its name holds its beginning and its key, so that
it is found again after a restart.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from aimon_local.model.agent import RunLimits
from aimon_local.model.tier import Tier, Unit
from aimon_local.model.usage import CounterChange
from aimon_local.policy.account import Account
from aimon_local.policy.limits import NEVER
from aimon_local.policy.spans import UTC

PREFIX = "run"
MOST = 5_000  # runs in memory; of more the one that was quiet the longest is forgotten
_KEPT = 7 * 86_400  # seconds for which a quiet run is remembered
_STARTERS = 1_000  # calls of one run whose children are counted
_NS = 1_000_000_000
_UNITS = (("requests", Unit.REQUESTS), ("tokens", Unit.TOKENS), ("cost", Unit.COST))


class Total:
    """A counter without a window: what is used up stays so."""

    __slots__ = ("_end", "_held", "_start", "_used", "amount", "name", "shadow")

    def __init__(self, name: str, amount: int) -> None:
        self.name, self.amount, self.shadow = name, amount, False
        self._start = self._end = self._used = self._held = 0

    def wait(self, units: int, now: int) -> int:
        """NEVER, where it is used up."""
        return 0 if self._used + self._held + units <= self.amount else NEVER

    def hold(self, units: int, now: int) -> int:
        """The mark says nothing: there is one window alone."""
        if not self._start:
            self._start = now // _NS
        self._end = now // _NS + _KEPT
        self._held += units
        return self._start * _NS

    def settle(self, mark: int, held: int, used: int) -> None:
        """True up."""
        self._held -= held
        self._used += used

    def used(self, now: int) -> int:
        """Used and held."""
        return self._used + self._held

    def resets(self, now: int) -> int:
        """Never: 0."""
        return 0

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """One row."""
        yield self._start, self._used, self._end

    def restore(self, start: int, value: int) -> None:
        """Go on from a stored row."""
        self._start, self._used = start, value
        self._end = start + _KEPT


class Run:
    """One run, or what one token may use."""

    __slots__ = ("_amounts", "_totals", "account", "children", "deepest", "last_ns", "name", "started_ns")

    def __init__(self, subject: str, name: str, what: str, now: int) -> None:
        self.name, self.started_ns, self.last_ns, self.deepest = name, now, now, 0
        self.children: dict[str, int] = {}  # by call
        self.account = Account(subject, Tier(what), UTC)
        self._amounts: dict[str, tuple[int | None, int | None, int | None]] = {}  # by agent that takes part
        self._totals = {word: Total(f"{word}/{what}", 0) for word, _ in _UNITS}

    def bounded(self, who: str, requests: int | None, tokens: int | None, cost: int | None) -> Account:
        """Its account under what ``who`` allows it; of several that take part the strictest word holds for all.

        None is not limited; what nobody limits is not counted.
        """
        self._amounts[who] = (requests, tokens, cost)
        counters: list[tuple[Unit | None, Total]] = []
        for place, (word, unit) in enumerate(_UNITS):
            known = [each for amounts in self._amounts.values() if (each := amounts[place]) is not None]
            if known:
                total = self._totals[word]
                total.amount = min(known)
                counters.append((unit, total))
        self.account.counters[:] = counters
        return self.account

    def restore(self, unit: str, start: int, value: int) -> None:
        """Go on from a stored row of one of its counters."""
        total = self._totals.get(unit.partition("/")[0])
        if total is not None:
            total.restore(start, value)
            self.started_ns = min(self.started_ns, start * _NS)

    def facts(self) -> dict[str, int]:
        """What it used, with what is held."""
        return {word: total.used(0) for word, total in self._totals.items()}


class Runs:
    """All runs that are remembered."""

    __slots__ = ("_own", "_runs")

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()  # by subject
        self._own: dict[str, Run] = {}  # runs without a name, by owner and key

    def open(self, owner: str, name: str, now: int, what: str = "run") -> Run:
        """The run, or the token's purse, of a name."""
        subject = f"{owner}@{what}/{name}"
        run = self._runs.get(subject)
        if run is None:
            run = self._runs[subject] = Run(subject, name, what, _beginning(name, now))
            if len(self._runs) > MOST:
                self._runs.popitem(last=False)
        else:
            self._runs.move_to_end(subject)
        return run

    def lasting(self, owner: str, key: str, limits: RunLimits, now: int) -> Run | None:
        """The run of a key's calls that name none; None: there is none, or it has ended by silence."""
        run = self._own.get(f"{owner}|{key}")
        return None if run is None or now - run.last_ns > limits.idle_s * _NS else run

    def begin(self, owner: str, key: str, hint: str, now: int) -> Run:
        """A new run of a key's calls; ``hint`` is a part of its name."""
        if len(self._own) >= MOST:
            self._own.clear()
        name = f"i{now // 1_000_000:x}-{key}{f'-{hint}' if hint else ''}"
        run = self._own[f"{owner}|{key}"] = self.open(owner, name, now)
        return run

    def of(self, owner: str) -> list[Run]:
        """The runs of an owner's agents that are remembered, the last one first."""
        start = f"{owner}@run/"
        return [run for subject, run in reversed(self._runs.items()) if subject.startswith(start)]

    def load(self, rows: Iterable[CounterChange]) -> None:
        """Take over stored rows."""
        for row in rows:
            prefix, _, subject = row.key.partition(":")
            owner, _, place = subject.partition("@")
            what, _, name = place.partition("/")
            if prefix not in ("tier", PREFIX) or what not in ("run", "token"):
                continue
            run = self.open(owner, name, row.start * _NS, what)
            run.last_ns = max(run.last_ns, (row.expires - _KEPT) * _NS)
            if prefix == PREFIX and row.unit.startswith("children/"):
                run.children[row.unit.partition("/")[2]] = row.value
            elif prefix == PREFIX and row.unit == "began":
                run.started_ns = row.start * _NS
            elif prefix != PREFIX:
                run.restore(row.unit, row.start, row.value)
            if what == "run" and name.startswith("i") and name.count("-"):
                self._own[f"{owner}|{name.split('-')[1]}"] = run


def _beginning(name: str, now: int) -> int:
    """When a run began: a run of a key's own has it in its name, so that one that was forgotten is not young again."""
    start = name[1:].partition("-")[0]
    own = name.startswith("i") and len(start) <= 13 and all(each in "0123456789abcdef" for each in start)
    return min(now, int(start, 16) * 1_000_000) if own and start else now


def child(run: Run, call: str, now: int, by: int = 1) -> CounterChange:
    """Count a child of a call (-1: it was refused after all); the row to be stored."""
    if call not in run.children and len(run.children) >= _STARTERS:
        run.children.pop(next(iter(run.children)))
    run.children[call] = max(0, run.children.get(call, 0) + by)
    key = f"{PREFIX}:{run.account.subject}"
    return CounterChange(key, f"children/{call}", run.started_ns // _NS, run.children[call], now // _NS + _KEPT)


def began(run: Run, now: int) -> CounterChange:
    """That a run is there, since when, and that it was heard of now."""
    return CounterChange(f"{PREFIX}:{run.account.subject}", "began", run.started_ns // _NS, 1, now // _NS + _KEPT)
