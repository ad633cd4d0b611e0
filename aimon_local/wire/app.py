"""A small asynchronous way to serve: an app takes a Request and returns a Response. For the Admin API and the mock.

The proxy doesn't use it: a task per request is what its path avoids. Here one request is one task, bodies are gathered
up to a bound unless the app asks for a stream, and answers are bytes or an asynchronous iterator of them.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from aimon_local.clock import Clock, SystemClock
from aimon_local.model.moment import http_date
from aimon_local.wire.answer import Answering
from aimon_local.wire.limits import Limits
from aimon_local.wire.message import Client, RequestHead
from aimon_local.wire.server import Listener, listen
from aimon_local.wire.shared import RenderError

_log = logging.getLogger(__name__)

_GATHER = 10 << 20  # bytes of a request's body, where the limits set no bound
_AHEAD = 256 << 10  # bytes of a streamed request that may wait for the app
_OURS = frozenset(("content-length", "transfer-encoding", "connection", "keep-alive"))


class Cut(Exception):
    """Raised by an app or its iterator: end the connection without a proper end of the answer, after ``raw`` as it is.

    In the middle of an answer what was written still arrives; its frame shows that the rest is missing.
    """

    def __init__(self, raw: bytes = b"") -> None:
        super().__init__("cut on purpose")
        self.raw = raw


@dataclass(slots=True)
class Request:
    """A request; texts are latin-1, one character one byte."""

    method: str
    path: str  # raw, no query
    query: str | None  # raw; None where there is no "?"
    fields: list[tuple[str, str]]  # (name as sent, value)
    body: bytes
    peer: str
    http11: bool
    host: str  # from the Host field or an absolute target
    head: RequestHead
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)  # the client is gone
    chunks: AsyncIterator[bytes] | None = None  # the body of a streamed request

    def get(self, name: str, otherwise: str | None = None) -> str | None:
        """The first value of a field, whatever the case of its name."""
        low = name.lower().encode("latin-1")
        for found, value, _ in self.head.fields:
            if found == low:
                return value.decode("latin-1")
        return otherwise

    def get_all(self, name: str) -> list[str]:
        """All values of a field, in order."""
        low = name.lower().encode("latin-1")
        return [value.decode("latin-1") for found, value, _ in self.head.fields if found == low]


@dataclass(slots=True)
class Response:
    """An answer. The wire adds Date, framing and Connection; "Connection: close" among the fields closes.

    A Content-Length among the fields of an iterator's answer, or of one to HEAD, is taken as the declared length.
    """

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    fields: Sequence[tuple[str, str]] = ()
    reason: str = ""


App = Callable[[Request], Awaitable[Response]]


def json_error(status: int, message: str, head: RequestHead | None) -> tuple[list[bytes], bytes]:
    """The wire's own refusals, as the Admin API words them."""
    return [b"Content-Type: application/json; charset=utf-8"], json.dumps({"message": message}).encode()


class _Dates:
    """The Date field, made once a second."""

    __slots__ = ("_clock", "_line", "_second")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        second = self._clock.now_ns() // 1_000_000_000
        if second != self._second:
            self._second = second
            self._line = b"Date: " + http_date(second).encode()
        return self._line


@dataclass(slots=True)
class _Service:
    """What the handlers of one app share."""

    app: App
    dates: _Dates
    bound: int
    streams: Callable[[Request], bool]
    render_error: RenderError
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class _BodyStream:
    """A request's body as it comes; reading it lets more come."""

    __slots__ = ("_client", "_ended", "_more", "_pieces", "_size")

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._more = asyncio.Event()
        self._ended = False

    def put(self, data: bytes, *, last: bool) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > _AHEAD:
                self._client.pause()
        self._ended = self._ended or last
        self._more.set()

    def __aiter__(self) -> "_BodyStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._ended:
                raise StopAsyncIteration
            self._client.want_body()
            self._more.clear()
            await self._more.wait()
        data = self._pieces.popleft()
        self._size -= len(data)
        if self._size <= _AHEAD:
            self._client.resume()
        return data


class _AppHandler:
    """One request of an app."""

    __slots__ = ("_client", "_gathered", "_request", "_service", "_size", "_stream", "_streaming", "_task", "_writable")

    def __init__(self, service: _Service, client: Client) -> None:
        self._service = service
        self._client = client
        self._gathered: list[bytes] = []
        self._size = 0
        self._stream: _BodyStream | None = None
        self._streaming = False  # an iterator's answer is on its way: nothing is lost if that ends early
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def on_request(self, head: RequestHead) -> None:
        path, question, query = head.path.decode("latin-1").partition("?")
        request = self._request = Request(
            head.method.decode("latin-1"),
            path,
            query if question else None,
            [(line.partition(b":")[0].decode("latin-1"), value.decode("latin-1")) for _, value, line in head.fields],
            b"",
            self._client.peer[0],
            head.http11,
            head.host.decode("latin-1"),
            head,
        )
        if self._service.streams(request):
            self._stream = request.chunks = _BodyStream(self._client)
            self._run()
        elif (head.content_length or 0) > self._service.bound:
            self._too_large()
        else:
            self._client.want_body()

    def on_body(self, data: bytes, last: bool) -> None:
        if self._stream is not None:
            self._stream.put(data, last=last)
            return
        self._size += len(data)
        if self._size > self._service.bound:
            self._gathered.clear()
            self._too_large()
            return
        self._gathered.append(data)
        if last:
            self._request.body = b"".join(self._gathered)
            self._gathered.clear()
            self._run()

    def on_gone(self) -> None:
        self._request.disconnected.set()
        self._writable.set()
        if self._stream is not None:
            self._stream.put(b"", last=True)
        if self._task is not None and self._streaming:
            self._task.cancel()

    def on_client_writable(self, writable: bool) -> None:
        if writable:
            self._writable.set()
        else:
            self._writable.clear()

    def _too_large(self) -> None:
        lines, body = self._service.render_error(413, "Payload too large", self._request.head)
        self._client.respond(413, lines, body)

    def _run(self) -> None:
        task = self._task = asyncio.get_running_loop().create_task(self._answer())
        self._service.tasks.add(task)
        task.add_done_callback(self._service.tasks.discard)

    async def _answer(self) -> None:
        client = self._client
        try:
            response = await self._service.app(self._request)
            await self._send(response)
        except Cut as cut:
            assert isinstance(client, Answering)
            client.abort() if self._streaming else client.raw(cut.raw)
        except asyncio.CancelledError:
            client.abort()
            raise
        except Exception:
            _log.exception("%s %s failed", self._request.method, self._request.path)
            if self._streaming:
                client.abort()
                return
            lines, body = self._service.render_error(500, "An unexpected error occurred", self._request.head)
            client.respond(500, lines, body)

    async def _send(self, response: Response) -> None:
        client = self._client
        if self._request.disconnected.is_set():
            return
        lines, length = self._lines(response.fields)
        reason = response.reason.encode("latin-1")
        body = response.body
        if isinstance(body, bytes | bytearray | memoryview):
            client.respond(response.status, lines, bytes(body), reason=reason, length=length)
            return
        client.start(response.status, lines, length, reason=reason)
        self._streaming = True
        if self._request.method == "HEAD" or response.status in (204, 304):
            client.end()
        else:
            await self._pour(body)
            if not self._request.disconnected.is_set():
                client.end()
        await _close(body)

    def _lines(self, fields: Sequence[tuple[str, str]]) -> tuple[list[bytes], int | None]:
        """Field lines, and the declared length if there is one."""
        length: int | None = None
        lines: list[bytes] = []
        dated = False
        for name, value in fields:
            low = name.lower()
            dated = dated or low == "date"
            if low not in _OURS:
                lines.append(f"{name}: {value}".encode("latin-1"))
            elif low == "content-length" and value.isascii() and value.isdigit():
                length = int(value)
            elif low == "connection" and "close" in value.lower():
                self._client.close_after()
        if not dated:
            lines.insert(0, self._service.dates.line())
        return lines, length

    async def _pour(self, body: AsyncIterator[bytes]) -> None:
        client, writable = self._client, self._writable
        async for data in body:
            client.write(data)
            if not writable.is_set():
                await writable.wait()
            if self._request.disconnected.is_set():
                return


async def _close(body: Any) -> None:
    """End an asynchronous generator that was not run to its end."""
    close = getattr(body, "aclose", None)
    if close is not None:
        with suppress(Exception):
            await close()


async def serve_app(
    app: App,
    host: str,
    port: int,
    limits: Limits | None = None,
    *,
    http: str = "auto",
    clock: Clock | None = None,
    streams: Callable[[Request], bool] = lambda request: False,
    render_error: RenderError = json_error,
) -> Listener:
    """Serve an app on an address. ``streams`` says which requests are given their body as ``Request.chunks``.

    ``limits.max_body`` bounds gathered bodies (413; 10 MiB where it is None); a streamed body is bounded by the app.
    Raises OSError where the address is taken.
    """
    limits = limits or Limits()
    bound = _GATHER if limits.max_body is None else limits.max_body
    service = _Service(app, _Dates(clock or SystemClock()), bound, streams, render_error)
    wire = replace(limits, max_body=None)

    def factory(client: Client) -> _AppHandler:
        return _AppHandler(service, client)

    return await listen(factory, host, port, wire, http=http, render_error=render_error)
