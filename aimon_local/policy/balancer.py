"""Which target of an upstream gets a request. The gateway holds one ``Balancer``: turns and health, not configuration.

Turns are smooth weighted round robin: exact shares, evenly spread, the same sequence every time. ``consistent-hashing``
asks ``policy.hashing`` instead and takes turns where a request has nothing to hash; ``least-connections`` and
``latency`` take turns too. A retry goes to a target that the request has not tried, as long as there is one.

To add an algorithm: a branch in ``choose`` that returns a target out of ``ready``.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from aimon_local.policy.call import Call
from aimon_local.policy.entities import authority
from aimon_local.policy.hashing import hash_key, ranked
from aimon_local.policy.health import Health, watched
from aimon_local.policy.nouns import Match, Service, Target, Upstream

__all__ = ["Balancer", "Target", "Upstream", "upstream_host"]


@dataclass(slots=True)
class _Turn:
    """What is remembered of one target."""

    health: Health = field(default_factory=Health)
    credit: int = 0


class Balancer:
    """The state of all upstreams, by upstream id and target name; it outlives snapshots."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns: dict[str, dict[str, _Turn]] = {}

    def sync(self, upstreams: Iterable[Upstream]) -> None:
        """Forget what a new snapshot has no more: a target that is made again starts healthy."""
        names = {each.id: {target.name for target in each.targets} for each in upstreams}
        self._turns = {
            upstream: {name: turn for name, turn in turns.items() if name in names[upstream]}
            for upstream, turns in self._turns.items()
            if upstream in names
        }

    def choose(self, upstream: Upstream, call: Call, tried: Collection[str] = ()) -> Target | None:
        """The target for a request (``tried``: names of targets that failed it), or None: no peer, 503."""
        ready = self._ready(upstream)
        fresh = [target for target in ready if target.name not in tried] if tried else ready
        ready = fresh or ready
        if len(ready) < 2:
            return ready[0] if ready else None
        key = hash_key(upstream, call)
        return self._next(upstream, ready) if key is None else ranked(key, ready)[0]

    def has_fresh(self, upstream: Upstream, tried: Collection[str]) -> bool:
        """Whether a request could go to a target that has not failed it."""
        return any(target.name not in tried for target in self._ready(upstream))

    def _ready(self, upstream: Upstream) -> Sequence[Target]:
        """Targets that are up and have some weight; none where too little of the weight is up."""
        usable = [target for target in upstream.targets if target.weight > 0]
        ready = [target for target in usable if self._turn(upstream, target).health.healthy]
        if upstream.threshold and _weight(ready) * 100 < upstream.threshold * _weight(usable):
            return ()
        return ready

    def _next(self, upstream: Upstream, ready: Sequence[Target]) -> Target:
        """Smooth weighted round robin: all gain their weight, the richest is taken and pays for all."""
        best, best_turn = ready[0], self._turn(upstream, ready[0])
        for target in ready:
            turn = self._turn(upstream, target)
            turn.credit += target.weight
            if turn.credit > best_turn.credit:
                best, best_turn = target, turn
        best_turn.credit -= _weight(ready)
        return best

    def _turn(self, upstream: Upstream, target: Target) -> _Turn:
        turns = self._turns.setdefault(upstream.id, {})
        turn = turns.get(target.name)
        if turn is None:
            turn = turns[target.name] = _Turn()
        return turn

    def answered(self, upstream: Upstream, target: Target, status: int) -> None:
        """A target's answer as evidence."""
        if watched(upstream.passive):
            self._turn(upstream, target).health.answered(status, upstream.passive)

    def failed(self, upstream: Upstream, target: Target, *, timeout: bool) -> None:
        """A target that could not be reached, or was too slow, as evidence."""
        if watched(upstream.passive):
            self._turn(upstream, target).health.failed(timeout, upstream.passive)

    def mark(self, upstream: Upstream, name: str, healthy: bool) -> bool:
        """Mark a target by hand; False: the upstream has none of this name (``host:port``) or id."""
        found = [target for target in upstream.targets if name in (target.name, target.id)]
        for target in found:
            self._turn(upstream, target).health.mark(healthy)
        return bool(found)

    def healthy(self, upstream: Upstream, target: Target) -> bool:
        """Whether a target takes part, if it has some weight."""
        return self._turn(upstream, target).health.healthy

    def health(self, upstream: Upstream, target: Target) -> str:
        """Kong's word for a target's standing: HEALTHY, UNHEALTHY, or HEALTHCHECKS_OFF where nothing watches it."""
        if not self.healthy(upstream, target):
            return "UNHEALTHY"
        return "HEALTHY" if watched(upstream.passive) else "HEALTHCHECKS_OFF"

    def balancer_health(self, upstream: Upstream) -> str:
        """Kong's word for the upstream as a whole: UNHEALTHY where no request gets a target."""
        if not watched(upstream.passive) and all(self.healthy(upstream, each) for each in upstream.targets):
            return "HEALTHCHECKS_OFF"
        return "HEALTHY" if self._ready(upstream) else "UNHEALTHY"


def _weight(targets: Iterable[Target]) -> int:
    return sum(target.weight for target in targets)


def upstream_host(
    call: Call, match: Match, service: Service, upstream: Upstream | None, target: Target | None
) -> bytes:
    """The Host that goes upstream: what a rule has set, the client's own, the upstream's, else that of the place."""
    if call.upstream_host:
        return call.upstream_host
    if match.route.preserve_host:
        return call.host.encode("latin-1")
    if upstream is not None and upstream.host_header is not None:
        return upstream.host_header.encode("utf-8", "surrogateescape")
    if target is not None:
        return authority(service.protocol, target.host, target.port)
    return service.host_header
