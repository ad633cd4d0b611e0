"""One request's way through the gateway: a small state machine whose methods are the phases, in order.

    RECEIVE → ROUTE → IDENTIFY and ADMIT → FORWARD → METER → SETTLE → RECORD

It is driven by the callbacks of the wire: ``on_request`` and ``on_body`` from the client's side, ``on_head``,
``on_data`` and ``on_failure`` from the upstream's. On the plain path there is no task and no await. IDENTIFY and ADMIT
are one loop over the rules of the route's plan, in the literal order of ``policy.plugins``: the authentication
plugins say who calls, the others whether it may; once a consumer is known, the plan is the one compiled for it.

A request keeps the snapshot that it began with. FORWARD stands in ``gateway.forwarding``: the one place where a
request may wait, for a service with a bound. SETTLE and RECORD, and the refusals, stand in ``gateway.closing``: the one
way out of every request.
"""

from collections.abc import Sequence

from aimon_local.gateway import refusals, reply
from aimon_local.gateway.closing import FOR_RULE, GATHER, OVER, STREAM, WAIT, Stop
from aimon_local.gateway.forwarding import Forwarding
from aimon_local.gateway.receive import read_call
from aimon_local.model.ai import DRAIN
from aimon_local.model.approval import HOLD
from aimon_local.policy import reasons
from aimon_local.policy.call import BodyFilter, Call, NeedBody, ResponseDraft
from aimon_local.policy.plan import Plan
from aimon_local.policy.routing import wrong_protocol
from aimon_local.policy.tiering import own_view
from aimon_local.wire.headers import accepts_trailers, safe_trailers
from aimon_local.wire.message import Header, RequestHead, ResponseHead


class ProxyExchange(Forwarding):
    """A request on its way: the ``Handler`` of its client and the ``UpstreamEvents`` of its upstream."""

    __slots__ = ()

    # ---- RECEIVE

    def on_request(self, head: RequestHead) -> None:
        """RECEIVE: the head is complete; everything that needs no body is decided now."""
        runtime = self.runtime
        self.started = runtime.clock.monotonic_ns()
        self.head = head
        self.call = read_call(runtime, self.client, head)
        stop = self._route()
        if stop is None:
            self._admit()
        else:
            self._refuse(stop)

    # ---- ROUTE

    def _route(self) -> Stop | None:
        call = self.call
        ledger = self.runtime.ledger
        if ledger.failure is not None or ledger.overloaded:
            return refusals.STORE_DOWN
        if call.method in refusals.NEVER_PASSED or not refusals.METHOD.fullmatch(call.method):
            return refusals.for_method(call.method)
        if not self.head.plain and refusals.repeats(self.head.fields):
            return refusals.REPEATED
        found = call.match = call.snapshot.route(call.method, call.host, call.path, call.fields, call.scheme)
        if found is None:
            if call.snapshot.family.by_consumer and (plan := _for_tokens(call)) is not None:
                self.plan = plan
                return None
            self.plan = call.snapshot.plan(None, None)  # of global plugins: their phases after ``access``, as in Kong
            return (own_view(call) if call.snapshot.tiering else None) or refusals.NO_ROUTE
        call.upstream_path = found.upstream_path
        answer = wrong_protocol(call, found.route)
        self.plan = call.snapshot.plan(found if answer is None else None, None)
        return answer

    # ---- IDENTIFY and ADMIT

    def _admit(self) -> None:
        """Ask the rules in order; then go on to FORWARD, or gather the body for a rule, or refuse."""
        call = self.call
        rules = self.plan.access_after(self.position)
        at = 0
        while at < len(rules):
            position, rule = rules[at]
            consumer = call.consumer
            outcome = rule.access(call)
            if outcome is not None:
                if not isinstance(outcome, NeedBody):
                    if HOLD in call.notes and self._hold():
                        return None
                    return self._refuse(outcome)
                self.state = FOR_RULE
                return self.client.want_body()
            self.position = position
            if call.consumer is consumer:
                at += 1
            else:
                self.plan = call.snapshot.plan(call.match, call.consumer, position)
                rules, at = self.plan.access_after(position), 0
        return self._forward()

    def _hold(self) -> bool:
        """Let a call whose soft limit is full wait for the operator, once; then it is asked anew. False: it can't."""
        call, head = self.call, self.head
        seconds = call.notes[HOLD]
        if not isinstance(seconds, float) or (call.body is None and (head.chunked or head.content_length)):
            return False
        call.notes[HOLD] = None  # the next answer counts
        self.state = OVER
        return self.runtime.hold(call, seconds, self._go_on)

    def _go_on(self) -> None:
        if not self.over:  # the client is still there
            self._admit()

    # ---- the client's body

    def on_body(self, data: bytes, last: bool) -> None:
        """Body bytes of the client."""
        self.bytes_in += len(data)
        state = self.state
        if state is STREAM:
            self._pass_on(data, last)
        elif state is GATHER and last and not self.gathered and self._whole(data):
            return
        elif state is GATHER or state is FOR_RULE:
            self._gather(data, last)
        elif state is WAIT:
            self._keep(data, last)

    def _whole(self, body: bytes) -> bool:
        """A body that came in one piece and fits: on it goes, as most do. False: what is unusual is for ``_gather``."""
        if self.plan.max_body is not None or self.runtime.waiting.bounds:
            return False
        if self.bytes_in > self.runtime.settings.buffer_bytes:
            return False
        self.state = OVER
        self._send(body)
        return True

    def _gather(self, data: bytes, last: bool) -> None:
        gathered, settings = self.gathered, self.runtime.settings
        if data:
            gathered.append(data)
        for_rule = self.state is FOR_RULE
        refused = self._too_large()
        if refused is None and for_rule and self.bytes_in > settings.gather_bytes:
            refused = refusals.TOO_LARGE
        if refused is not None:
            return self._refuse(refused)
        if not for_rule and self.bytes_in > settings.buffer_bytes:
            return self._spill(last)
        if not last:
            return None
        body = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        gathered.clear()
        if for_rule:
            self.call.body = body
            return self._admit()
        return self._ready(body)

    def _spill(self, last: bool) -> None:
        """A chunked body outgrew the buffer: it streams from here on, what is gathered first."""
        self._ready(None, None, last)

    # ---- METER: the answer on its way

    def on_informational(self, status: int, fields: Sequence[Header]) -> None:
        """An interim answer is passed on (RFC 9110 §15.2); 100 is our own matter with the client."""
        if status != 100 and not self.answering:
            self.client.informational(status, [field[2] for field in fields])

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        """The upstream's final head."""
        if self.answering:
            return
        runtime, call, plan = self.runtime, self.call, self.plan
        choice = self.choice
        if choice is not None and choice.target is not None:
            runtime.destinations.answered(choice, head.status)
            if self._moves_on(choice, head.status):
                return
        self.upstream_head = runtime.clock.monotonic_ns()
        if self.patience is not None:
            self.patience.answered()
        self.upstream_status = head.status
        status, fields = head.status, head.fields
        if plan.shapes_answer or plan.meter:
            draft = ResponseDraft(status, fields, True, head.reason.decode("latin-1"))
            self._shape(draft, head)
            status, fields = draft.status, draft.fields
        lines = self.lines = reply.proxied_lines(call, fields, runtime.product, self.latencies())
        if runtime.clock.moved:
            lines.append(self._clock_line())
        self.status = status
        if self.filter is not None:
            self._filter(data, last)
            return
        self.answering = True
        if self.meter is not None:
            data = self._read(data, last)
            last = last or self._ended()
        self.bytes_out += len(data)
        if head.status == 101:
            if self.upstream is not None:
                self.upstream.pause()  # what it says next must find the tunnel open
            self._record(lambda: self._tunnel(lines, data))
        elif last:
            self._record(lambda: self.client.respond(status, lines, data, length=head.content_length))
        else:
            self.streaming = True
            self.client.start(status, lines, head.content_length, data)

    def _read(self, data: bytes, last: bool) -> bytes:
        """Body bytes past the meter."""
        meter = self.meter
        if meter is None:
            return data
        data = meter.feed(data) if data else data
        return data + meter.rest() if last else data

    def _ended(self) -> bool:
        """The meter has ended the answer: its upstream is not needed any more."""
        if self.meter is None or not self.meter.ended:
            return False
        self._drop_upstream()
        return True

    def _shape(self, draft: ResponseDraft, head: ResponseHead) -> None:
        """Let the rules edit the head, and ask for the whole body where they must."""
        for rule in self.plan.response:
            rule.response(self.call, draft)
        if head.has_body and head.status != 101:
            filters = [made for rule in self.plan.body if (made := rule.body(self.call, draft)) is not None]
            if filters:
                self.filter = _chain(filters)
            meters = (rule.meter(self.call, draft) for rule in self.plan.meter)
            self.meter = next((meter for meter in meters if meter is not None), None)

    def _filter(self, data: bytes, last: bool) -> None:
        """Gather the answer's body; it goes out filtered and whole."""
        if self.meter is not None:
            data = self._read(data, last)
            last = last or self._ended()
        self.gathered.append(data)
        self.bytes_out += len(data)
        if self.bytes_out > self.runtime.settings.filter_bytes:
            return self._give_up(refusals.ANSWER_TOO_LARGE)
        if not last:
            return None
        assert self.filter is not None
        body = self.filter(b"".join(self.gathered))
        self.gathered.clear()
        self.answering = True
        self.bytes_out = len(body)
        return self._record(lambda: self.client.respond(self.status, self.lines, body))

    def on_data(self, data: bytes, last: bool) -> None:
        """Body bytes of the upstream."""
        if self.filter is not None:
            if not self.answering:
                self._filter(data, last)
            return
        if self.meter is not None:
            data = self._read(data, last)
            last = last or self._ended()
        self.bytes_out += len(data)
        if not last:
            self.client.write(data)
        elif self.over:  # a tunnel: its row was written when it opened
            self._end_turn()
            self.client.end(data)
        else:
            self._record(lambda: self.client.end(data, self.trailers))

    def on_trailers(self, fields: Sequence[Header]) -> None:
        """Trailer fields of the upstream, for a client that takes them."""
        if accepts_trailers(self.head.fields):
            self.trailers = safe_trailers(list(fields))

    def _tunnel(self, lines: list[bytes], data: bytes) -> None:
        """Both sides speak another protocol from here on."""
        self.state = STREAM
        self.client.start(101, lines, None, data)
        if self.upstream is not None:
            self.upstream.resume()

    def on_writable(self, writable: bool) -> None:
        """The upstream's buffer is full or drained: hold the client's body, or let it come."""
        if writable:
            self.client.resume()
        else:
            self.client.pause()

    def on_client_writable(self, writable: bool) -> None:
        """The client's buffer is full or drained: hold the upstream's answer, or let it come."""
        if self.upstream is not None:
            if writable:
                self.upstream.resume()
            else:
                self.upstream.pause()

    # ---- ends other than good ones

    def on_gone(self) -> None:
        """The client left: its upstream is cancelled, what passed is recorded as incomplete; or it is read on."""
        if DRAIN in self.call.notes and self._can_drain():
            return self._drain()
        self._drop_upstream()
        self.state = OVER
        self.answering = True
        if self.turn is not None and self.turn.waits:
            self.call.unsent = True
            self.reason = reasons.QUEUE_LEFT
        if self.over or self.call.match is None:
            return self._end_turn()
        self.status = self.status or refusals.CLIENT_GONE
        return self._record(_nothing, complete=False)

    def _can_drain(self) -> bool:
        """The upstream has all of the request, and still answers."""
        return self.upstream is not None and self.state is OVER and not (self.over or self.gone)

    def _drain(self) -> None:
        """Read the answer to its end, for nobody but the meter."""
        from aimon_local.gateway.draining import Nobody  # noqa: PLC0415 (where a tier drains)

        self.gone = True
        self.client = Nobody(self.on_gone)
        self.on_client_writable(True)


def _chain(filters: list[BodyFilter]) -> BodyFilter:
    def run(body: bytes) -> bytes:
        for each in filters:
            body = each(body)
        return body

    return run


def _for_tokens(call: Call) -> Plan | None:
    """The plan of a request for an agent's token; imported where there are agents."""
    from aimon_local.policy.agents.door import plan_for  # noqa: PLC0415

    return plan_for(call)


def _nothing() -> None:
    """There is nobody to answer."""
