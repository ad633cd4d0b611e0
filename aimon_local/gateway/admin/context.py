"""What the Admin API knows of the gateway around it: state to read, doors to change it. The composition root fills it.

The Admin API itself holds nothing between requests. A new endpoint that needs more of the gateway gets one field here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from aimon_local.clock import Clock
from aimon_local.gateway.approvals import ApprovalDoor
from aimon_local.gateway.clockwork import ClockDoor
from aimon_local.gateway.events import Events
from aimon_local.gateway.lab import Lab
from aimon_local.model.ai import AiRecord
from aimon_local.model.audit import Stamp
from aimon_local.model.catalog import Catalog
from aimon_local.model.fill import Ids
from aimon_local.model.rows import Change
from aimon_local.model.usage import UsageRow
from aimon_local.policy.cache import AnswerCache
from aimon_local.policy.call import Call
from aimon_local.policy.rule import PluginType
from aimon_local.policy.state import LimitState
from aimon_local.storage.audit import AuditLog
from aimon_local.storage.corrections import Corrections
from aimon_local.storage.feed import Feed
from aimon_local.storage.queries import By, UsagePage, UsageTotals
from aimon_local.storage.spend import Spend
from aimon_local.storage.today import Today
from aimon_local.storage.verify import Verdict

if TYPE_CHECKING:
    from aimon_local.gateway.alerting import Alerting
    from aimon_local.gateway.push import Push
    from aimon_local.policy.guards.boxes import Boxes
    from aimon_local.policy.manners import Refusal


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask. ``hosts``: names besides loopback's and host.docker.internal by which the API may be called."""

    hosts: frozenset[str] = frozenset()  # lower case, no port; the bind address and what the operator allows
    token: str | None = None  # None: no token is asked for


@dataclass(frozen=True, slots=True)
class Node:
    """This process, for ``GET /``."""

    node_id: str  # a UUID, stable over restarts
    hostname: str
    version: str  # aimon-local's own, for the Server field
    pid: int
    plugins: Sequence[PluginType]
    configuration: Mapping[str, Any] = field(default_factory=dict)  # settings worth showing; no secrets


@dataclass(frozen=True, slots=True)
class Load:
    """What the proxy does just now, for ``GET /status``, in Kong's (nginx's) words."""

    connections_accepted: int = 0
    connections_active: int = 0
    connections_handled: int = 0
    connections_reading: int = 0
    connections_waiting: int = 0
    connections_writing: int = 0
    total_requests: int = 0
    resident_bytes: int = 0
    database_reachable: bool = True


class LogLevel(Protocol):
    """The level of the process's own log, under Kong's names (debug, info, notice, warn, error, crit, alert, emerg)."""

    def get(self) -> str:
        """The level that holds."""
        ...

    def set(self, level: str, seconds: int) -> None:
        """Let ``level`` hold for so many seconds (0: until it is set again)."""
        ...


class TargetHealth(Protocol):
    """What the balancer thinks of an upstream's targets, in Kong's words (HEALTHY, UNHEALTHY, HEALTHCHECKS_OFF)."""

    def upstream(self, upstream_id: str) -> str:
        """The word for the upstream as a whole."""
        ...

    def target(self, upstream_id: str, target_id: str) -> str:
        """The word for one target."""
        ...

    def mark(self, upstream_id: str, target_id: str, healthy: bool) -> None:
        """Let the operator's word hold from the next request on."""
        ...


class LedgerViews(Protocol):
    """What is asked of the ledger (storage.queries.Queries); times in nanoseconds, a consumer by id or stored name."""

    async def usage_totals(
        self, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> UsageTotals:
        """The sums of a span."""
        ...

    async def usage_totals_by(
        self, by: By, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> dict[str | int, UsageTotals]:
        """The same apart by something."""
        ...

    async def spend(
        self, by: str | None = None, consumer: str | None = None, since: int | None = None, until: int | None = None
    ) -> dict[str | int, Spend]:
        """What admitted AI calls used, apart by something; None: all under ""."""
        ...

    async def today(self, since: int) -> Today:
        """All sums from a moment on, as one state of the ledger."""
        ...

    async def verify(self, now: int, since: int = 0) -> Verdict:
        """Recount it."""
        ...

    async def usage_row(self, request_id: str) -> UsageRow | None:
        """The row of one request."""
        ...

    async def ai_records(self, request_ids: Iterable[str]) -> dict[str, AiRecord]:
        """What those of the requests used that were AI calls."""
        ...

    async def usage_rows(
        self,
        consumer: str | None = None,
        since: int | None = None,
        until: int | None = None,
        *,
        before: int | None = None,
        size: int = 100,
    ) -> UsagePage:
        """Rows, the last ended first."""
        ...


@dataclass(frozen=True, slots=True)
class AdminContext:
    """One gateway, as its Admin API sees it.

    A write is planned and committed while ``writing`` is held. ``commit`` stores the changes, applies them to the
    catalog and swaps the snapshot, or raises StoreError and has done nothing. ``hashed``: keys are kept as hashes
    (the catalog was made with seals), so secrets are masked in reads.
    """

    catalog: Catalog
    writing: asyncio.Lock
    commit: Callable[[Sequence[Change]], Awaitable[None]]
    clock: Clock
    ids: Ids
    hashed: bool
    access: Access
    node: Node
    load: Callable[[], Load]
    metrics: Callable[[], str]
    cache: AnswerCache  # what proxy-cache keeps
    ledger: LedgerViews
    events: Events
    log_level: LogLevel
    health: TargetHealth
    corrections: Corrections
    feed: Feed
    trial: Callable[[str, str, bytes], Call]  # (method, path, body): a call that nobody sent, on what is in force now
    audit: AuditLog | None = None
    lab: Lab | None = None
    addresses: Callable[[], Mapping[str, str]] = dict  # where the gateway listens: proxy, admin, upstream
    push: "Push | None" = None  # None: there is no sink
    alerting: "Alerting | None" = None  # None: alerts are switched off
    approvals: ApprovalDoor | None = None
    state: LimitState = field(default_factory=LimitState)  # of the limits, and where callers stand with their guards
    clockwork: ClockDoor | None = None
    # The refusals of a consumer, in a span; blocking.
    refusals: "Callable[[str, int | None, int | None], list[Refusal]] | None" = None
    runs: Callable[[str], list[dict[str, Any]]] | None = None  # of an agent by name, in the ledger; blocking
    stamp: Callable[[], Stamp] | None = None  # who acts now, for lines of the audit log; None: nothing is told

    @property
    def guarded(self) -> "Boxes":
        """Where callers stand with their behaviour guards."""
        return self.state.guards

    def now(self) -> int:
        """Wall time, nanoseconds."""
        return self.clock.now_ns()
