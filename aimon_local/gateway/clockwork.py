"""Moving the clock: stored with its line of the audit log, then in force, then told to whoever listens.

Nothing is reset by it: whatever has a time reads the clock when it is asked. To add a way to move it: its arithmetic in
``clock.MovableClock``, its argument in ``gateway.admin.clock``.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.clock import ManualClock, MovableClock, Setting
from aimon_local.gateway.auditing import Auditor
from aimon_local.model.event import ClockMoved
from aimon_local.storage import clock as table
from aimon_local.storage.entities import EntityStore

Plan = Callable[[MovableClock], Setting | None]


class ClockDoor:
    """Shows the clock and moves it. ``publish`` hears of each move."""

    def __init__(
        self, clock: MovableClock, store: EntityStore, auditor: Auditor, publish: Callable[[ClockMoved], None]
    ) -> None:
        self.clock = clock
        self._store, self._auditor, self._publish = store, auditor, publish
        self._turn = asyncio.Lock()

    async def move(self, action: str, given: str, plan: Plan) -> None:
        """Run as ``plan`` says; StoreError: nothing has changed. ``given``: the argument, for the audit log."""
        clock = self.clock
        async with self._turn:
            stamp, before = self._auditor.stamp(), facts(clock)
            planned = plan(clock)
            setting = planned if planned is not None and planned.moved() else None
            after = {"action": action, "given": given, **facts(MovableClock(setting, ManualClock(clock.real_ns())))}
            line = stamp.entry("clock", action, "clock", "", "clock", before, after)
            await self._store.execute([table.put(setting)], [line])
            clock.set(setting)
        by = f"{stamp.actor.name} {stamp.actor.address}".strip()
        now, real = clock.now_ns(), clock.real_ns()
        self._publish(ClockMoved(now, real, now - real, speed(clock), action, given, by))


def speed(clock: MovableClock) -> int:
    """Seconds that it makes in one of the machine's; 0: it is frozen."""
    return 1 if clock.setting is None else clock.setting.speed


def facts(clock: MovableClock) -> Mapping[str, Any]:
    """The clock as JSON shows it."""
    now, real = clock.now_ns(), clock.real_ns()
    return {"at_ns": now, "real_ns": real, "shift_ns": now - real if clock.moved else 0, "speed": speed(clock)}
