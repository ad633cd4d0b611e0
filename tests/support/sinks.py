"""Sinks with a list of reports and pauses that are noted, not slept."""

import asyncio

from aimon_local.gateway.metrics import Metrics
from aimon_local.gateway.sinks import Sinks


class Rig:
    """Takes orders, then ends."""

    def __init__(self):
        self.reports, self.pauses = [], []
        self.sinks = Sinks(Metrics(), self.reports.append, self._sleep)

    async def _sleep(self, seconds):
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def run(self, *orders):
        async def main():
            for order in orders:
                self.sinks.take(order)
            await self.sinks.close(10)

        asyncio.run(main())
