"""What the sinks of logs share: entries as lines of JSON, the faults they report, the tasks that carry batches."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

Report = Callable[[Exception], None]
Sleep = Callable[[float], Awaitable[None]]
Entry = Mapping[str, Any] | bytes


class SinkFault(Exception):
    """A log could not be written, or entries were dropped; the text says which and why."""


def encode(entry: Entry) -> bytes:
    """An entry as JSON on one line."""
    if isinstance(entry, bytes):
        return entry
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")


class Tasks:
    """The running batches: kept from being collected, waited for at the end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a batch."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Wait for what runs, ``seconds`` at most, then cut it."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
