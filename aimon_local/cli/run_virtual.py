"""A script played in virtual time: the whole gateway with its upstream in this process, no sockets, no waiting."""

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimon_local.scenario.play import OnProgress, Outcome
    from aimon_local.scenario.script import Script


def played(script: "Script", seed: int, report: "OnProgress | None" = None) -> "Outcome":
    """One run on a gateway of its own; its clock and ids come from the seed, so that two runs are the same."""
    from aimon_local.gateway.virtual import VirtualGateway, connect, run_virtual
    from aimon_local.scenario.play import play
    from aimon_local.scenario.world import World

    outcomes: list[Outcome] = []  # not the task's result: the runner would write it out in words at its end

    async def main() -> None:
        stop = asyncio.Event()  # the loop never sleeps, so a signal may set it at once
        before = signal.signal(signal.SIGINT, lambda *_: stop.set())
        try:
            async with VirtualGateway(seed=seed, empty=True) as gateway:
                world = World(gateway.proxy, gateway.admin, gateway.upstream, own=True, connect=connect)
                outcomes.append(await play(script, world, seed=seed, prefix="", on_progress=report, stop=stop))
        finally:
            signal.signal(signal.SIGINT, before)

    run_virtual(main)
    return outcomes[0]
