"""Plays a script in a world: make what it needs, drive, read the ledger, judge, clean up. The one door of the room.

``play`` never leaves anything behind on a gateway that others use, also when it is stopped in the middle.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.scenario.act import Hand
from aimon_local.scenario.caller import Stage
from aimon_local.scenario.drive import Drive
from aimon_local.scenario.facts import Evidence
from aimon_local.scenario.http1 import Pool
from aimon_local.scenario.ledger import joined, newest
from aimon_local.scenario.minting import Cast, Mint
from aimon_local.scenario.progress import Progress
from aimon_local.scenario.script import Script
from aimon_local.scenario.verdict import Verdict, holds_so_far, judge
from aimon_local.scenario.world import Door, World, near

OnProgress = Callable[[Progress], None]
_EVERY = 50  # moves between two reports of progress
_MOST_JUDGED = 1000  # facts up to which thresholds are judged on the way


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over. ``left``: what could not be cleaned up."""

    script: Script
    seed: int
    evidence: Evidence
    verdict: Verdict
    left: tuple[str, ...] = ()


async def play(
    script: Script,
    world: World,
    *,
    seed: int,
    prefix: str,
    allow_remote: bool = False,
    on_progress: OnProgress | None = None,
    stop: asyncio.Event | None = None,
) -> Outcome:
    """One run. ``prefix`` names what is made for it; AimonError: the script or the set-up can't be played."""
    for what, address in (("the proxy", world.proxy), ("the Admin API", world.admin), ("the mock", world.mock)):
        if address is not None:
            near(address, what, allow_remote)
    pools = [Pool(address, world.connect) for address in (world.proxy, world.admin, world.mock) if address is not None]
    admin = Door(pools[1], world.token)
    mock = Door(pools[2]) if world.mock is not None else None
    mint = Mint(script, world, admin, mock, prefix, allow_remote)
    left: list[str] = []
    try:
        cast = await mint.make()
        evidence = await _driven(script, (pools[0], admin, mock), cast, mint, seed, on_progress, stop)
    finally:
        left += await mint.undo()
        for pool in pools:
            pool.close()
    return Outcome(script, seed, evidence, judge(script, evidence), tuple(left))


async def _driven(
    script: Script,
    doors: tuple[Pool, Door, Door | None],
    cast: Cast,
    mint: Mint,
    seed: int,
    on_progress: OnProgress | None,
    stop: asyncio.Event | None,
) -> Evidence:
    pool, admin, mock = doors
    loop, moves = asyncio.get_running_loop(), 0
    since, before = await newest(admin), await _counted(mock)
    knobs = await mock.call("GET", "/_mock/config") if mock is not None else {}
    host = "{}:{}".format(*pool.address)

    def told() -> None:
        nonlocal moves
        moves += 1
        if on_progress is not None and moves % _EVERY == 1:
            on_progress(drive.progress(_so_far(script, stage, loop.time() - stage.began)))

    stage = Stage(cast, pool, host, seed, loop.time(), "", [], told)
    drive = Drive(script, stage, Hand(mint, admin, mock, knobs))
    finished = await drive.run(stop)
    seconds = loop.time() - stage.began
    pool.close()
    facts = await joined(admin, stage.facts, since)
    if on_progress is not None:
        on_progress(drive.progress())
    return Evidence(facts, tuple(drive.marks), _delta(before, await _counted(mock)), seconds, not finished)


def _so_far(script: Script, stage: Stage, seconds: float) -> tuple[tuple[str, bool], ...]:
    if len(stage.facts) > _MOST_JUDGED:
        return ()
    return holds_so_far(script, Evidence(tuple(stage.facts), seconds=seconds))


async def _counted(mock: Door | None) -> Mapping[str, Any]:
    """The mock's own count."""
    return {} if mock is None else await mock.call("GET", "/_mock/stats")


def _delta(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float]:
    """What the mock counted in between; its most at once is since its start."""
    numbers = {name: value for name, value in after.items() if isinstance(value, int | float)}
    return {
        name: float(value if name == "most_in_flight" else value - before.get(name, 0))
        for name, value in numbers.items()
    }
