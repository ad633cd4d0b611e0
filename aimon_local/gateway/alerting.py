"""Near-quota alerts in the running gateway: ended calls in, alerts out, to the table, the events, a file, a webhook.

It follows the ring of events as any listener does, so a call waits for nothing here; calls without limits are passed
over. What an alert is stands in ``policy.alerts``. Each is stored first and told then, so a restart repeats none.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from aimon_local.clock import MovableClock
from aimon_local.errors import StartError, StoreError
from aimon_local.gateway.events import BATCH, Events
from aimon_local.gateway.settings import Settings
from aimon_local.model.alert import Alert
from aimon_local.model.approval import State
from aimon_local.model.event import AlertRaised, ApprovalChanged, Event, RequestEnded
from aimon_local.policy.alerts import Watch, uses
from aimon_local.storage.alerts import AlertTable
from aimon_local.storage.database import Database

if TYPE_CHECKING:
    from aimon_local.gateway.alert_hook import AlertHook

_REST_S = 0.05  # between two looks, so that a busy proxy wakes it twenty times a second at most
_LONGEST_S = 3600.0
_AGAIN_S = 1.0  # where the table can't be written
_log = logging.getLogger("aimon_local")


class Alerting:
    """Follows the events from its start on."""

    def __init__(self, database: Database, events: Events, clock: MovableClock, settings: Settings) -> None:
        self.table = AlertTable(database)
        self.hook: AlertHook | None = None
        self._events, self._clock = events, clock
        self._file = None if settings.alert_file is None else Path(settings.alert_file)
        self._watch = Watch(settings.alert_percent, self.table.firing(), self.table.counters(clock.now_ns() // 10**9))
        self._untold: list[Alert] = []

    async def run(self) -> None:
        """Watch until the events end."""
        at = self._events.last
        while not self._events.closed:
            await self._events.more(at, self._patience())
            at = await self._look(at)
            await asyncio.sleep(_REST_S)
        await self._look(at)

    async def _look(self, at: int) -> int:
        """Take all events behind a number; the number that was reached."""
        gap = self._events.gap(at)
        if gap is not None:
            at = gap.next - 1
            self._watch.missed()
        while at < self._events.last:
            reached, batch = self._events.without_plain(at)
            self._untold += [alert for _, event in batch for alert in self._alerts(event)]
            few, at = reached - at < BATCH, reached
            if few:
                break
            await asyncio.sleep(0)
        self._untold += self._watch.at(self._clock.now_ns())
        if self._untold:
            await self._tell()
        return at

    def _alerts(self, event: Event) -> Iterator[Alert]:
        if isinstance(event, RequestEnded):
            if event.ai is not None and event.ai.limits:
                for use in uses(event.row, event.ai):
                    yield from self._watch.used(use)
        elif isinstance(event, ApprovalChanged) and event.question.state == State.APPROVED.value:
            asked = event.question
            yield from self._watch.granted(asked.subject, asked.limit_name, asked.granted, event.at_ns)

    async def _tell(self) -> None:
        try:
            told = await asyncio.to_thread(self.table.add, self._untold, self.hook is None)
        except StoreError:  # the ledger says so; it is tried again
            await asyncio.sleep(_AGAIN_S)
            return
        self._untold = []
        for alert in told:
            self._events.publish(AlertRaised(alert))
        if told and self._file is not None:
            await asyncio.to_thread(_append, self._file, told)
        if told and self.hook is not None:
            self.hook.wake()

    def _patience(self) -> float:
        """Seconds until a window ends in which something fires."""
        end, setting = self._watch.next_end, self._clock.setting
        if self._untold:
            return _AGAIN_S
        speed = 1 if setting is None else setting.speed
        if end is None or not speed:
            return _LONGEST_S
        return min(_LONGEST_S, max(_REST_S, (end - self._clock.now_ns() / 1e9) / speed))


def _append(path: Path, alerts: list[Alert]) -> None:
    """A line of JSON each."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(alert.facts(), ensure_ascii=False) + "\n" for alert in alerts)
    except OSError as fault:
        _log.warning("alert_file: %s can't be written: %s", path, fault.strerror or fault)


def start(
    database: Database,
    events: Events,
    clock: MovableClock,
    settings: Settings,
    note: Callable[[str], None],
    stack: AsyncExitStack,
) -> Alerting:
    """Begin to watch, until ``stack`` ends; raises StartError for a webhook or a file that can't be one."""
    if settings.alert_file is not None and not Path(settings.alert_file).absolute().parent.is_dir():
        raise StartError(f"alert_file: {settings.alert_file} is in no directory", "make the directory, or name another")
    alerting = Alerting(database, events, clock, settings)
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(alerting.run())]
    if settings.alert_webhook is not None:
        from aimon_local.gateway.alert_hook import AlertHook

        alerting.hook = AlertHook(settings.alert_webhook, alerting.table, note)
        tasks.append(loop.create_task(alerting.hook.run()))

    async def end() -> None:
        await asyncio.wait(tasks[:1], timeout=_AGAIN_S)  # what is committed is still told
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(end)
    return alerting
