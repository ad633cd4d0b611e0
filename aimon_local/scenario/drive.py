"""Drives the traffic of a script: begins iterations when the plan says so, and lets events happen.

Open model: an actor with a rate or a replay begins by the clock, whatever the answers do. What can't be sent in time
(the bound ``max_in_flight``, a slow machine) is sent late and says so; nothing is left out. All time is the loop's, so
a loop in virtual time drives the very same code.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aimon_local.errors import AimonError
from aimon_local.scenario.act import Hand
from aimon_local.scenario.caller import Caller, Stage
from aimon_local.scenario.facts import Mark
from aimon_local.scenario.plan import Turn, arrivals, expected, think
from aimon_local.scenario.progress import ActorProgress, Progress
from aimon_local.scenario.script import OPEN, Actor, Event, Script

_BATCH = 32  # iterations that begin without letting others run


class Drive:
    """One run's traffic. ``marks``: the events that happened."""

    def __init__(self, script: Script, stage: Stage, hand: Hand) -> None:
        self._script, self._stage, self._hand = script, stage, hand
        self._loop = asyncio.get_running_loop()
        self.marks: list[Mark] = []
        self._callers = {actor.name: Caller(actor, stage) for actor in script.actors}
        names = [*(actor.name for actor in script.actors), *(event.name for event in script.events)]
        self._over = {name: asyncio.Event() for name in names}

    async def run(self, stop: asyncio.Event | None = None) -> bool:
        """All actors and events to their end; False: ``stop`` was set before."""
        work = asyncio.ensure_future(self._all())
        stopped = asyncio.ensure_future(stop.wait()) if stop else None
        try:
            await asyncio.wait([work, stopped] if stopped else [work], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            return work.done()
        finally:
            for task in (work, stopped):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for event in self._script.events:
                group.create_task(self._happen(event))
            for actor in self._script.actors:
                group.create_task(self._play(actor))

    async def _begin(self, after: tuple[str, ...], seconds: float) -> float:
        """Wait for others to be over and then so long; the time at which it began, since the run began."""
        began = 0.0
        for name in after:
            await self._over[name].wait()
            began = self._loop.time() - self._stage.began
        await self._until(began + seconds)
        return began + seconds

    async def _until(self, at: float) -> None:
        left = self._stage.began + at - self._loop.time()
        if left > 0:
            await asyncio.sleep(left)

    async def _happen(self, event: Event) -> None:
        await self._begin(event.after, event.at)
        error = ""
        try:
            await self._hand.happen(event)
        except AimonError as fault:
            error = str(fault)
        self._stage.phase = event.phase or self._stage.phase
        self.marks.append(Mark(event.name, event.do, self._loop.time() - self._stage.began, error))
        self._over[event.name].set()
        self._stage.told()

    async def _play(self, actor: Actor) -> None:
        began = await self._begin(actor.after, actor.start)
        caller = self._callers[actor.name]
        await (_open if actor.executor in OPEN else _EXECUTORS[actor.executor])(self, actor, caller, began)
        caller.tally.over = True
        self._over[actor.name].set()
        self._stage.told()

    # ---- executors

    async def open(self, actor: Actor, caller: Caller, began: float) -> None:
        """By the clock."""
        room = asyncio.Semaphore(actor.max_in_flight)

        async def one(number: int, due: float) -> None:
            try:
                await caller.turn(Turn(number), due)
            finally:
                room.release()

        async with asyncio.TaskGroup() as group:
            for number, at in enumerate(arrivals(actor, self._stage.seed)):
                await self._until(began + at)
                await room.acquire()
                group.create_task(one(number, began + at))
                if number % _BATCH == _BATCH - 1:
                    await asyncio.sleep(0)

    async def users(self, actor: Actor, caller: Caller, ends: float | None) -> None:
        """Virtual users, each with one iteration after the other: ``iterations`` of them, or until a time."""

        async def one(vu: int) -> None:
            turn = 0
            while turn < actor.iterations if ends is None else caller.now() < ends:
                who = Turn(vu + turn * actor.vus, vu, turn)
                await caller.turn(who)
                pause = think(actor, self._stage.seed, who)
                if ends is not None:
                    pause = min(pause, max(0.0, ends - caller.now()))
                await asyncio.sleep(pause)
                turn += 1

        async with asyncio.TaskGroup() as group:
            for vu in range(actor.vus):
                group.create_task(one(vu))

    # ---- progress

    def progress(self, holds: tuple[tuple[str, bool], ...] = ()) -> Progress:
        """How far it is."""
        rows = []
        for name, caller in self._callers.items():
            tally = caller.tally
            rows.append(
                ActorProgress(
                    name, expected(caller.actor), tally.begun, tally.done, tally.sent, tally.in_flight, tally.late,
                    dict(tally.refused), tally.over,
                )
            )  # fmt: skip
        at = self._loop.time() - self._stage.began
        return Progress(self._script.name, at, tuple(rows), holds, self.marks[-1].name if self.marks else "")


Executor = Callable[[Drive, Actor, Caller, float], Awaitable[None]]


async def _open(drive: Drive, actor: Actor, caller: Caller, began: float) -> None:
    await drive.open(actor, caller, began)


async def _vus(drive: Drive, actor: Actor, caller: Caller, began: float) -> None:
    await drive.users(actor, caller, began + actor.duration)


async def _iterations(drive: Drive, actor: Actor, caller: Caller, began: float) -> None:
    await drive.users(actor, caller, None)


_EXECUTORS: Mapping[str, Executor] = {"constant-vus": _vus, "per-vu-iterations": _iterations}
