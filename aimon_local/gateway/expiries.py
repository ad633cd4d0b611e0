"""Keys whose time is over: each is told once in the audit log, though nothing is written when it ends.

A key ends by the clock alone; here is noticed that it did, at most a second later, or at the next start.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.clock import SystemClock
from aimon_local.errors import StoreError
from aimon_local.gateway.auditing import GATEWAY
from aimon_local.model.audit import Stamp
from aimon_local.model.catalog import Catalog
from aimon_local.model.rows import Change
from aimon_local.storage.audit import AuditLog

KIND = "keyauth_credentials"
_NS = 1_000_000_000
_NEVER = 1 << 62
_log = logging.getLogger("aimon_local")


class Expiries:
    """Ask ``look`` now and then; ``next_s`` is when there is something to see, Unix seconds."""

    def __init__(self, catalog: Catalog, log: AuditLog) -> None:
        self._catalog, self._log = catalog, log
        self._told: dict[str, int] = {}  # by id, the end that was told
        self._task: asyncio.Task[None] | None = None
        self.next_s = _NEVER
        self._find()

    def changed(self, changes: Sequence[Change]) -> None:
        """Something was written."""
        if any(change.kind == KIND for change in changes):
            self._find()

    def look(self, now_ns: int) -> None:
        """Tell of those that are over by now; returns at once."""
        if now_ns // _NS < self.next_s or (self._task is not None and not self._task.done()):
            return
        over = [row for row in self._catalog.rows(KIND) if self._open(row) and row["ttl"] * _NS <= now_ns]
        self._task = asyncio.get_running_loop().create_task(self._tell(over))

    async def close(self) -> None:
        """Let what is being told be told."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _open(self, row: Mapping[str, Any]) -> bool:
        return bool(row.get("ttl")) and self._told.get(row["id"]) != row["ttl"]

    def _find(self) -> None:
        self.next_s = min((row["ttl"] for row in self._catalog.rows(KIND) if self._open(row)), default=_NEVER)

    async def _tell(self, over: Sequence[Mapping[str, Any]]) -> None:
        lines = []
        try:
            for row in over:
                if not await asyncio.to_thread(self._log.told, row["id"], "expire"):
                    owner = self._catalog.select("consumers", row["consumer"]["id"]) or {}
                    name = owner.get("username") or owner.get("custom_id") or ""
                    stamp = Stamp(GATEWAY, row["ttl"] * _NS, SystemClock().now_ns())
                    lines.append(stamp.entry("key", "expire", KIND, row["id"], name, {"ttl": row["ttl"]}))
            if lines:
                await asyncio.to_thread(self._log.add, lines)
        except StoreError as fault:
            _log.warning("audit log: %s", fault)  # told at the next look
            return
        self._told |= {row["id"]: row["ttl"] for row in over}
        self._find()
