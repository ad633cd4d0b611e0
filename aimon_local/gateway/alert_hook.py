"""Alerts to a webhook: one POST of JSON each, in order, at least once: the table remembers what has not arrived.

What comes twice has the same ``id`` and ``state``. When to try again is ``exports.usage.delivery``'s.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from aimon_local.errors import StoreError
from aimon_local.exports.usage.delivery import Again, Delivered, Stop
from aimon_local.gateway.posting import checked, named, post
from aimon_local.model.alert import Alert
from aimon_local.storage.alerts import AlertTable

TOKEN = "AIMON_LOCAL_ALERT_TOKEN"  # the environment variable of the receiver's bearer token
_BATCH = 100
_AGAIN_S = 1.0


class AlertHook:
    """One receiver. ``state``: idle, waiting (for another try), stopped (it refuses for good)."""

    def __init__(
        self,
        url: str,
        table: AlertTable,
        note: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = checked("alert_webhook", url, TOKEN)
        self._table, self._note, self._sleep = table, note, sleep
        self._new = asyncio.Event()
        self._failures = 0
        self.sink = named(self._url)
        self.state = "idle"

    def wake(self) -> None:
        """There is something to deliver."""
        self._new.set()

    async def run(self) -> None:
        """Deliver what waits, and what comes, until the receiver refuses for good."""
        while self.state != "stopped":
            self._new.clear()
            try:
                waiting = await asyncio.to_thread(self._table.waiting, _BATCH)
                for number, alert in waiting:
                    await self._deliver(number, alert)
            except StoreError:
                await self._sleep(_AGAIN_S)
                continue
            if not waiting:
                await self._new.wait()

    async def _deliver(self, number: int, alert: Alert) -> None:
        body = json.dumps(alert.facts(), ensure_ascii=False).encode()
        while self.state != "stopped":
            match await asyncio.to_thread(post, self._url, body, "application/json", TOKEN, self._failures):
                case Delivered():
                    await asyncio.to_thread(self._table.delivered, [number])
                    self.state, self._failures = "idle", 0
                    return
                case Stop(why):
                    self.state = "stopped"
                    self._note(f"alerts: {self.sink}: {why}; nothing more is sent until the next start")
                case Again(seconds, why):
                    self.state, self._failures = "waiting", self._failures + 1
                    if self._failures == 1:
                        self._note(f"alerts: {self.sink}: {why}; it is tried again")
                    await self._sleep(seconds)
