"""Log entries to HTTP endpoints, as http-log wants them: a bounded queue each, batches, retries.

Sending happens on a worker thread, one batch at a time per endpoint, so that a connection has one user.
"""

import asyncio
import base64
import http.client
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aimon_local.gateway.batches import Entry, Report, SinkFault, Sleep, Tasks, encode

LOCAL_NAMES = frozenset({"host.docker.internal"})  # names of this machine in URLs


class HttpSink:
    """Sends entries to the endpoints of http-log plugins, each with a queue of its own."""

    def __init__(self, tasks: Tasks, report: Report, sleep: Sleep) -> None:
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
