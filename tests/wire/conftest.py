"""Playbooks without sockets: bytes in, bytes and calls out, on a clock that the test moves."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from aimon_local.wire import deadlines as deadlines_module
from aimon_local.wire.connection import ServerConnection
from aimon_local.wire.deadlines import Deadlines
from aimon_local.wire.exchange import UpstreamExchange
from aimon_local.wire.limits import Limits
from aimon_local.wire.message import Client, Failure, Header, Origin, RequestHead, ResponseHead, UpstreamRequest
from aimon_local.wire.pool import Pool
from aimon_local.wire.shared import Shared
from aimon_local.wire.upstream import UpstreamConnection


class Time:
    """The monotonic clock and the timers of a loop, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[[], None], Any]] = []

    def monotonic(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        timer = _Timer()
        self.timers.append((self.now + delay, callback, timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = [each for each in self.timers if each[0] <= end and not each[2].cancelled]
            if not due:
                break
            first = min(due, key=lambda each: each[0])
            self.timers.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = end


class _Timer:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeTransport(asyncio.Transport):
    """Keeps what is written and what is asked of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.9", 40000), "sockname": ("127.0.0.1", 8000)})
        self.writes: list[bytes] = []
        self.closed = self.aborted = self.half_closed = False
        self.reading = True
        self.unsent = 0

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if not self.closed:
            self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def write_eof(self) -> None:
        self.half_closed = True

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    @property
    def sent(self) -> bytes:
        return b"".join(self.writes)


class Recorder:
    """A Handler that keeps what it is told; ``script`` acts when the request, or its end, is there."""

    def __init__(self, client: Client, script: Callable[["Recorder", str], None]) -> None:
        self.client = client
        self.script = script
        self.head: RequestHead | None = None
        self.body = b""
        self.ends = 0
        self.gone = 0
        self.writable: list[bool] = []

    def on_request(self, head: RequestHead) -> None:
        assert self.head is None
        self.head = head
        self.script(self, "head")

    def on_body(self, data: bytes, last: bool) -> None:
        assert not self.gone
        assert not self.ends
        self.body += data
        self.ends += last
        self.script(self, "last" if last else "data")

    def on_gone(self) -> None:
        self.gone += 1

    def on_client_writable(self, writable: bool) -> None:
        self.writable.append(writable)


def _wait(handler: Recorder, moment: str) -> None:
    """A script that does nothing: the test answers."""


@dataclass
class Playbook:
    """One client connection under test."""

    time: Time
    http: str
    script: Callable[[Recorder, str], None] = _wait
    limits: Limits = field(default_factory=Limits)
    handlers: list[Recorder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = FakeTransport()
        self.shared = Shared(self._factory, self.limits, Deadlines(self.time), self.http == "auto")  # type: ignore[arg-type]
        self.connection = ServerConnection(self.shared)
        self.connection.connection_made(self.transport)

    def _factory(self, client: Client) -> Recorder:
        self.handlers.append(Recorder(client, self.script))
        return self.handlers[-1]

    def feed(self, data: bytes, *, by: int = 0) -> "Playbook":
        for at in range(0, len(data), by or len(data) or 1):
            if self.transport.closed:
                break
            self.connection.data_received(data[at : at + (by or len(data))])
        return self

    @property
    def last(self) -> Recorder:
        return self.handlers[-1]

    @property
    def sent(self) -> bytes:
        return self.transport.sent

    def statuses(self) -> list[int]:
        """Status codes of the answers so far (bodies of tests hold no HTTP/1.1)."""
        return [int(each[1:4]) for each in self.sent.split(b"HTTP/1.1")[1:]]


class Events:
    """UpstreamEvents that keep what they are told."""

    def __init__(self) -> None:
        self.head: ResponseHead | None = None
        self.body = b""
        self.ends = 0
        self.interim: list[int] = []
        self.trailers: list[Header] = []
        self.failures: list[Failure] = []
        self.writable: list[bool] = []
        self.sent_to: list[tuple[str, int]] = []
        self.pieces: list[bytes] = []

    def on_informational(self, status: int, fields: object) -> None:
        self.interim.append(status)

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        assert self.head is None
        self.head = head
        self.on_data(data, last)

    def on_data(self, data: bytes, last: bool) -> None:
        assert not self.ends
        assert not self.failures
        self.body += data
        if data:
            self.pieces.append(data)
        self.ends += last

    def on_trailers(self, fields: list[Header]) -> None:
        self.trailers.extend(fields)

    def on_failure(self, failure: Failure) -> None:
        assert not self.ends
        self.failures.append(failure)

    def on_writable(self, writable: bool) -> None:
        self.writable.append(writable)

    def on_sent(self, ip: str, port: int) -> None:
        self.sent_to.append((ip, port))


class _Loop:
    """Enough of a loop for a pool that opens nothing: what it would open is kept."""

    def __init__(self, time: Time) -> None:
        self.call_later = time.call_later
        self.opened = 0

    def create_task(self, coroutine: Any) -> Any:
        coroutine.close()
        self.opened += 1
        return _Task()


class _Task:
    def add_done_callback(self, callback: object) -> None:
        pass

    def cancel(self) -> None:
        pass


@dataclass
class UpstreamPlaybook:
    """One upstream connection under test."""

    time: Time
    http: str

    def __post_init__(self) -> None:
        self.loop = _Loop(self.time)
        self.pool = Pool(http=self.http, loop=self.loop)  # type: ignore[arg-type]
        self.origin = Origin("http", "upstream", 80)
        self.transport = FakeTransport()
        self.connection = UpstreamConnection(self.pool, self.pool._lane(self.origin))
        self.connection.connection_made(self.transport)

    def send(self, method: bytes = b"GET", body: bytes | None = b"", **options: Any) -> tuple[UpstreamExchange, Events]:
        """Send a request on the connection under test."""
        events = Events()
        request = UpstreamRequest(method + b" / HTTP/1.1\r\nHost: u\r\n", method, body, **options)
        exchange = UpstreamExchange(self.pool, self.origin, request, events)
        exchange.attach(self.connection)
        return exchange, events

    def feed(self, data: bytes, *, by: int = 0) -> "UpstreamPlaybook":
        for at in range(0, len(data), by or len(data) or 1):
            if self.transport.closed:
                break
            self.connection.data_received(data[at : at + (by or len(data))])
        return self

    @property
    def idle(self) -> int:
        return self.pool.counts()["idle"]


@pytest.fixture(params=["auto", "h11"])
def http(request: pytest.FixtureRequest) -> str:
    """Both readers of heads: every law of the wire holds for each."""
    return str(request.param)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    """The wire's clock, moved by the test."""
    moved = Time()
    monkeypatch.setattr(deadlines_module, "monotonic", moved.monotonic)
    return moved


@pytest.fixture
def play(time: Time, http: str) -> Callable[..., Playbook]:
    """Makes a client connection: ``play(script, limits=…)``."""

    def make(script: Callable[[Recorder, str], None] = _wait, limits: Limits | None = None) -> Playbook:
        return Playbook(time, http, script, limits or Limits())

    return make


@pytest.fixture
def upstream(time: Time, http: str) -> UpstreamPlaybook:
    """An upstream connection."""
    return UpstreamPlaybook(time, http)


@pytest.fixture
def client_of(time: Time) -> Callable[..., Playbook]:
    """Makes a client connection of a given reader: ``client_of("h11", script)``."""
    return lambda http, script: Playbook(time, http, script)


@pytest.fixture
def upstream_of(time: Time) -> Callable[..., UpstreamPlaybook]:
    """Makes an upstream connection of a given reader."""
    return lambda http: UpstreamPlaybook(time, http)
