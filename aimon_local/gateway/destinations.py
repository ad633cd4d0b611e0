"""Where a request goes: a service's own host, or a target of the upstream of that name.

The law is the balancer's (``policy.balancer``, whose state is held here); this makes an origin of the wire of it.
"""

from dataclasses import dataclass

from aimon_local.policy.balancer import Balancer, Target, Upstream, upstream_host
from aimon_local.policy.call import Call
from aimon_local.policy.nouns import Service
from aimon_local.wire.message import Failure, FailureKind, Origin, Timeouts

_KEPT = 1000  # services whose origin is remembered

_TIMEOUTS = frozenset((FailureKind.CONNECT_TIMEOUT, FailureKind.WRITE_TIMEOUT, FailureKind.READ_TIMEOUT))


@dataclass(frozen=True, slots=True)
class Choice:
    """One place to send a request to."""

    origin: Origin
    host: bytes  # the Host value
    timeouts: Timeouts
    upstream: Upstream | None = None
    target: Target | None = None  # of a balanced upstream


class Destinations:
    """Chooses for one gateway."""

    __slots__ = ("_known", "balancer")

    def __init__(self) -> None:
        self.balancer = Balancer()
        self._known: dict[int, tuple[Service, Choice]] = {}

    def choose(self, call: Call, tried: tuple[str, ...] = ()) -> Choice | None:
        """Where this try goes; None: the upstream has no target that could take it."""
        match = call.match
        service = match.service if match is not None else None
        assert match is not None
        assert service is not None
        upstream = call.snapshot.upstreams.get(service.host)
        plain = self._plain(service)
        if upstream is None:
            if not call.upstream_host and not match.route.preserve_host:
                return plain
            return Choice(plain.origin, upstream_host(call, match, service, None, None), plain.timeouts)
        target = self.balancer.choose(upstream, call, tried)
        if target is None:
            return None
        origin = Origin(plain.origin.scheme, target.host, target.port, plain.origin.verify)
        host = upstream_host(call, match, service, upstream, target)
        return Choice(origin, host, plain.timeouts, upstream, target)

    def has_other(self, choice: Choice, tried: tuple[str, ...]) -> bool:
        """Whether the choice's upstream has a target that is up and was not tried."""
        return choice.upstream is not None and self.balancer.has_fresh(choice.upstream, tried)

    def answered(self, choice: Choice, status: int) -> None:
        """A target's answer, as evidence of its health."""
        if choice.upstream is not None and choice.target is not None:
            self.balancer.answered(choice.upstream, choice.target, status)

    def failed(self, choice: Choice, failure: Failure) -> None:
        """A target's failure, as evidence of its health."""
        if choice.upstream is not None and choice.target is not None:
            self.balancer.failed(choice.upstream, choice.target, timeout=failure.kind in _TIMEOUTS)

    def _plain(self, service: Service) -> Choice:
        """A service's own place; it lives as long as the service's noun, which a change replaces."""
        known = self._known.get(id(service))
        if known is None or known[0] is not service:
            if len(self._known) >= _KEPT:
                self._known.clear()
            scheme = "https" if service.protocol == "https" else "http"
            origin = Origin(scheme, service.host, service.port, service.tls_verify is not False)
            timeouts = Timeouts(service.connect_timeout, service.write_timeout, service.read_timeout)
            known = self._known[id(service)] = (service, Choice(origin, service.host_header, timeouts))
        return known[1]
