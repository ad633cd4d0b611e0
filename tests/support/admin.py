"""An Admin API without sockets or storage: requests are built as the wire builds them, the app answers."""

import asyncio
import json
from types import SimpleNamespace

from aimon_local.clock import ManualClock
from aimon_local.gateway.admin.app import admin_app
from aimon_local.gateway.admin.context import Access, AdminContext, Load, Node
from aimon_local.gateway.events import Events
from aimon_local.gateway.keys import hashed
from aimon_local.gateway.live import KINDS
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.policy.cache import AnswerCache
from aimon_local.policy.plugins import BY_NAME
from aimon_local.policy.snapshot import build
from aimon_local.policy.state import LimitState
from aimon_local.storage.queries import UsagePage, UsageTotals
from aimon_local.wire.app import Request
from aimon_local.wire.message import RequestHead
from tests.support.calls import make_call
from tests.support.plugin_tables import PLUGIN_SCHEMAS

NODE = Node("11111111-2222-4333-8444-555555555555", "laptop", "9.9.9", 4711, (), {"database": "memory"})


class CountingIds:
    """Predictable names that look like real ones."""

    def __init__(self):
        self.made = 0

    def uuid(self):
        self.made += 1
        return f"{self.made * 7919 % 0xFFFF:08x}-0000-4000-8000-{self.made:012x}"

    def token32(self):
        self.made += 1
        return f"Key{self.made:029d}"


class Levels:
    def __init__(self):
        self.level, self.seconds = "notice", None

    def get(self):
        return self.level

    def set(self, level, seconds):
        self.level, self.seconds = level, seconds


class Targets:
    """A balancer that knows the operator's word alone."""

    def __init__(self):
        self.down = set()

    def upstream(self, upstream_id):
        return "UNHEALTHY" if any(pair[0] == upstream_id for pair in self.down) else "HEALTHY"

    def target(self, upstream_id, target_id):
        return "UNHEALTHY" if (upstream_id, target_id) in self.down else "HEALTHY"

    def mark(self, upstream_id, target_id, healthy):
        (self.down.discard if healthy else self.down.add)((upstream_id, target_id))


class Ledger:
    """A ledger with what a test puts in; ``asked`` notes the arguments of each question."""

    def __init__(self):
        self.totals, self.groups, self.rows = {}, {}, []  # by consumer, by what they are apart, newest first
        self.ai = {}  # by request ids
        self.asked = []

    async def usage_totals(self, consumer=None, since=None, until=None):
        self.asked.append((consumer, since, until))
        return self.totals.get(consumer, UsageTotals())

    async def usage_totals_by(self, by, consumer=None, since=None, until=None):
        self.asked.append((by, consumer, since, until))
        return self.groups.get(by, {})

    async def usage_row(self, request_id):
        return next((row for row in self.rows if row.request_id == request_id), None)

    async def ai_records(self, request_ids):
        return {each: self.ai[each] for each in request_ids if each in self.ai}

    async def usage_rows(self, consumer=None, since=None, until=None, *, before=None, size=100):
        self.asked.append((consumer, since, until, before, size))
        at = len(self.rows) if before is None else before - 1  # the number of a row is its place from the end
        rows = self.rows[len(self.rows) - at :]
        return UsagePage(tuple(rows[:size]), at - size + 1 if len(rows) > size else None)


class AdminUnderTest:
    """One app with all around it in reach."""

    def __init__(self, secret=None, plugin_schemas=PLUGIN_SCHEMAS, plugins=(), **access):
        seals = {} if secret is None else {"keyauth_credentials": ("key", hashed(secret))}
        self.catalog = Catalog(SCHEMAS, plugin_schemas, seals)
        self.clock = ManualClock()
        self.committed = []
        self.fault = None  # raised by the next commits
        self.ledger, self.events = Ledger(), Events(self.clock.now_ns())
        self.state = LimitState()
        self.cache, self.levels, self.targets = AnswerCache(), Levels(), Targets()
        self.context = AdminContext(
            catalog=self.catalog,
            writing=asyncio.Lock(),
            commit=self.commit,
            clock=self.clock,
            ids=CountingIds(),
            hashed=secret is not None,
            access=Access(**access),
            node=Node(NODE.node_id, NODE.hostname, NODE.version, NODE.pid, plugins, NODE.configuration),
            load=lambda: Load(connections_active=2, total_requests=7, resident_bytes=3 << 20),
            metrics=lambda: "kong_node_info 1\n",
            cache=self.cache,
            ledger=self.ledger,
            events=self.events,
            log_level=self.levels,
            health=self.targets,
            corrections=None,  # asked of a running gateway alone
            feed=None,  # likewise
            trial=self.trial,
        )
        self._app = admin_app(self.context)

    def trial(self, method, path, body):
        snapshot = build({kind: list(self.catalog.rows(kind)) for kind in KINDS}, BY_NAME, str)
        now = self.clock.now_ns()
        return make_call(method, path, now_ns=now, body=body, state=self.state, snapshot=snapshot, host="localhost")

    async def commit(self, changes):
        if self.fault is not None:
            raise self.fault
        await asyncio.sleep(0)  # storage takes a turn of the loop
        self.committed += changes
        self.catalog.apply(changes)

    def send(self, method, target, fields=(), body=b""):
        """The Response to a request as the wire hands it over; a Host is added where none is given."""
        return asyncio.run(self.app(method, target, fields, body))

    async def app(self, method, target, fields=(), body=b""):
        return await self._app(make_request(method, target, fields, body))

    def ask(self, method, target, data=None, **fields):
        """(status, decoded body); ``data`` goes out as JSON, or as a form if it is text."""
        sent = [(name.replace("_", "-"), value) for name, value in fields.items()]
        body = b""
        if isinstance(data, str):
            body = data.encode()
            sent.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif data is not None:
            body = json.dumps(data).encode()
            sent.append(("Content-Type", "application/json"))
        response = self.send(method, target, sent, body)
        return response.status, json.loads(response.body) if response.body else None


def make_request(method, target, fields=(), body=b""):
    """A Request; texts may hold any character, they go as UTF-8."""
    fields = [(name, value.encode().decode("latin-1")) for name, value in fields]
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        fields.insert(0, ("Host", "127.0.0.1:8001"))
    if body and "content-length" not in names and "transfer-encoding" not in names:
        fields.append(("Content-Length", str(len(body))))
    raw = [
        (name.lower().encode(), value.encode("latin-1"), f"{name}: {value}".encode("latin-1")) for name, value in fields
    ]
    host = next(value for name, value in fields if name.lower() == "host")
    path, mark, query = target.encode().decode("latin-1").partition("?")
    head = RequestHead(
        method.encode(), target.encode(), True, raw, host.encode("latin-1"), target.encode(), len(body), False, True,
        False, None, (),
    )  # fmt: skip
    return Request(method, path, query if mark else None, fields, body, "127.0.0.1", True, host, head)


def seen(method, response):
    """A Response as a client of the comparing rules sees it."""
    headers = {}
    for name, value in response.fields:
        headers.setdefault(name.lower(), []).append(value)
    bodiless = method == "HEAD" or response.status in (204, 304)
    return SimpleNamespace(status=response.status, headers=headers, body=b"" if bodiless else response.body)
