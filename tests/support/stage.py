"""One exchange without sockets: a client, a pool and a ledger that write down what is asked of them, in one list.

What they wrote is data: ``("send", target, body, length)``, ``("up", bytes)``, ``("respond", status, body)`` and so on;
tests compare it with the conversation that they expect.
"""

from pathlib import Path
from types import SimpleNamespace

from aimon_local.clock import ManualClock
from aimon_local.gateway.destinations import Destinations
from aimon_local.gateway.exchange import ProxyExchange
from aimon_local.gateway.keys import plaintext
from aimon_local.gateway.live import Live
from aimon_local.gateway.runtime import Runtime
from aimon_local.gateway.settings import Settings
from aimon_local.gateway.tools import SystemTools
from aimon_local.gateway.waiting import Waiting
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.violation import Violation
from aimon_local.policy.call import header
from aimon_local.policy.plugins import BY_NAME
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS
from aimon_local.policy.state import LimitState
from aimon_local.wire.message import Failure, FailureKind, RequestHead, ResponseHead
from tests.support.plugins import Ids

BUFFER, FILTER, GATHER = 100, 200, 300  # bytes; small, so that bodies can be


class Memory:
    """A store of entities that keeps nothing, or fails."""

    def __init__(self):
        self.applied, self.fault = [], None

    async def apply(self, changes):
        if self.fault is not None:
            raise self.fault
        self.applied.append(changes)


class CountingIds(Ids):
    """Every name once."""

    made = 0

    def uuid(self):
        self.made += 1
        return f"00000000-0000-4000-8000-{self.made:012d}"

    def token32(self):
        self.made += 1
        return f"Key{self.made:029d}"


def make_catalog(*entities):
    """A catalog of (kind, entity) as the Admin API would take them."""
    catalog, ids = Catalog(SCHEMAS, PLUGIN_SCHEMAS), CountingIds()
    for kind, entity in entities:
        planned = catalog.insert(kind, entity, 1_700_000_000_000_000_000, ids)
        assert not isinstance(planned, Violation), planned.body
        catalog.apply(planned.changes)
    return catalog


def make_live(*entities, store=None, notes=None):
    """What is in force, of some entities."""
    notes = [] if notes is None else notes
    return Live(make_catalog(*entities), store or Memory(), BY_NAME, plaintext, LimitState(), notes.append)


class Peer:
    """The client or the upstream: whatever is called is written down under ``names``."""

    def __init__(self, said, **names):
        for method, name in names.items():
            setattr(self, method, lambda *a, name=name, **k: said.append((name, *a, *k.values())))


class Ledger:
    """Commits at once, or on demand (``held``), or fails."""

    def __init__(self, said):
        self.said, self.rows, self.touched, self.waiting = said, [], [], []
        self.held, self.failure, self.overloaded, self.fault = False, None, False, None

    def add(self, row, touched, then, ai=None):
        self.rows.append(row)
        self.touched.append(list(touched))
        self.said.append(("row", row.status, row.complete))
        self.waiting.append(then)
        if not self.held:
            self.commit()

    def commit(self):
        for then in self.waiting:
            then(self.fault)
        self.waiting.clear()


class Timers:
    """What was asked for later, until it is run or cancelled."""

    def __init__(self):
        self.open = []

    def later(self, seconds, act):
        entry = (seconds, act)
        self.open.append(entry)
        return SimpleNamespace(cancel=lambda: self.open.remove(entry))

    def run(self):
        """All of them are over."""
        due, self.open[:] = list(self.open), []
        for _, act in due:
            act()


class Stage:
    """A gateway of one service and route; ``plugins`` are (name, config) on the service."""

    def __init__(self, *plugins, entities=(), route=(), **service):
        self.said = []
        made = [
            ("services", {"name": "s", "url": "http://up.test:5000/base", **service}),
            ("routes", {"name": "r", "paths": ["/r"], "service": {"name": "s"}, **dict(route)}),
            *(("plugins", {"name": name, "config": config, "service": {"name": "s"}}) for name, config in plugins),
        ]
        self.live = make_live(*made, *entities)
        self.clock, self.ledger, self.reports, self.orders = ManualClock(), Ledger(self.said), [], []
        self.ups = []
        self.pool = SimpleNamespace(send=self._send)
        destinations = Destinations()
        destinations.balancer.sync(self.live.snapshot.upstreams.values())
        settings = Settings(Path("unused"), buffer_bytes=BUFFER, filter_bytes=FILTER, gather_bytes=GATHER)
        self.timers = Timers()
        self.waiting = Waiting(self.clock, most=2, seconds=5, later=self.timers.later)
        self.notes = self.waiting.sync(self.live.snapshot.services.values())
        self.runtime = Runtime(
            settings=settings,
            clock=self.clock,
            live=self.live,
            pool=self.pool,
            ledger=self.ledger,
            destinations=destinations,
            waiting=self.waiting,
            sinks=SimpleNamespace(take=self.orders.append),
            tools=SystemTools("node", "host"),
            product=b"aimon-local/test",
            report=self.reports.append,
            process_id=1,
        )
        self.heads = []

    def _send(self, origin, request, events):
        target = request.head.split()[1].decode()
        self.said.append(("send", target, request.body, request.content_length))
        self.heads.append((origin, request))
        up = Peer(self.said, write="up", end="up end", pause="up pause", resume="up resume", cancel="up cancel")
        self.ups.append(up)
        return up

    def client(self):
        made = Peer(
            self.said, write="write", abort="abort", want_body="want", pause="pause", resume="resume",
            close_after="close after",
        )  # fmt: skip
        made.peer, made.local_port, made.ordinal, made.requests = ("10.0.0.9", 40000), 8000, 1, 1
        made.respond = lambda status, lines, body, **more: self._answered("respond", lines, status, body)
        made.start = lambda status, lines, length, data=b"": self._answered("start", lines, status, length, data)
        made.end = lambda data=b"", trailers=(): self.said.append(("end", data, *trailers))
        made.informational = lambda status, lines: self.said.append(("interim", status))
        return made

    def _answered(self, word, lines, *facts):
        self.lines = lines
        self.said.append((word, *facts))

    def ask(self, method="GET", target="/r/x", fields=(), **framing):
        """An exchange whose head is there."""
        exchange = ProxyExchange(self.runtime, self.client())
        exchange.on_request(make_head(method, target, fields, **framing))
        return exchange

    def take(self):
        """What was written down since the last look."""
        said, self.said[:] = list(self.said), []
        return said


def make_head(method="GET", target="/r/x", fields=(), length=None, chunked=False, **more):
    """A request's head as the wire gives it."""
    lines = [header("Host", "gw.test"), *(header(name, value) for name, value in fields)]
    facts = {
        "http11": True, "host": b"gw.test", "keep_alive": True, "expect_continue": False, "upgrade": None,
        "connection_tokens": (),
    } | more  # fmt: skip
    path = target.encode()
    return RequestHead(
        method=method.encode(), target=path, fields=lines, path=path, content_length=length, chunked=chunked, **facts
    )


def make_answer(status=200, length=None, fields=(), has_body=True):
    """An upstream's head."""
    lines = [header(name, value) for name, value in fields]
    return ResponseHead(status, b"OK", True, lines, length, length is None, has_body)


def make_failure(kind=FailureKind.CONNECT, sent=False):
    """An upstream's failure."""
    return Failure(kind, False, sent)
