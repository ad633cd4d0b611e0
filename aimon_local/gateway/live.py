"""What is in force now: the catalog, the snapshot compiled from it, and the state of the limits.

A write stores its changes, applies them to the catalog, builds the next snapshot and swaps it in: the very next request
sees it. Writes take turns; each is planned inside its turn (``writing``), so no plan is made from a state that another
write has left behind.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aimon_local.model.audit import AuditEntry
from aimon_local.model.catalog import Catalog
from aimon_local.model.rows import Change
from aimon_local.policy.rule import PluginType, Scope
from aimon_local.policy.snapshot import Snapshot, build
from aimon_local.policy.state import LimitState

Digest = Callable[[str], str]
KINDS = (
    "services",
    "routes",
    "consumers",
    "consumer_groups",
    "consumer_group_consumers",
    "plugins",
    "upstreams",
    "targets",
    "keyauth_credentials",
    "basicauth_credentials",
    "jwt_secrets",
    "acls",
    "tiers",
    "price_plans",
    "model_prices",
    "agents",
)
"""The kinds of entities that requests depend on."""


class Store(Protocol):
    """Where changes are kept."""

    async def apply(self, changes: Sequence[Change], lines: Sequence[AuditEntry] = ()) -> None:
        """Make all changes durable, with the audit log's lines of them, or none; raises StoreError."""
        ...


class Live:
    """The one place where a configuration takes effect."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        plugins: Mapping[str, PluginType],
        digest: Digest,
        state: LimitState,
        note: Callable[[str], None],
        audit: Callable[[Sequence[Change]], Sequence[AuditEntry]] | None = None,
    ) -> None:
        self.catalog, self.state = catalog, state
        self.writing = asyncio.Lock()
        self.on_swap: list[Callable[[Snapshot], None]] = []  # who must hear of a new snapshot
        self.on_change: list[Callable[[Sequence[Change]], None]] = []  # who must hear of what was written
        self._store, self._plugins, self._digest, self._note = store, plugins, digest, note
        self._audit = audit
        self.snapshot: Snapshot = self._build(None)

    async def commit(self, changes: Sequence[Change]) -> None:
        """Store changes, then let them take effect; hold ``writing`` from the plan on. Raises StoreError."""
        if not changes:
            return
        self._try_out(changes)
        if self._audit is None:
            await self._store.apply(changes)
        else:
            await self._store.apply(changes, self._audit(changes))
        self.catalog.apply(changes)
        self.snapshot = self._build(self.snapshot)
        for swapped in self.on_swap:
            swapped(self.snapshot)
        for changed in self.on_change:
            changed(changes)

    def _try_out(self, changes: Sequence[Change]) -> None:
        """Compile what is new: nothing is stored that a start could not use. Say what the operator should know."""
        for change in changes:
            if change.kind == "plugins" and change.op == "put":
                kind = self._plugins[change.entity["name"]]
                kind.compile(change.entity["config"], Scope(change.entity["id"]))
                for line in kind.warnings(change.entity["config"]):
                    self._note(line)

    def _build(self, previous: Snapshot | None) -> Snapshot:
        rows: dict[str, Any] = {kind: list(self.catalog.rows(kind)) for kind in KINDS}  # some are read twice
        return build(rows, self._plugins, self._digest, previous)
