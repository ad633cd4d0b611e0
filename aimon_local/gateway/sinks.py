"""Where the orders of log plugins go: files, HTTP endpoints, metrics. Nothing here may hold up a request.

``take`` only queues (metrics only count); writing, sending and JSON happen on worker threads, one batch at a time per
file or endpoint. Queues are bounded: when one is full, the oldest entry is dropped, counted and reported. A new kind of
sink is one class with ``take`` and one line in ``Sinks``.
"""

import asyncio
import base64
import http.client
import json
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aimon_local.gateway.metrics import Metrics
from aimon_local.policy.rule import LogOrder

Report = Callable[[Exception], None]
Sleep = Callable[[float], Awaitable[None]]
Entry = Mapping[str, Any] | bytes

FILE_PENDING = 10_000  # entries that may wait for one file
FILE_BATCH = 500  # entries written at once
LOCAL_NAMES = frozenset({"host.docker.internal"})  # names of this machine in service URLs


class SinkFault(Exception):
    """A log could not be written, or entries were dropped; the text says which and why."""


class _Tasks:
    """The running batches: kept from being collected, waited for at the end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class Sinks:
    """All sinks of a gateway."""

    def __init__(self, metrics: Metrics, report: Report, sleep: Sleep = asyncio.sleep) -> None:
        self._tasks = _Tasks()
        files = FileSink(self._tasks, report)
        endpoints = HttpSink(self._tasks, report, sleep)
        self._by_name: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], None]] = {
            "metrics": metrics.take,
            "file": files.take,
            "http": endpoints.take,
        }

    def take(self, order: LogOrder) -> None:
        """Write it, off the hot path."""
        self._by_name[order.sink](order.config, order.entry)

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

    def __init__(self, tasks: _Tasks, report: Report) -> None:
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


def encode(entry: Entry) -> bytes:
    """An entry as JSON on one line."""
    if isinstance(entry, bytes):
        return entry
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")


# ---- HTTP endpoints


class HttpSink:
    """Sends entries to the endpoints of http-log plugins, each with a queue of its own."""

    def __init__(self, tasks: _Tasks, report: Report, sleep: Sleep) -> None:
        self._tasks = tasks
        self._report = report
        self._sleep = sleep
        self._endpoints: dict[str, _Endpoint] = {}

    def take(self, config: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        """Queue an entry for the endpoint of ``config``."""
        endpoint = self._endpoints.get(config["plugin_id"])
        if endpoint is None:
            endpoint = self._endpoints[config["plugin_id"]] = _Endpoint(config, self._report, self._sleep)
        endpoint.config = config  # the plugin may have been changed
        endpoint.put(entry)
        if not endpoint.sending:
            endpoint.sending = True
            self._tasks.start(endpoint.run())


class _Endpoint:
    """One endpoint: its queue, its connection, its retries."""

    def __init__(self, config: Mapping[str, Any], report: Report, sleep: Sleep) -> None:
        self.config = config
        self.sending = False
        self._report = report
        self._sleep = sleep
        self._queue: deque[Entry] = deque()
        self._bytes = 0  # counted where the queue has a bound in bytes
        self._dropped = 0
        self._connection: http.client.HTTPConnection | None = None
        self._origin: tuple[str, str] | None = None

    def put(self, entry: Mapping[str, Any]) -> None:
        """Queue an entry; the oldest goes where there is no room."""
        queue, bounds = self._queue, self.config["queue"]
        most = bounds.get("max_bytes")
        item: Entry = entry
        if most:
            item = encode(entry)
            self._bytes += len(item)
        queue.append(item)
        while len(queue) > bounds["max_entries"] or (most and self._bytes > most):
            self._forget(queue.popleft())
            self._dropped += 1
            if not queue:
                break

    def _forget(self, item: Entry) -> None:
        if isinstance(item, bytes):
            self._bytes -= len(item)

    async def run(self) -> None:
        """Send until nothing waits; entries that come while a batch gathers go with it."""
        try:
            while self._queue:
                bounds = self.config["queue"]
                size = bounds["max_batch_size"]
                if len(self._queue) < size:
                    await self._sleep(bounds["max_coalescing_delay"])
                batch = [self._queue.popleft() for _ in range(min(size, len(self._queue)))]
                for item in batch:
                    self._forget(item)
                await self._deliver(batch)
        finally:
            self.sending = False
            self._close()

    async def _deliver(self, batch: list[Entry]) -> None:
        """Send a batch; after failures again and again, with doubling pauses, until ``max_retry_time`` is used up."""
        bounds, waited = self.config["queue"], 0.0
        pause = bounds["initial_retry_delay"]
        while True:
            fault = await asyncio.to_thread(self._send, batch)
            if fault is None:
                break
            if waited + pause > bounds["max_retry_time"]:
                what = f"http-log: {len(batch)} entries for {self._where()} were given up: {fault}"
                self._report(SinkFault(what))
                break
            await self._sleep(pause)
            waited += pause
            pause = min(2 * pause, bounds["max_retry_delay"])
        if self._dropped:
            self._report(SinkFault(f"http-log: {self._dropped} entries for {self._where()} were dropped: queue full"))
            self._dropped = 0

    def _where(self) -> str:
        """The endpoint without credentials and query."""
        parts = urlsplit(self.config["http_endpoint"])
        return f"{parts.scheme}://{parts.hostname}{parts.path}"

    # on a worker thread; one batch at a time, so the connection has one user

    def _send(self, batch: list[Entry]) -> str | None:
        """One try: None, or why it failed."""
        config = self.config
        url = urlsplit(config["http_endpoint"])
        items = [encode(item) for item in batch]
        body = items[0] if config["queue"]["max_batch_size"] == 1 else b"[" + b",".join(items) + b"]"
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection = self._open(url, config["timeout"] / 1000)
            connection.request(config["method"], target, body, _fields(config, url))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as fault:
            self._close()
            return str(fault) or type(fault).__name__
        return None if answer.status < 400 else f"it answered {answer.status}"

    def _open(self, url: SplitResult, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None or self._origin != (url.scheme, url.netloc):
            self._close()
            secure = url.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            host = url.hostname or ""
            host = "127.0.0.1" if host in LOCAL_NAMES else host
            self._connection = kind(host, url.port or (443 if secure else 80), timeout=timeout)
            self._origin = (url.scheme, url.netloc)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _fields(config: Mapping[str, Any], url: SplitResult) -> dict[str, str]:
    """The request's fields: the configured ones, the media type, and credentials that stand in the URL."""
    fields = {**(config.get("headers") or {}), "Content-Type": config["content_type"]}
    if url.username is not None:
        pair = f"{url.username}:{url.password or ''}".encode()
        fields.setdefault("Authorization", "Basic " + base64.b64encode(pair).decode())
    return fields
