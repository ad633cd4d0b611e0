"""FORWARD: from an admitted request to the upstream that answers it.

The one place where a request may wait: a service with a bound on requests at once (``gateway.waiting``) lets it stand
in its tier's queue, with its limits held, until it has a slot, its time is over, or its client leaves. The slot is
kept through all tries and ends with the exchange (``Closing._end_turn``).

A try that failed goes to another target where nothing can be doubled. A 5xx is such a failure for calls of a tier that
are AI calls or idempotent; without a tier it is passed on, as Kong does.
"""

from typing import TYPE_CHECKING

from aimon_local.gateway import refusals
from aimon_local.gateway.closing import GATHER, OVER, STREAM, WAIT, Closing
from aimon_local.gateway.destinations import Choice
from aimon_local.gateway.patience import Patience
from aimon_local.metering.dialects import dialect_for
from aimon_local.policy.call import Refuse
from aimon_local.wire.headers import accepts_trailers
from aimon_local.wire.message import Failure, FailureKind, UpstreamEvents, UpstreamRequest

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))  # RFC 9110 §9.2.2


if TYPE_CHECKING:

    class _Half(Closing, UpstreamEvents):
        """Its heir hears of the answer too."""
else:
    _Half = Closing


class Forwarding(_Half):
    """A request on its way out; what comes before, and what the upstream answers, is ``gateway.exchange``."""

    __slots__ = ()

    # ---- FORWARD

    def _forward(self) -> None:
        call, head = self.call, self.head
        match = call.match
        if match is None or match.service is None:
            return self._refuse(refusals.NO_SERVICE)
        if call.body is not None or not (head.chunked or head.content_length):
            if self.runtime.waiting.bounds:
                return self._ready(call.body or b"")
            self.state = OVER
            return self._send(call.body or b"")
        small = head.content_length is None or head.content_length <= self.runtime.settings.buffer_bytes
        if match.route.request_buffering and small:
            self.state = GATHER
            return self.client.want_body()
        return self._ready(None, head.content_length)

    def _ready(self, body: bytes | None, length: int | None = None, last: bool = False) -> None:
        """It could go now, if the service has room: whole, or (None) its body streams; ``last``: all is here."""
        if self.runtime.waiting.bounds and not self._has_turn():
            if not self.answering:
                self.state, self.due = WAIT, (body, length, last)
            return
        self._depart(body, length, last)

    def _has_turn(self) -> bool:
        """Ask for a slot of a bounded service; False: refused, or it waits."""
        call = self.call
        assert call.match is not None
        assert call.match.service is not None
        turn = self.runtime.waiting.ask(call.match.service, call.lane, self)
        if isinstance(turn, Refuse):
            self._refuse(turn)
            return False
        self.turn = turn
        return turn is None or not turn.waits

    def on_turn(self) -> None:
        """The service has room: go on from where it waited."""
        if self.bytes_in > self.runtime.settings.buffer_bytes:
            self.client.resume()
        self._depart(*self.due)

    def on_no_turn(self, stop: Refuse) -> None:
        """It has waited for as long as it may."""
        if not self.answering:
            self._give_up(stop)

    def _keep(self, data: bytes, last: bool) -> None:
        """Body bytes that come while it waits; a client that sends many is held."""
        if data:
            self.gathered.append(data)
        body, length, whole = self.due
        self.due = (body, length, whole or last)
        refused = self._too_large()
        if refused is not None:
            return self._refuse(refused)
        if self.bytes_in > self.runtime.settings.buffer_bytes and not last:
            self.client.pause()
        return None

    def _depart(self, body: bytes | None, length: int | None, last: bool) -> None:
        """Open the upstream: for a whole request, or for one whose body streams."""
        if body is not None:
            self.state = OVER
            return self._send(body)
        self.state = STREAM
        self.replayable = False
        self._send(None, length)
        if self.answering:  # refused for want of a target: no 100 Continue before that
            return None
        self.client.want_body()
        if self.gathered or last:
            data = b"".join(self.gathered)
            self.gathered.clear()
            self._pass_on(data, last)
        return None

    def _send(self, body: bytes | None, length: int | None = None) -> None:
        """Send the request to the chosen target: whole, or its head alone where ``body`` is None."""
        runtime, call = self.runtime, self.call
        choice = runtime.destinations.choose(call, self.tried)
        if choice is None:
            return self._refuse(refusals.NO_PEER)
        self.choice = choice
        if not self.forwarded:
            self.forwarded = runtime.clock.monotonic_ns()
        if body:
            call.body = body
        if call.patience is not None and self.patience is None:
            self.patience = Patience(*call.patience, self._too_slow)
        head, method = self.head, call.upstream_method.encode("latin-1")
        request = UpstreamRequest(
            runtime.forward_head(call, head, choice, method),
            method,
            body,
            self._length(body, length),
            choice.timeouts,
            head.upgrade is not None,
            not head.plain and accepts_trailers(head.fields),
        )
        self.upstream = runtime.pool.send(choice.origin, request, self)
        return None

    def _length(self, body: bytes | None, length: int | None) -> int | None:
        """What is declared of a streaming body, or of an empty one: as the client did, so a GET stays without."""
        head = self.head
        if body is None:
            return length
        return 0 if head.chunked or head.content_length is not None else None

    def on_sent(self, ip: str, port: int) -> None:
        """A connection to the upstream was taken."""
        self.sent_to = ip, port

    def _too_large(self) -> Refuse | None:
        bound = self.plan.max_body
        return bound[1] if bound is not None and self.bytes_in > bound[0] else None

    def _pass_on(self, data: bytes, last: bool) -> None:
        refused = self._too_large()
        if refused is not None and not self.answering:
            return self._refuse(refused)
        upstream = self.upstream
        if upstream is None:
            return None
        if data:
            upstream.write(data)
        if last:
            self.state = OVER
            upstream.end()
        return None

    # ---- tries

    def on_failure(self, failure: Failure) -> None:
        """The upstream failed: try again where that is safe, else say so; a started answer is cut visibly."""
        self.upstream = None
        choice = self.choice
        if choice is not None and choice.target is not None:
            self.runtime.destinations.failed(choice, failure)
            self.tried = (*self.tried, choice.target.name)
        if self.answering:
            if not self.over:
                self._record(self.client.abort, complete=False)
            else:
                self._end_turn()
                self.client.abort()
            return
        if self._may_try_again(failure):
            self.attempts += 1
            self._send(self.call.body or b"")
            return
        self._give_up(refusals.for_failure(failure))

    def _too_slow(self) -> None:
        """The tier's patience is over: as a timeout, but nothing that is held against the target."""
        self._drop_upstream()
        self.choice = None
        self.on_failure(Failure(FailureKind.READ_TIMEOUT, reused=False, sent=True))

    def _may_try_again(self, failure: Failure) -> bool:
        """Only what can't have been processed is sent again (RFC 9110 §9.2.2): a request is never doubled."""
        match = self.call.match
        if not self.replayable or match is None or match.service is None or self.filter is not None:
            return False
        if self.gone or failure.sent or failure.kind in refusals.FINAL:
            return False
        return self.attempts < match.service.retries

    def _moves_on(self, choice: Choice, status: int) -> bool:
        """Leave a target that answered 5xx for one that has not been asked; False: its answer is the answer."""
        call, match = self.call, self.call.match
        if status < 500 or choice.target is None or call.lane is None or not self.replayable:
            return False
        if self.gone:
            return False
        if match is None or match.service is None or self.attempts >= match.service.retries:
            return False
        if call.upstream_method not in _IDEMPOTENT and dialect_for(call.method, call.path) is None:
            return False
        tried = (*self.tried, choice.target.name)
        if not self.runtime.settings.failover_5xx or not self.runtime.destinations.has_other(choice, tried):
            return False
        self._drop_upstream()
        self.tried = tried
        self.attempts += 1
        self._send(call.body or b"")
        return True
