"""RECORD: from an exchange that is over to its ledger row, and to what the log plugins see. Pure reading."""

from typing import TYPE_CHECKING

from aimon_local.model.usage import UsageRow
from aimon_local.policy.rule import Outline

if TYPE_CHECKING:
    from aimon_local.gateway.closing import Closing

_US = 1000  # nanoseconds


def usage_row(exchange: "Closing", ended: int, complete: bool) -> UsageRow:
    """The row of one request; ``ended`` in monotonic nanoseconds."""
    call = exchange.call
    consumer, credential, match = call.consumer, call.credential, call.match
    forwarded = exchange.forwarded or ended
    started, reason = exchange.started, exchange.reason
    clock = exchange.runtime.clock
    return UsageRow(  # by place: names would cost each request a microsecond
        call.request_id,
        call.now_ns,
        consumer.id if consumer else None,
        (consumer.username or consumer.custom_id) if consumer else None,
        credential.id if credential else None,
        consumer.tiers[0][1] if consumer and consumer.tiers else None,
        match.route.id if match else None,
        match.service.id if match and match.service else None,
        call.method,
        exchange.status,
        "allow" if reason is None else "deny",
        reason,
        complete,
        exchange.upstream_status,
        (forwarded - started) // _US,
        (exchange.upstream_head - forwarded) // _US if exchange.upstream_head else None,
        (ended - started) // _US,
        exchange.bytes_in,
        exchange.bytes_out,
        clock.shift_ns(call.now_ns, ended - started) if clock.moved else 0,
    )


def outline(exchange: "Closing", ended: int) -> Outline:
    """The facts of a request that is over, for the log plugins."""
    forwarded = exchange.forwarded or ended
    head = exchange.head
    fields = tuple((name, value) for name, value, _ in head.fields)
    size = (
        len(head.method) + len(head.target) + sum(len(line) + 2 for _, _, line in head.fields) + 14
    )  # what is between and after
    answered = b"\r\n".join(exchange.lines)
    return Outline(
        status=exchange.status,
        upstream_status=exchange.upstream_status,
        started_ns=exchange.call.now_ns,
        gateway_us=(forwarded - exchange.started) // _US,
        upstream_us=(exchange.upstream_head - forwarded) // _US if exchange.upstream_head else None,
        total_us=(ended - exchange.started) // _US,
        bytes_in=size + exchange.bytes_in,
        bytes_out=len(answered) + 21 + exchange.bytes_out,
        upstream=None if exchange.sent_to is None else "{}:{}".format(*exchange.sent_to),
        request_fields=fields,
        response_fields=_fields(answered),
        reason=exchange.reason,
    )


def _fields(block: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Lines back to (lower-case name, value)."""
    pairs = (line.partition(b": ") for line in block.split(b"\r\n") if line)
    return tuple((name.lower(), value) for name, _, value in pairs)
