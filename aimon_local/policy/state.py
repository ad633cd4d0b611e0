"""What limits remember: for each scope and identifier, its ``Windows``. A gateway holds one ``LimitState``.

It is changed only by whoever counts, in one synchronous step, so it needs no lock. It does no I/O: the counter
appends what has changed to ``call.touched``, the ledger stores it with the request's row, and ``load`` brings it
back at the next start. Keys are Kong's: the plugin's own route and service (not its id, and not its consumer),
then the identifier; so a plugin that is deleted and made again goes on counting.

To keep another kind of limit here: another prefix of keys, and its own table beside ``scopes``, as ``accounts`` is for
tiers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from aimon_local.model.usage import CounterChange
from aimon_local.policy.accounts import Accounts
from aimon_local.policy.cache import AnswerCache
from aimon_local.policy.windows import UNITS, Moment, Windows

if TYPE_CHECKING:
    from aimon_local.model.approval import Question
    from aimon_local.policy.agents.runs import Runs
    from aimon_local.policy.approvals import Approvals
    from aimon_local.policy.guards.boxes import Boxes

_PREFIX = "rate"
_UNIT_INDEX = {name: index for index, name in enumerate(UNITS)}
_NS = 1_000_000_000


def scope_key(route_id: str | None, service_id: str | None) -> str:
    """The key of a scope: the route and service that a plugin instance is attached to, "" where it is to none."""
    return f"{_PREFIX}:{route_id or ''}:{service_id or ''}"


class LimitState:
    """All windows of all scopes."""

    __slots__ = (
        "_approvals",
        "_floor",
        "_guards",
        "_moment",
        "_runs",
        "_unseen",
        "accounts",
        "cache",
        "key",
        "known_approvals",
        "scopes",
    )

    def __init__(self) -> None:
        self.scopes: dict[str, dict[str, Windows]] = {}
        self.cache = AnswerCache()  # proxy-cache's answers; not stored, a restart begins with none
        self.accounts = Accounts()  # the tiers' counters
        self.key = b""  # of fingerprints; the gateway puts the install's own here
        self.known_approvals: Callable[[], Iterable[Question]] = (
            tuple  # the stored ones; the gateway puts a reader here
        )
        self._guards: Boxes | None = None
        self._approvals: Approvals | None = None
        self._runs: Runs | None = None
        self._moment = Moment(0)
        self._floor = self._moment  # when windows were last forgotten: new ones don't begin before it
        self._unseen: list[tuple[str, str]] = []  # what prune has yet to look at

    @property
    def guards(self) -> "Boxes":
        """Where callers stand with their guards; made, and imported, when the first guard asks."""
        if self._guards is None:
            from aimon_local.policy.guards.boxes import Boxes  # noqa: PLC0415

            self._guards = Boxes()
            self._guards.key = self.key
        return self._guards

    @property
    def runs(self) -> "Runs":
        """Runs of agents; made, and imported, when the first agent calls."""
        if self._runs is None:
            from aimon_local.policy.agents.runs import Runs  # noqa: PLC0415

            self._runs = Runs()
        return self._runs

    @property
    def approvals(self) -> "Approvals":
        """Questions of soft limits; read, and imported, when the first soft limit is looked at."""
        if self._approvals is None:
            from aimon_local.policy.approvals import Approvals  # noqa: PLC0415

            self._approvals = Approvals(self.known_approvals())
        return self._approvals

    def moment(self, now_ns: int) -> Moment:
        """The second in which ``now_ns`` lies (Unix nanoseconds)."""
        now = now_ns // _NS
        moment = self._moment
        if moment.now != now:
            moment = self._moment = Moment(now)
        return moment

    def open(self, scope: str, identifier: str, moment: Moment) -> Windows:
        """The windows of an identifier, made if need be, brought to a moment."""
        table = self.scopes.get(scope)
        if table is None:
            table = self.scopes[scope] = {}
        windows = table.get(identifier)
        if windows is None:
            begin = self._floor if self._floor.now > moment.now else moment
            windows = table[identifier] = Windows(f"{scope}:{identifier}", begin)
        if windows.moment is not moment:
            windows.bring_to(moment)
        return windows

    def load(self, rows: Iterable[CounterChange]) -> None:
        """Take over stored counters, as at a start; rows of other kinds of limits are left alone."""
        blank, rows = Moment(0), list(rows)
        self.accounts.load(rows)
        boxed = [row for row in rows if row.key.startswith("guard:")]
        if boxed:
            self.guards.load(boxed)
        if any(row.key.startswith("run:") for row in rows):
            self.runs.load(rows)
        for row in rows:
            unit = _UNIT_INDEX.get(row.unit)
            parts = row.key.split(":", 3)
            if unit is None or len(parts) != 4 or parts[0] != _PREFIX:
                continue
            scope, identifier = ":".join(parts[:3]), parts[3]
            windows = self.scopes.setdefault(scope, {}).setdefault(identifier, Windows(row.key, blank))
            windows.restore(unit, row.start, row.value)

    def dump(self) -> Iterator[CounterChange]:
        """Every counter as the ledger stores it: ``load`` of it continues where this state is."""
        for table in self.scopes.values():
            for windows in table.values():
                yield from windows.changes()

    def prune(self, now_ns: int, most: int = 1000) -> int:
        """Forget identifiers whose windows are all over; returns how many. Call it now and then, say each second.

        One call looks at ``most`` of them and the next goes on from there, so that it never takes long.
        """
        if not self._unseen:
            self._unseen = [(scope, identifier) for scope, table in self.scopes.items() for identifier in table]
        now, forgotten = now_ns // _NS, 0
        for scope, identifier in self._unseen[-most:]:
            table = self.scopes.get(scope, {})
            windows = table.get(identifier)
            if windows is None or not windows.over(now):
                continue
            del table[identifier]
            forgotten += 1
            if not table:
                del self.scopes[scope]
        del self._unseen[-most:]
        if forgotten and now > self._floor.now:
            self._floor = self.moment(now_ns)
        return forgotten
