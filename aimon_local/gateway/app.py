"""The composition root: the only place where the parts of the running gateway are joined, and where they end.

Order of the start: the data directory (its lock first), the entities, the snapshot, the listeners. The end is the
reverse: no new requests, what is in flight is finished within a bound, the ledger's last commit, the directory.
"""

import asyncio
import errno
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from aimon_local import __version__
from aimon_local.clock import Clock, MovableClock
from aimon_local.config.offers import seeded
from aimon_local.errors import StartError, StoreError
from aimon_local.gateway import offers, seed
from aimon_local.gateway.admin.app import admin_app
from aimon_local.gateway.admin_context import SystemIds, make_context
from aimon_local.gateway.approvals import ApprovalDoor
from aimon_local.gateway.auditing import Auditor, hear
from aimon_local.gateway.destinations import Destinations
from aimon_local.gateway.events import Events
from aimon_local.gateway.exchange import ProxyExchange
from aimon_local.gateway.expiries import Expiries
from aimon_local.gateway.keys import fingerprint_key, hashed, plaintext
from aimon_local.gateway.lab import Lab
from aimon_local.gateway.live import Live
from aimon_local.gateway.metrics import Metrics
from aimon_local.gateway.runtime import Runtime
from aimon_local.gateway.settings import Settings
from aimon_local.gateway.sinks import Sinks
from aimon_local.gateway.tools import SystemTools
from aimon_local.gateway.waiting import Waiting
from aimon_local.gateway.wire_errors import wire_error
from aimon_local.mock.app import upstream_app
from aimon_local.mock.httpbin.ask import World
from aimon_local.mock.llm.service import MockLlm
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.event import ConfigChanged, LedgerState, Started
from aimon_local.model.rows import Change
from aimon_local.policy import tiering
from aimon_local.policy.plugins import BY_NAME
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS
from aimon_local.policy.snapshot import Snapshot
from aimon_local.policy.state import LimitState
from aimon_local.storage import approvals
from aimon_local.storage import clock as moved
from aimon_local.storage.audit import AuditLog
from aimon_local.storage.database import Database
from aimon_local.storage.entities import EntityStore
from aimon_local.storage.queries import Queries
from aimon_local.storage.writer import LedgerWriter
from aimon_local.wire.app import serve_app
from aimon_local.wire.limits import Limits
from aimon_local.wire.pool import Pool
from aimon_local.wire.server import Listener, listen

if TYPE_CHECKING:
    from aimon_local.gateway.alerting import Alerting
    from aimon_local.gateway.push import Push

_log = logging.getLogger("aimon_local")

PRODUCT = f"aimon-local/{__version__}"
_PRUNE_SECONDS = 1.0  # each time a slice, see LimitState.prune
_YOUNG = 20_000  # new objects from which the collector looks at them; 64 requests in flight are some 5,000
_SINK_SECONDS = 2.0  # for what log plugins still have to write at the end

Note = Callable[[str], None]


class Gateway:
    """A running gateway: ``start`` it, ``stop`` it."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        chance: Random | None = None,
        note: Note = _log.warning,
        sold: Sequence[offers.Offer] = (),
    ) -> None:
        self.settings = settings
        self.sold = sold  # what aimon.toml offers: it holds from this start on
        self.limits = limits or Limits()  # of the proxy's client connections
        self.clock = MovableClock(real=clock)
        self.chance = chance or SystemRandom()  # a seeded one makes the same ids each time
        self.new_keys: Mapping[str, str] = {}  # of a first start's demo, to be shown once
        self._note = note
        self._stack = AsyncExitStack()
        self._listeners: dict[str, Listener] = {}
        self._draining: asyncio.Task[None] | None = None
        self.push: Push | None = None
        self.alerting: Alerting | None = None

    @property
    def proxy(self) -> Listener:
        """The proxy's listener."""
        return self._listeners["proxy"]

    def addresses(self) -> dict[str, str]:
        """Where it listens: proxy, admin, upstream."""
        return {name: f"http://{_in_url(each.host)}:{each.port}" for name, each in self._listeners.items()}

    async def start(self) -> None:
        """Open everything; raises StartError or StoreError, with nothing left open."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def stop(self) -> None:
        """Finish what is in flight, within the bound or until ``hurry``; then end."""
        draining = self._draining = asyncio.get_running_loop().create_task(self._drain_all())
        await asyncio.wait([draining])
        await self._stack.aclose()
        if not draining.cancelled():
            draining.result()

    def hurry(self) -> None:
        """Cut what a stop still waits for; its rows are written all the same."""
        if self._draining is not None:
            self._draining.cancel()

    async def _drain_all(self) -> None:
        """The built-in upstream last: what is in flight may be on its way there."""
        end = self.clock.monotonic_ns() / 1e9 + self.settings.stop_seconds
        first = [name for name in self._listeners if name != "upstream"]
        await asyncio.gather(*(self._drain(name, self.settings.stop_seconds) for name in first))
        if "upstream" in self._listeners:
            await self._drain("upstream", max(0.0, end - self.clock.monotonic_ns() / 1e9))

    async def _drain(self, name: str, seconds: float) -> None:
        await self._listeners[name].drain(seconds)
        if name == "proxy":
            self.events.close()  # no more rows: streams of events end, and the Admin API's listener with them

    async def _open(self) -> None:
        settings, stack = self.settings, self._stack
        database = self.database = Database.open(settings.data, synchronous=settings.synchronous)
        stack.callback(database.close)
        for line in database.notes:
            self._note(line)
        self.store = await EntityStore.open(database)
        stack.push_async_callback(self.store.close)
        self.queries = await Queries.open(database)
        stack.push_async_callback(self.queries.close)
        self.clock.set(moved.stored(database))
        self.events = Events(self.clock.real_ns())  # grows from start to start, whatever was done to the clock
        self.events.publish(Started(self.clock.now_ns(), __version__, os.getpid()))
        self.ledger = LedgerWriter(
            database, on_state=self._ledger_state, on_commit=self.events.committed, clock=self.clock
        )
        stack.push_async_callback(self.ledger.close)
        self.live = await self._make_live()
        self.live.on_change.append(self._config_changed)
        self.approvals = ApprovalDoor(
            database, self.store, self.live.state, self.auditor, self.clock, self.events.publish
        )
        stack.push_async_callback(self.approvals.close)
        self.expiries = Expiries(self.live.catalog, AuditLog(database))
        self.live.on_change.append(self.expiries.changed)
        stack.push_async_callback(self.expiries.close)
        self.runtime = self._make_runtime()
        self._start_listeners()
        self.lab = Lab(self.events, self.live.catalog, self.clock.now_ns)
        stack.callback(self.lab.stop)
        await self._listen()
        await self._plant()
        await self._offer()
        self._prune()
        stack.callback(self._stop_pruning)

    async def _make_live(self) -> Live:
        hashes = self.settings.credentials == "hashed"
        digest = hashed(self.database.secret) if hashes else plaintext
        seals = {"keyauth_credentials": ("key", digest)} if hashes else {}
        catalog = Catalog(SCHEMAS, PLUGIN_SCHEMAS, seals)
        for kind, rows in (await self.store.load()).items():
            catalog.apply([Change("put", kind, row) for row in rows])
        state = LimitState()
        state.key = fingerprint_key(self.database.secret)
        state.known_approvals = lambda: approvals.living(self.database, self.clock.now_ns())
        state.load(await self.queries.counters(self.clock.now_ns()))
        self.auditor = Auditor(self.clock, catalog)
        return Live(catalog, self.store, BY_NAME, digest, state, self._note, self.auditor)

    def _make_runtime(self) -> Runtime:
        pool = Pool(http=self.settings.http)
        self._stack.push_async_callback(pool.close)
        self.metrics = Metrics()
        sinks = Sinks(self.metrics, lambda fault: self._note(str(fault)))
        self._stack.push_async_callback(sinks.close, _SINK_SECONDS)
        destinations = Destinations()
        self.live.on_swap.append(lambda snapshot: destinations.balancer.sync(snapshot.upstreams.values()))
        return Runtime(
            settings=self.settings,
            clock=self.clock,
            live=self.live,
            pool=pool,
            ledger=self.ledger,
            destinations=destinations,
            waiting=self._make_waiting(),
            sinks=sinks,
            tools=SystemTools(self.database.node_id, chance=self.chance),
            chance=self.chance,
            product=PRODUCT.encode(),
            report=lambda fault: _log.error("%s", fault),
            process_id=os.getpid(),
            hold=self.approvals.hold,
            heard=lambda call, record: hear(call, record, self.events.publish),
        )

    def _start_listeners(self) -> None:
        """Watch for alerts, and push the ledger to a sink; what they need is imported only where they are wanted."""
        settings, database, stack = self.settings, self.database, self._stack
        if settings.alert_percent:
            from aimon_local.gateway import alerting

            self.alerting = alerting.start(database, self.events, self.clock, settings, self._note, stack)
        if settings.push_url is not None:
            from aimon_local.gateway import push

            self.push = push.start(database, self.live.catalog, settings, self._note, stack)
        if settings.otel_endpoint is not None:
            self._start_telemetry(settings.otel_endpoint)

    def _start_telemetry(self, endpoint: str) -> None:
        try:
            from aimon_local.gateway import telemetry
        except ImportError as fault:
            hint = "pip install 'aimon-local[otel]' (the one executable can't have it), or leave it out"
            raise StartError(f"otel_endpoint needs OpenTelemetry, which is not installed ({fault})", hint) from fault
        telemetry.start(self.events, self.live.catalog, endpoint, self.database.node_id, self._note, self._stack)

    def _make_waiting(self) -> Waiting:
        settings = self.settings
        waiting = Waiting(self.clock, settings.upstream_concurrency, settings.queue_length, settings.queue_seconds)

        def swapped(snapshot: Snapshot) -> None:
            for fault in waiting.sync(snapshot.services.values()):
                self._note(fault)

        swapped(self.live.snapshot)
        self.live.on_swap.append(swapped)
        return waiting

    async def _listen(self) -> None:
        settings, runtime = self.settings, self.runtime
        self.mock = MockLlm()
        openers: list[tuple[str, int | None, Callable[[int], Awaitable[Listener]]]] = [
            (
                "proxy",
                settings.proxy_port,
                lambda port: listen(
                    lambda client: ProxyExchange(runtime, client),
                    settings.host,
                    port,
                    self.limits,
                    http=settings.http,
                    render_error=wire_error(runtime),
                ),
            ),
            (
                "admin",
                settings.admin_port,
                lambda port: serve_app(admin_app(make_context(self)), settings.host, port, clock=self.clock),
            ),
            (
                "upstream",
                settings.upstream_port,
                lambda port: serve_app(
                    upstream_app(self.mock, World(self.clock, self.chance)), "127.0.0.1", port, clock=self.clock
                ),
            ),
        ]
        for name, port, opener in openers:
            if port is not None:
                listener = await _opened(name, port, opener)
                self._listeners[name] = listener
                self._stack.push_async_callback(listener.close)

    async def _plant(self) -> None:
        """The demo of a first start; later, lead it to where the built-in upstream is now."""
        now, ids, catalog = self.clock.now_ns(), SystemIds(self.chance), self.live.catalog
        upstream = self._listeners.get("upstream")
        if upstream is None:
            return
        async with self.live.writing:
            if self.database.created and not self.settings.empty:
                planted = seed.plan(catalog, upstream.port, now, ids)
                await self.live.commit(planted.changes)
                self.new_keys = planted.keys
            else:
                await self.live.commit(seed.moved(catalog, upstream.port, now, ids))

    async def _offer(self) -> None:
        """Tiers and prices: those of a first start, and those of aimon.toml; what can't act is said."""
        first = self.database.created and not self.settings.empty
        rows = [*(seeded() if first else ()), *self.sold]
        async with self.live.writing:
            if rows:
                changes = offers.plan(self.live.catalog, rows, self.clock.now_ns(), SystemIds(self.chance))
                if self.sold and not self.settings.allow_unarmed:
                    offers.must_act(self.live.catalog, changes, self.sold)
                await self.live.commit(changes)
        snapshot = self.live.snapshot
        for one in tiering.armed(snapshot.tiering, snapshot.consumers.values(), snapshot.routes.values()):
            if one.fault is not None:
                self._note(f"tier {one.tier}: {one.rule} can't act: {one.fault}")

    def _prune(self) -> None:
        """Forget windows that are over, now and then; the timer ends with the stack."""
        self.live.state.prune(self.clock.now_ns())
        self.expiries.look(self.clock.now_ns())
        self._pruning = asyncio.get_running_loop().call_later(_PRUNE_SECONDS, self._prune)

    def _stop_pruning(self) -> None:
        self._pruning.cancel()

    def _config_changed(self, changes: Sequence[Change]) -> None:
        self.events.publish(ConfigChanged.of(self.clock.now_ns(), changes))

    def _ledger_state(self, failure: StoreError | None) -> None:
        said = (None, None) if failure is None else (str(failure), failure.hint or None)
        self.events.publish(LedgerState(self.clock.now_ns(), *said))
        if failure is None:
            self._note("ledger: writing again")
        else:
            self._note(f"ledger: {failure}; requests are refused with 503 until it can be written ({failure.hint})")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _opened(name: str, port: int, opener: Callable[[int], Awaitable[Listener]]) -> Listener:
    try:
        return await opener(port)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            hint = f"end the program that listens there, or choose another one: --{name}-port N (0: any free one)"
            raise StartError(f"port {port} for the {name} is taken", hint) from fault
        raise StartError(f"port {port} for the {name} can't be opened: {fault.strerror or fault}") from fault


async def serve(
    settings: Settings,
    limits: Limits,
    ready: Callable[[Gateway], None],
    note: Note,
    sold: Sequence[offers.Offer] = (),
) -> None:
    """Start a gateway, say so, and serve until SIGINT or SIGTERM; a second signal ends at once."""
    gateway = Gateway(settings, limits, note=note, sold=sold)
    await gateway.start()
    calm_collector()
    stop = asyncio.Event()
    _on_signals(stop.set)
    try:
        ready(gateway)  # may fail: nobody reads what it says
        await stop.wait()
    finally:  # or threads of the store would keep a dead process
        _on_signals(gateway.hurry)
        with suppress(OSError):
            note("stopping: finishing what is in flight")
        await gateway.stop()


def calm_collector() -> None:
    """What the start has made stays: the collector leaves it alone, and looks at the rest less often.

    Requests are freed without it (they make no cycles), so its usual pace costs a tenth of the processor for nothing.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)


def _on_signals(act: Callable[[], None]) -> None:
    """What SIGINT and SIGTERM do from here on."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, act)
