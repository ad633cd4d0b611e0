"""Sends one actor's requests: the key, the retries, the children of a spawning step, and a ``Fact`` for each try.

When iterations begin is ``drive``'s; what they send is ``plan``'s.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aimon_local.scenario.expecting import faults
from aimon_local.scenario.facts import Fact
from aimon_local.scenario.http1 import Answer, Patience, Pool, request_bytes
from aimon_local.scenario.minting import Cast, Held
from aimon_local.scenario.plan import Call, Turn, chance_of, iteration, recorded, spawned
from aimon_local.scenario.retrying import told, wait_of
from aimon_local.scenario.script import Actor, Spawn

_EARLY = 0.002  # seconds by which a timer may be early
LATE = 0.010  # seconds from which a request counts as late in the progress


@dataclass(slots=True)
class Tally:
    """Counts of one actor as they grow."""

    begun: int = 0
    done: int = 0
    sent: int = 0
    in_flight: int = 0
    late: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    over: bool = False


@dataclass(slots=True)
class Stage:
    """What all callers of a run share."""

    cast: Cast
    pool: Pool
    host: str
    seed: int
    began: float
    phase: str
    facts: list[Fact]
    told: Callable[[], None]  # something moved


class Caller:
    """One actor at work."""

    def __init__(self, actor: Actor, stage: Stage) -> None:
        self.actor, self.stage, self.tally = actor, stage, Tally()
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        """Seconds since the run began."""
        return self._loop.time() - self.stage.began

    async def turn(self, turn: Turn, due: float | None = None) -> None:
        """One iteration; ``due``: when it should begin, None: now."""
        actor, tally = self.actor, self.tally
        tally.begun += 1
        carried: dict[str, str] = {}
        at = self.now() if due is None else due
        replayed = actor.executor == "replay"
        calls = [recorded(actor, self.stage.seed, turn)] if replayed else iteration(actor, self.stage.seed, turn)
        for call in calls:
            answer = await self._send(call, turn, at, carried)
            carried.update(self._taken(answer))
            if call.step.spawn is not None:
                await self._spawn(call.step.spawn, turn, dict(carried), (0,))
            if call.pause:
                await asyncio.sleep(call.pause)
            at = self.now()
        tally.done += 1
        self.stage.told()

    def _taken(self, answer: Answer) -> dict[str, str]:
        """The fields of an answer that go with the next requests."""
        return {name: answer.headers[name.lower()] for name in self.actor.carry if name.lower() in answer.headers}

    async def _spawn(self, spawn: Spawn, turn: Turn, carried: Mapping[str, str], place: tuple[int, ...]) -> None:
        """The children of an answer, all at once, and theirs."""
        step = next(step for step in self.actor.steps if step.name == spawn.step)
        carried = _deeper(carried)

        async def child(number: int) -> None:
            here = (*place, number)
            call = spawned(self.actor, self.stage.seed, turn, step, here)
            answer = await self._send(call, turn, self.now(), carried)
            if answer.status == 200 and len(here) <= spawn.levels:
                await self._spawn(spawn, turn, {**carried, **self._taken(answer)}, here)

        async with asyncio.TaskGroup() as children:
            for number in range(spawn.count):
                children.create_task(child(number))

    # ---- a call and its tries

    async def _send(self, call: Call, turn: Turn, due: float, carried: Mapping[str, str]) -> Answer:
        """The call, again as often as this client tries; the last answer."""
        chance = None
        honoured: bool | None = None
        attempt = 0
        while True:
            answer = await self._once(call, turn, due, carried, attempt, honoured)
            if attempt >= self.actor.retries:
                return answer
            chance = chance or chance_of(self.stage.seed, self.actor.name, turn.number, "retry", call.step.name)
            wait = wait_of(self.actor.client, answer.status, answer.headers, attempt, chance.random())
            if wait is None:
                return answer
            asked, ended = told(answer.headers), answer.ended
            await asyncio.sleep(wait)
            honoured = None if asked is None else self._loop.time() - ended >= asked - _EARLY
            due, attempt = ended - self.stage.began + wait, attempt + 1

    async def _once(
        self, call: Call, turn: Turn, due: float, carried: Mapping[str, str], attempt: int, honoured: bool | None
    ) -> Answer:
        stage, tally, step = self.stage, self.tally, call.step
        held = self._held(turn)
        phase = self.actor.phase or stage.phase
        request = request_bytes(step.method, stage.cast.base + call.path, stage.host, self._fields(call, held, carried),
                                call.body)  # fmt: skip
        patience = Patience(self.actor.timeout, step.leave_after, step.leave_after_chunks)
        tally.sent += 1
        tally.in_flight += 1
        try:
            answer = await stage.pool.send(request, step.method == "HEAD", patience)
        finally:
            tally.in_flight -= 1
        fact = self._fact(call, turn, due, attempt, honoured, answer, held, phase)
        stage.facts.append(fact)
        tally.late += fact.late >= LATE
        if answer.status in (401, 402, 403, 413, 429, 503):
            word = answer.headers.get("x-aimon-reason", str(answer.status))
            tally.refused[word] = tally.refused.get(word, 0) + 1
        stage.told()
        return answer

    def _held(self, turn: Turn) -> Held | None:
        holders = self.stage.cast.holders.get(self.actor.name)
        return holders[turn.number % len(holders)] if holders else None

    def _fields(self, call: Call, held: Held | None, carried: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        key = (("apikey", held.key),) if held else ()
        return (*key, *call.headers, *carried.items())

    def _fact(
        self, call: Call, turn: Turn, due: float, attempt: int, honoured: bool | None, answer: Answer,
        held: Held | None, phase: str,
    ) -> Fact:  # fmt: skip
        began, expect = self.stage.began, call.step.expect
        return Fact(
            actor=self.actor.name,
            tier=self.actor.tier,
            consumer=held.consumer if held else "",
            phase=phase,
            step=call.step.name,
            model=call.model,
            iteration=turn.number,
            attempt=attempt,
            due=due,
            sent=answer.sent - began,
            first_byte=None if answer.first_byte is None else answer.first_byte - began,
            ended=answer.ended - began,
            status=answer.status,
            error=answer.error,
            request_id=answer.headers.get("x-kong-request-id", ""),
            retry_after=told(answer.headers),
            honoured=honoured,
            bytes_out=answer.size,
            faults=faults(expect, answer.status, answer.headers, answer.body) if expect else (),
            reasons=expect.reason if expect else (),
        )


def _deeper(carried: Mapping[str, str]) -> Mapping[str, str]:
    """What a child is given along: its depth in the run is one more (an answer says that of the call itself)."""
    depth = carried.get("X-Aimon-Depth", "")
    return {**carried, "X-Aimon-Depth": str(int(depth) + 1)} if depth.isdecimal() else carried
