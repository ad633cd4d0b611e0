"""Where the orders of log plugins go: files, HTTP endpoints, metrics. Nothing here may hold up a request.

``take`` only queues (metrics only count); writing, sending and JSON happen on worker threads, one batch at a time per
file or endpoint. Queues are bounded: when one is full, the oldest entry is dropped, counted and reported. A new kind of
sink is one class with ``take`` and one line in ``Sinks``.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aimon_local.gateway.batches import Report, SinkFault, Sleep, Tasks, encode
from aimon_local.gateway.metrics import Metrics
from aimon_local.policy.rule import LogOrder

if TYPE_CHECKING:
    from aimon_local.gateway.http_sink import HttpSink

FILE_PENDING = 10_000  # entries that may wait for one file
FILE_BATCH = 500  # entries written at once

Take = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


class Sinks:
    """All sinks of a gateway."""

    def __init__(self, metrics: Metrics, report: Report, sleep: Sleep = asyncio.sleep) -> None:
        self._tasks = Tasks()
        self._report = report
        self._sleep = sleep
        self._endpoints: HttpSink | None = None
        files = FileSink(self._tasks, report)
        self._by_name: Mapping[str, Take] = {"metrics": metrics.take, "file": files.take, "http": self._http}

    def take(self, order: LogOrder) -> None:
        """Write it, off the hot path."""
        self._by_name[order.sink](order.config, order.entry)

    def _http(self, config: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        if self._endpoints is None:
            from aimon_local.gateway.http_sink import HttpSink  # noqa: PLC0415 (its client costs 5 ms: only who logs so pays)

            self._endpoints = HttpSink(self._tasks, self._report, self._sleep)
        self._endpoints.take(config, entry)

    async def close(self, seconds: float) -> None:
        """Write what waits, for ``seconds`` at most."""
        await self._tasks.finish(seconds)


# ---- files


class _Line:
    """What waits for one file."""

    __slots__ = ("dropped", "failing", "pending", "writing")

    def __init__(self) -> None:
        self.pending: deque[Mapping[str, Any]] = deque()
        self.dropped = 0
        self.failing = False
        self.writing = False


class FileSink:
    """Appends entries to files as lines of JSON.

    A file is opened for each batch, so a file that was moved away is made anew, whatever ``reopen`` says.
    """

    def __init__(self, tasks: Tasks, report: Report) -> None:
        self._tasks = tasks
        self._report = report
        self._lines: dict[str, _Line] = {}

    def take(self, config: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        """Queue an entry for ``config["path"]``."""
        path = config["path"]
        line = self._lines.setdefault(path, _Line())
        if len(line.pending) >= FILE_PENDING:
            line.pending.popleft()
            line.dropped += 1
        line.pending.append(entry)
        if not line.writing:
            line.writing = True
            self._tasks.start(self._write(path, line))

    async def _write(self, path: str, line: _Line) -> None:
        try:
            while line.pending:
                batch = [line.pending.popleft() for _ in range(min(FILE_BATCH, len(line.pending)))]
                await self._append(path, line, batch)
        finally:
            line.writing = False

    async def _append(self, path: str, line: _Line, batch: list[Mapping[str, Any]]) -> None:
        try:
            await asyncio.to_thread(append, path, batch)
        except OSError as fault:
            if not line.failing:  # said once, until it works again
                line.failing = True
                self._report(SinkFault(f"file-log: {path} can't be written: {fault.strerror or fault}"))
            return
        line.failing = False
        if line.dropped:
            self._report(SinkFault(f"file-log: {line.dropped} entries for {path} were dropped: it is too slow"))
            line.dropped = 0


def append(path: str, batch: list[Mapping[str, Any]]) -> None:
    """Append entries; a new file is readable by all and writable by its owner, as Kong makes it. Raises OSError."""
    data = b"".join(encode(entry) + b"\n" for entry in batch)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
    finally:
        os.close(handle)
