"""Pushes the ledger to an HTTP sink, row by row in order, at least once each.

A batch of events goes out as ``application/cloudevents-batch+json``; only when the sink has taken it does the cursor
move, in the database. So nothing is lost over an end of either side, and what comes twice has the same ids. It reads
what is committed and waits on its own, so it never slows a request. When to try again is ``exports.usage.delivery``'s.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from aimon_local.errors import StoreError
from aimon_local.exports.usage import EVENTS
from aimon_local.exports.usage.delivery import Again, Delivered, Outcome, Stop
from aimon_local.gateway.admin.feed import shown
from aimon_local.gateway.posting import checked, named, post
from aimon_local.gateway.settings import Settings
from aimon_local.model.catalog import Catalog
from aimon_local.storage.cursors import Cursors
from aimon_local.storage.database import Database
from aimon_local.storage.feed import Fed, Feed

TOKEN = "AIMON_LOCAL_PUSH_TOKEN"  # the environment variable of the sink's bearer token
_IDLE_S = 0.5  # between two looks for new rows
_MEDIA = "application/cloudevents-batch+json"

Show = Callable[[Fed], Mapping[str, Any]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class PushState:
    """What an operator sees of it."""

    sink: str  # without credentials and query
    state: str = "idle"  # idle, sending, waiting (for another try), stopped (the sink refuses)
    reached: int = 0  # the last row that the sink has
    failures: int = 0  # tries in a row that failed
    error: str | None = None  # of the last failed try


class Push:
    """One sink."""

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        cursors: Cursors,
        show: Show,
        source: str,
        note: Callable[[str], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._url = checked("push_url", settings.push_url or "", TOKEN)
        self._events = EVENTS[settings.push_format]
        self._batch = settings.push_batch
        self._feed, self._cursors = feed, cursors
        self._show, self._source = show, source
        self._note, self._sleep = note, sleep
        self.state = PushState(named(self._url))

    async def run(self) -> None:
        """Push until the sink refuses for good, or for ever."""
        self.state.reached = await asyncio.to_thread(self._cursors.read, self.state.sink)
        while self.state.state != "stopped":
            try:
                rows = await asyncio.to_thread(self._feed.after, self.state.reached, self._batch)
                await self._deliver(rows) if rows else await self._sleep(_IDLE_S)
            except StoreError as fault:  # it heals by itself, or the ledger says so
                self.state.error = str(fault)
                await self._sleep(_IDLE_S)

    def facts(self) -> dict[str, Any]:
        """As JSON shows it; ``lag``: rows that the sink does not have yet."""
        state = self.state
        lag = max(0, self._feed.last() - state.reached)
        return {
            **{"sink": state.sink, "state": state.state, "reached": state.reached, "lag": lag},
            **{"failures": state.failures, "error": state.error},
        }

    async def _deliver(self, rows: Sequence[Fed]) -> None:
        """One batch, as often as it takes."""
        events = [event for row in rows for event in self._events(self._show(row), self._source)]
        body = json.dumps(events, ensure_ascii=False).encode()
        state = self.state
        while events:
            state.state = "sending"
            outcome = await asyncio.to_thread(self._try, body, state.failures)
            match outcome:
                case Delivered():
                    break
                case Stop(why):
                    state.state, state.error = "stopped", why
                    self._note(f"push: {state.sink}: {why}; nothing more is sent until the next start")
                    return
                case Again(seconds, why):
                    state.state, state.error, state.failures = "waiting", why, state.failures + 1
                    if state.failures == 1:
                        self._note(f"push: {state.sink}: {why}; it is tried again")
                    await self._sleep(seconds)
        await asyncio.to_thread(self._cursors.write, state.sink, rows[-1].seq)
        state.reached, state.state, state.failures, state.error = rows[-1].seq, "idle", 0, None

    def _try(self, body: bytes, failures: int) -> Outcome:
        """One POST, on a thread."""
        return post(self._url, body, _MEDIA, TOKEN, failures)


def start(
    database: Database, catalog: Catalog, settings: Settings, note: Callable[[str], None], stack: AsyncExitStack
) -> Push:
    """A sink's task, which ends with ``stack``; raises StartError for an address that can't be one."""
    source = f"aimon-local/{database.node_id}"
    show = partial(shown, catalog)
    push = Push(settings, Feed(database), Cursors(database), show, source, note)
    task = asyncio.get_running_loop().create_task(push.run())

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    return push
