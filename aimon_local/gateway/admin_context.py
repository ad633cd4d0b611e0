"""The running gateway as its Admin API sees it: fills ``gateway.admin.context``."""

import logging
import os
import socket
import string
import sys
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

from aimon_local import __version__
from aimon_local.gateway.admin.context import Access, AdminContext, Load, Node
from aimon_local.gateway.clockwork import ClockDoor, speed
from aimon_local.gateway.metrics import Node as MetricsNode
from aimon_local.gateway.standings import standings
from aimon_local.gateway.tools import random_uuid
from aimon_local.policy.call import Call, header
from aimon_local.policy.nouns import Target, Upstream
from aimon_local.policy.paths import normalise
from aimon_local.policy.plugins import ORDER
from aimon_local.storage.audit import AuditLog
from aimon_local.storage.corrections import Corrections
from aimon_local.storage.feed import Feed

if TYPE_CHECKING:
    from aimon_local.gateway.app import Gateway
    from aimon_local.policy.manners import Refusal

_LETTERS = string.ascii_letters + string.digits
_LOG = logging.getLogger("aimon_local")
# Kong's (nginx's) levels and Python's; the first of equals is the one that is shown.
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": 25,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "crit": logging.CRITICAL,
    "alert": 55,
    "emerg": 60,
}


class SystemIds:
    """Identifiers by the system's chance, or a seeded one."""

    def __init__(self, chance: Random | None = None) -> None:
        self._chance = chance or SystemRandom()

    def uuid(self) -> str:
        """A random UUID."""
        return random_uuid(self._chance)

    def token32(self) -> str:
        """32 letters and digits: a generated key."""
        return "".join(self._chance.choice(_LETTERS) for _ in range(32))


class ProcessLogLevel:
    """The level of this process's log."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._level = "notice"
        self._until = 0  # monotonic nanoseconds; 0: until it is set again

    def get(self) -> str:
        """The level that holds; a time that is over ends it here."""
        if self._until and self._gateway.clock.monotonic_ns() >= self._until:
            self.set("notice", 0)
        return self._level

    def set(self, level: str, seconds: int) -> None:
        """Let a level hold."""
        self._level = level
        self._until = self._gateway.clock.monotonic_ns() + seconds * 1_000_000_000 if seconds else 0
        _LOG.setLevel(_LEVELS[level])


class BalancerHealth:
    """The balancer's view of targets, by ids."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    def _upstream(self, upstream_id: str) -> Upstream | None:
        upstreams = self._gateway.live.snapshot.upstreams.values()
        return next((each for each in upstreams if each.id == upstream_id), None)

    def _target(self, upstream_id: str, target_id: str) -> tuple[Upstream, Target] | None:
        upstream = self._upstream(upstream_id)
        if upstream is None:
            return None
        return next(((upstream, each) for each in upstream.targets if each.id == target_id), None)

    def upstream(self, upstream_id: str) -> str:
        """Kong's word for the whole."""
        upstream = self._upstream(upstream_id)
        return "HEALTHCHECKS_OFF" if upstream is None else self._balancer.balancer_health(upstream)

    def target(self, upstream_id: str, target_id: str) -> str:
        """Kong's word for one target."""
        found = self._target(upstream_id, target_id)
        return "HEALTHCHECKS_OFF" if found is None else self._balancer.health(*found)

    def mark(self, upstream_id: str, target_id: str, healthy: bool) -> None:
        """Let the operator's word hold."""
        upstream = self._upstream(upstream_id)
        if upstream is not None:
            self._balancer.mark(upstream, target_id, healthy)

    @property
    def _balancer(self) -> Any:
        return self._gateway.runtime.destinations.balancer


def resident_bytes() -> int:
    """Memory of this process; 0 where the platform does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        if sys.platform == "win32":
            return 0
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _load(gateway: "Gateway") -> Load:
    """What the proxy does just now."""
    activity, counts = gateway.proxy.activity(), gateway.proxy.counts
    return Load(
        connections_accepted=counts.accepted,
        connections_active=activity["active"],
        connections_handled=counts.handled,
        connections_reading=activity["reading"],
        connections_waiting=activity["waiting"],
        connections_writing=activity["writing"],
        total_requests=counts.requests,
        resident_bytes=resident_bytes(),
        database_reachable=gateway.ledger.failure is None,
    )


def _node(gateway: "Gateway") -> Node:
    """This process, and the settings worth showing."""
    settings = gateway.settings
    return Node(
        node_id=gateway.database.node_id,
        hostname=socket.gethostname(),
        version=__version__,
        pid=os.getpid(),
        plugins=ORDER,
        configuration={
            "database": "sqlite",
            "data": str(settings.data),
            "credentials": settings.credentials,
            "synchronous": settings.synchronous,
        },
    )


def make_context(gateway: "Gateway") -> AdminContext:
    """The context of one gateway's Admin API."""
    settings = gateway.settings

    hosts = {name.lower() for name in (settings.host, *settings.allowed_hosts)}
    return AdminContext(
        catalog=gateway.live.catalog,
        writing=gateway.live.writing,
        commit=gateway.live.commit,
        clock=gateway.clock,
        ids=SystemIds(gateway.chance),
        hashed=settings.credentials == "hashed",
        access=Access(frozenset(hosts), settings.admin_token),
        node=_node(gateway),
        load=lambda: _load(gateway),
        metrics=lambda: gateway.metrics.render(_metrics_node(gateway, _load(gateway))),
        cache=gateway.live.state.cache,
        ledger=gateway.queries,
        corrections=Corrections(gateway.database),
        feed=Feed(gateway.database),
        push=gateway.push,
        alerting=gateway.alerting,
        lab=gateway.lab,
        addresses=gateway.addresses,
        events=gateway.events,
        log_level=ProcessLogLevel(gateway),
        health=BalancerHealth(gateway),
        trial=lambda *asked: _trial(gateway, *asked),
        audit=AuditLog(gateway.database),
        refusals=lambda *asked: _refusals(gateway, *asked),
        runs=lambda name: _runs(gateway, name),
        approvals=gateway.approvals,
        state=gateway.live.state,
        clockwork=ClockDoor(gateway.clock, gateway.store, gateway.auditor, gateway.events.publish),
        stamp=gateway.auditor.stamp,
    )


def _refusals(gateway: "Gateway", consumer: str, since: int | None, until: int | None) -> "list[Refusal]":
    from aimon_local.storage.refusals import refusals

    return refusals(gateway.database, consumer, since, until)


def _runs(gateway: "Gateway", agent: str) -> list[dict[str, Any]]:
    from aimon_local.storage.runs import runs

    return runs(gateway.database, agent)


def _trial(gateway: "Gateway", method: str, path: str, body: bytes) -> Call:
    """A call as it would come from this machine now."""
    return Call(
        now_ns=gateway.clock.now_ns(),
        request_id="",
        client_ip="127.0.0.1",
        client_port=0,
        server_port=gateway.settings.proxy_port,
        scheme="http",
        method=method,
        raw_path=path,
        path=normalise(path),
        query=None,
        host="localhost",
        fields=[header("Content-Type", "application/json")],
        content_length=len(body),
        chunked=False,
        expects_continue=False,
        tools=gateway.runtime.tools,
        state=gateway.live.state,
        snapshot=gateway.live.snapshot,
        body=body,
    )


_STATES = ("HEALTHCHECKS_OFF", "HEALTHY", "UNHEALTHY", "DNS_ERROR")


def _metrics_node(gateway: "Gateway", load: Load) -> MetricsNode:
    connections = {
        state: getattr(load, f"connections_{state}")
        for state in ("accepted", "active", "handled", "reading", "waiting", "writing")
    }
    balancer, clock = gateway.runtime.destinations.balancer, gateway.clock
    health = [
        ((upstream.name, target.name, target.name, state.lower(), "http"), int(word == state))
        for upstream in gateway.live.snapshot.upstreams.values()
        for target in upstream.targets
        for word in (balancer.health(upstream, target),)
        for state in _STATES
    ]
    return MetricsNode(
        node_id=gateway.database.node_id,
        version=__version__,
        pid=os.getpid(),
        resident_bytes=load.resident_bytes,
        datastore_reachable=load.database_reachable,
        requests=load.total_requests,
        connections=connections,
        health=health,
        clock=(clock.shift_ns(clock.now_ns()), speed(clock)) if clock.moved else None,
        standings=standings(gateway.live.state.accounts, gateway.live.snapshot.consumers, clock.now_ns()),
        busy=gateway.runtime.waiting.standing(gateway.live.snapshot.services.values()),
    )
