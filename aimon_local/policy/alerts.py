"""Near-quota alerts: a fold of ended calls, grants of head-room and the time into alerts. Pure.

Each threshold of each limit fires once per window, with the first call that reaches it. The share is that of settled
use: what calls in flight hold back is not used yet, so a call that holds much and uses little raises no false alarm. A
call that the limit refuses, once the first threshold is reached, counts as its 100 %: the last units are seldom used,
as the next call is larger than what is left. An alert is resolved when its window is over or the limit was raised.

A sliding limit has no windows: its thresholds fire once per its own length, by what is used and held. Limits without a
time (concurrency, burst) fire nothing. To watch another fact: a function like ``used``, and its method of ``Watch``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aimon_local.model.ai import AiRecord, LimitMark
from aimon_local.model.alert import FIRING, OVER, REACHED, REFUSED, RESOLVED, ROOM, Alert
from aimon_local.model.tier import SPAN_S, Period
from aimon_local.model.usage import UsageRow
from aimon_local.policy.limits import NEVER

PERCENTS = (80, 100)
MOST = 10_000  # limits that are remembered; the one that was used longest ago goes
_NS = 1_000_000_000
_SLIDING = ":sliding"

Key = tuple[str, str]  # (account's subject, limit's name)


class Use(NamedTuple):
    """One limit that an ended call counted on, or that refused it."""

    end_ns: int  # when the call ended
    subject: str
    consumer: str
    tier: str  # "": not told, the call was an agent's and the limit is its owner's
    mark: LimitMark
    refused: bool
    request_id: str


class Standing(NamedTuple):
    """One limit in one window. ``base``: used before the first call that is known of; None: not known yet."""

    ends: int  # Unix seconds
    amount: int
    base: int | None = None
    spent: int = 0  # by the calls that are known of
    told: tuple[Alert, ...] = ()  # what fires

    @property
    def level(self) -> int:
        """Units that are used."""
        return (self.base or 0) + self.spent


def uses(row: UsageRow, ai: AiRecord) -> Iterator[Use]:
    """The limits with a time that an ended call counted on."""
    end_ns, denied = row.at_ns + row.total_us * 1000, ai.denied_limit if ai.wait != NEVER else None
    for mark in ai.marks():
        if "/" not in mark.name:
            continue
        refused = denied == mark.name and mark.before == ai.used  # an agent's and its owner's may have one name
        if ai.owner is not None and _is_id(mark.account):
            yield Use(end_ns, mark.account, ai.owner, "", mark, refused, row.request_id)
        else:
            subject = f"{row.consumer_id or ''}{'@' if mark.account else ''}{mark.account}"
            yield Use(end_ns, subject, row.consumer or "", ai.tier, mark, refused, row.request_id)


def _is_id(account: str) -> bool:
    """Whether a mark names a whole account, as those of an agent's owner do: it begins with a consumer's id."""
    first = account.partition("@")[0]
    return len(first) == 36 and first.count("-") == 4


Step = tuple[Standing | None, list[Alert]]


def used(standing: Standing | None, use: Use, percents: Sequence[int], base: int | None = 0) -> Step:
    """The standing after an ended call, and what is to be told.

    ``percents``: rising, one at least; ``base``: of a limit that has no standing yet.
    """
    opened, alerts = _window(standing, use, base)
    if opened is None:
        return standing, []
    now = _counted(opened, use)
    if not (alerts or now.told or use.refused) and now.level * 100 < now.amount * percents[0]:
        return now, []  # as nearly always
    now, resolved = _roomier(now, use.end_ns)
    fired = _fired(now, use, percents)
    return now._replace(told=(*now.told, *fired)), [*alerts, *resolved, *fired]


def granted(standing: Standing, units: int, at_ns: int) -> tuple[Standing, list[Alert]]:
    """The same limit with so much more head-room."""
    return _roomier(standing._replace(amount=standing.amount + units), at_ns)


def over(standing: Standing, at_ns: int) -> tuple[Standing, list[Alert]]:
    """The same limit at a later time: what fired is resolved where its window has ended."""
    if standing.ends * _NS > at_ns or not standing.told:
        return standing, []
    return standing._replace(told=()), [_resolved(each, OVER, at_ns) for each in standing.told]


def _window(standing: Standing | None, use: Use, base: int | None) -> Step:
    """The window that a call counted in, a new one where it is the first there; None: it is over, nothing to say."""
    sliding, end_s = use.mark.name.endswith(_SLIDING), use.end_ns // _NS
    ends = end_s + _length(use.mark.name) if sliding else use.mark.resets
    if standing is None:
        return Standing(ends, use.mark.amount, base), []
    if end_s < standing.ends if sliding else ends == standing.ends:
        return standing, []
    if not sliding and ends < standing.ends and ends <= end_s:
        return None, []  # a long call that ended after its window
    # Of a later window every call is known; where the clock was set back, some are not.
    fresh = Standing(ends, use.mark.amount, 0 if ends > standing.ends and standing.base is not None else None)
    return fresh, [_resolved(each, OVER, use.end_ns) for each in standing.told]


def _counted(standing: Standing, use: Use) -> Standing:
    mark = use.mark
    if mark.name.endswith(_SLIDING):
        return Standing(standing.ends, mark.amount, mark.after, 0, standing.told)
    ends, _, base, spent, told = standing
    base = mark.before if base is None or mark.before < base else base
    return Standing(ends, mark.amount, base, spent + mark.after - mark.before, told)


def _roomier(standing: Standing, at_ns: int) -> tuple[Standing, list[Alert]]:
    amount, level = standing.amount, standing.level
    gone = [each for each in standing.told if amount > each.amount and level * 100 < amount * each.percent]
    if not gone:
        return standing, []
    resolved = [_resolved(each, ROOM, at_ns)._replace(amount=amount, used=level) for each in gone]
    return standing._replace(told=tuple(each for each in standing.told if each not in gone)), resolved


def _fired(standing: Standing, use: Use, percents: Sequence[int]) -> list[Alert]:
    amount, level = standing.amount, standing.level
    if amount <= 0:
        return []
    told = {each.percent for each in standing.told}
    refused = use.refused and level * 100 >= amount * min(percents)
    fired = []
    for percent in percents:
        reached = level * 100 >= amount * percent
        if percent in told or not (reached or (refused and percent <= 100)):
            continue
        name = f"{use.subject}/{use.mark.name}/{standing.ends}/{percent}/{amount}"
        fired.append(
            Alert(
                id=name,
                state=FIRING,
                at_ns=use.end_ns,
                why=REACHED if reached else REFUSED,
                subject=use.subject,
                consumer=use.consumer,
                tier=use.tier,
                limit_name=use.mark.name,
                percent=percent,
                amount=amount,
                used=level,
                ends=standing.ends,
                request_id=use.request_id,
            )
        )
    return fired


def _resolved(alert: Alert, why: str, at_ns: int) -> Alert:
    return alert._replace(state=RESOLVED, why=why, at_ns=at_ns)


def _length(name: str) -> int:
    return SPAN_S[Period(name.partition("/")[2].removesuffix(_SLIDING))]


class Watch:
    """All standings of a gateway."""

    __slots__ = ("_firing", "_standings", "_whole", "percents")

    def __init__(
        self,
        percents: Sequence[int] = PERCENTS,
        firing: Iterable[Alert] = (),
        counters: Iterable[tuple[str, str, int, int]] = (),
    ) -> None:
        """``firing``: what was told before and is not resolved, so that it is not told again; ``counters``: what was
        used before the first call that this watch will see (subject, limit, Unix seconds of the window's end, units).
        """
        self.percents = tuple(sorted(set(percents)))
        self._whole = True  # every call of a limit without a standing was seen
        self._standings = {(who, name): Standing(ends, 0, units) for who, name, ends, units in counters}
        self._firing: set[Key] = set()
        for each in sorted(firing, key=lambda alert: alert.ends):
            key = each.subject, each.limit_name
            known = self._standings.get(key)
            if known is None or known.ends != each.ends:
                known = Standing(each.ends, each.amount, each.used)
            self._standings[key] = known._replace(amount=each.amount, told=(*known.told, each))
            self._firing.add(key)

    @property
    def next_end(self) -> int | None:
        """Unix seconds at which the next window ends in which something fires."""
        return min((self._standings[key].ends for key in self._firing), default=None)

    def used(self, use: Use) -> list[Alert]:
        """An ended call."""
        key = use.subject, use.mark.name
        if not self.percents:
            return []
        base = 0 if self._whole else None
        standing, alerts = used(self._standings.pop(key, None), use, self.percents, base)
        self._keep(key, standing)
        return alerts

    def granted(self, subject: str, limit: str, units: int, at_ns: int) -> list[Alert]:
        """Head-room on a limit."""
        key = subject, limit
        if key not in self._standings:
            return []
        standing, alerts = granted(self._standings[key], units, at_ns)
        self._keep(key, standing)
        return alerts

    def at(self, at_ns: int) -> list[Alert]:
        """The time."""
        told = []
        for key in list(self._firing):
            standing, alerts = over(self._standings[key], at_ns)
            self._keep(key, standing)
            told += alerts
        return told

    def missed(self) -> None:
        """Calls went by unseen: what was used is known again by the next one."""
        self._whole = False
        for key, standing in self._standings.items():
            self._standings[key] = standing._replace(base=None, spent=0)

    def _keep(self, key: Key, standing: Standing | None) -> None:
        if standing is None:
            return
        self._standings[key] = standing
        if standing.told:
            self._firing.add(key)
        else:
            self._firing.discard(key)
        if len(self._standings) > MOST:
            oldest = next(iter(self._standings))
            del self._standings[oldest]
            self._firing.discard(oldest)
            self._whole = False
