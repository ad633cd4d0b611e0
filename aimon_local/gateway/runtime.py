"""What every exchange shares: the running gateway as a request sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Protocol

from aimon_local.clock import Clock
from aimon_local.errors import StoreError
from aimon_local.gateway.destinations import Choice, Destinations
from aimon_local.gateway.live import Live
from aimon_local.gateway.settings import Settings
from aimon_local.gateway.waiting import Waiting
from aimon_local.model.ai import AiRecord
from aimon_local.model.approval import Question
from aimon_local.model.audit import AuditEntry
from aimon_local.model.usage import Touched, UsageRow
from aimon_local.policy.call import Call, Tools
from aimon_local.policy.rule import LogOrder
from aimon_local.wire.headers import Hop, upstream_head
from aimon_local.wire.message import RequestHead
from aimon_local.wire.pool import Pool

_HOSTS = 256  # that are remembered


class Ledger(Protocol):
    """Where rows go (storage.writer.LedgerWriter)."""

    @property
    def failure(self) -> StoreError | None:
        """Why nothing can be written now; None: all is well."""
        ...

    @property
    def overloaded(self) -> bool:
        """More rows wait than it can keep up with."""
        ...

    def add(
        self,
        row: UsageRow,
        touched: Sequence[Touched],
        then: Callable[[StoreError | None], None],
        ai: AiRecord | None = None,
        lines: Sequence[AuditEntry] = (),
        asked: Sequence[Question] = (),
    ) -> None:
        """Store a row, what an AI call used, lines of the audit log, questions; ``then`` hears of the commit."""
        ...


class Sinks(Protocol):
    """Where log plugins' orders go."""

    def take(self, order: LogOrder) -> None:
        """Write it, off the hot path."""
        ...


# The record with the guards' words, lines of the audit log, questions of soft limits.
Heard = tuple[AiRecord | None, Sequence[AuditEntry], Sequence[Question]]


@dataclass(slots=True)
class Runtime:
    """One running gateway."""

    settings: Settings
    clock: Clock
    live: Live
    pool: Pool
    ledger: Ledger
    destinations: Destinations
    waiting: Waiting
    sinks: Sinks
    tools: Tools
    product: bytes  # "aimon-local/0.1.0": Server and Via
    report: Callable[[Exception], None]  # faults that no client may hear of in full
    process_id: int = 0
    hold: Callable[[Call, float, Callable[[], None]], bool] = lambda call, seconds, then: False
    heard: Callable[[Call, AiRecord | None], Heard] = lambda call, record: (
        record,
        (),
        (),
    )  # what guards said of a call
    chance: Random = field(default_factory=SystemRandom)
    via: bytes = field(init=False)  # our own word of Via
    _tails: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.via = b"1.1 " + self.product

    def request_id(self, now_ns: int) -> str:
        """A new request id: 32 lower-case hex digits, as Kong's; time first, so the ledger's index grows in order."""
        if not self._tails:
            block = f"{self.chance.getrandbits(64 * 64):01024x}"  # one look at the system's chance for 64 requests
            self._tails.extend(block[at : at + 16] for at in range(0, 1024, 16))
        return f"{now_ns:016x}{self._tails.pop()}"

    def forward_head(self, call: Call, head: RequestHead, choice: Choice, method: bytes) -> bytes:
        """The head that goes upstream, all but its framing; ``method``: the call's for the upstream, as bytes."""
        match = call.match
        assert match is not None
        prefix = match.forwarded_prefix
        hop = Hop(  # by place: it is made for each request
            call.client_ip.encode("latin-1"),
            choice.host,
            _without_port[call.host],
            call.server_port,
            call.raw_path.encode("latin-1"),
            None if prefix is None else prefix.encode("latin-1"),
            call.request_id.encode("latin-1"),
            self.via,
            b"http",
            head.upgrade,
        )
        target = call.upstream_path if call.upstream_query is None else f"{call.upstream_path}?{call.upstream_query}"
        return upstream_head(method, target.encode("latin-1"), call.fields, hop)


class _WithoutPort(dict[str, bytes]):
    """A Host field's name alone, as X-Forwarded-Host tells it; a bounded memory."""

    def __missing__(self, host: str) -> bytes:
        name, colon, port = host.rpartition(":")
        bare = (name if colon and port.isdigit() else host).lower().encode("latin-1")
        if len(self) >= _HOSTS:
            self.clear()
        self[host] = bare
        return bare


_without_port = _WithoutPort()
