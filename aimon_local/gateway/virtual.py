"""The gateway in virtual time: the very same one, with its upstream, its Admin API and its ledger, in one loop of ours.

``run_virtual`` runs a program there; ``VirtualGateway`` is the gateway that such a program talks to through
``connect``, or by the loop's own ``create_connection``. Wall and monotonic time are the loop's. Chance is seeded: the
same program and seed make the same ledger, ids and all. The store is a throw-away one: nothing waits for a disk.
"""

import asyncio
import gc
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, TypeVar, cast

from aimon_local.gateway.app import Gateway, calm_collector
from aimon_local.gateway.settings import Settings
from aimon_local.gateway.virtual_loop import VirtualLoop
from aimon_local.storage import secret
from aimon_local.storage.database import THROW_AWAY

T = TypeVar("T")
START_NS = 1_767_225_600_000_000_000  # 2026-01-01: where a program's time begins, unless it says so


class VirtualClock:
    """The loop's time as the machine's: the gateway's own clock may be moved away from it, as ever."""

    moved = False

    def __init__(self, loop: VirtualLoop, start_ns: int) -> None:
        self._base = start_ns - loop.ns
        self._loop = loop
        self.monotonic_ns: Callable[[], int] = loop.monotonic_ns

    def now_ns(self) -> int:
        """Wall time."""
        return self._base + self._loop.ns

    def shift_ns(self, at_ns: int, age_ns: int = 0) -> int:
        """Nothing moves it."""
        return 0


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a program to its end in virtual time; raises Stuck where it would wait for ever."""
    before = gc.get_threshold()
    try:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main())
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class VirtualGateway:
    """A gateway in the virtual loop that runs: ``async with VirtualGateway(...) as gateway``.

    ``proxy``, ``admin``, ``upstream``: (host, port), for ``connect``. ``data``: where its ledger is kept; a temporary
    directory where None is given, gone at the end. ``empty``: without the demo. ``settings``: in place of the usual
    ones; its ports and data do not count.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        start_ns: int = START_NS,
        seed: int = 0,
        empty: bool = False,
        settings: Settings | None = None,
    ) -> None:
        self._data, self._start, self._seed, self._settings = data, start_ns, seed, settings
        self._empty = empty
        self._stack = AsyncExitStack()
        self.gateway: Gateway

    async def __aenter__(self) -> "VirtualGateway":
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise RuntimeError("a VirtualGateway runs within run_virtual")
        data = self._data or Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="aimon-virtual-")))
        base = self._settings or Settings(data=data, empty=self._empty)
        settings = replace(base, data=data, proxy_port=0, admin_port=0, upstream_port=0, synchronous=THROW_AWAY)
        chance = Random(self._seed)
        _plant_secret(data, chance)
        clock = VirtualClock(loop, self._start)
        self.gateway = Gateway(settings, clock=clock, chance=chance, note=lambda text: None)
        await self.gateway.start()
        self._stack.push_async_callback(self.gateway.stop)
        calm_collector()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def address(self, name: str) -> tuple[str, int]:
        """Where "proxy", "admin" or "upstream" listens."""
        host, _, port = self.gateway.addresses()[name].removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def proxy(self) -> tuple[str, int]:
        """The proxy's address."""
        return self.address("proxy")

    @property
    def admin(self) -> tuple[str, int]:
        """The Admin API's."""
        return self.address("admin")

    @property
    def upstream(self) -> tuple[str, int]:
        """The built-in upstream's."""
        return self.address("upstream")


def _plant_secret(data: Path, chance: Random) -> None:
    """The install's secret from the seed, where there is none yet: fingerprints and hashes come from it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / secret.NAME
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(chance.randbytes(secret.SIZE))


async def connect(
    factory: Callable[[], asyncio.Protocol], host: str, port: int
) -> tuple[asyncio.Transport, asyncio.Protocol]:
    """Open a connection in the virtual loop that runs, in the form of ``create_connection``."""
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    return await loop.create_connection(factory, host, port)
