"""What the ledger keeps of one request. Integers only: money and tokens in nano-units, time in nanoseconds."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class UsageRow(NamedTuple):
    """One proxied request as it ended, in the order of the ledger's columns (storage/migrations)."""

    request_id: str  # unique; in order of time (its first digits are the time), or its index costs more than the row
    at_ns: int  # wall clock at the head's arrival
    consumer_id: str | None
    consumer: str | None  # username or custom_id at the time
    credential_id: str | None
    tier: str | None  # consumer group
    route_id: str | None
    service_id: str | None
    method: str
    status: int  # what the client saw; 0 = it left before an answer
    decision: str  # "allow" or "deny"
    deny_reason: str | None
    complete: bool  # False: cut by either side
    upstream_status: int | None
    gateway_us: int  # spent in the gateway before the upstream had the request
    upstream_us: int | None  # until the upstream's head
    total_us: int
    bytes_in: int  # request body
    bytes_out: int  # response body
    shift_ns: int = 0  # by how much the clock was off real time: at_ns - shift_ns is real


class CounterChange(NamedTuple):
    """The value of one counter when its row went to the ledger: the last one that went there is what is stored."""

    key: str  # scope and identifier, opaque to the storage
    unit: str  # second, minute, hour, day, month, year, or another kind of limit
    start: int  # the window's start, Unix seconds
    value: int
    expires: int  # Unix seconds from which the row can be forgotten


class Counted(Protocol):
    """Counters that many requests of a batch change: they are read once, when the batch is handed to the writer.

    So what is stored holds all that the batch's rows have counted, and what calls in flight count already.
    """

    def changes(self) -> Iterable[CounterChange]:
        """The counters as they stand."""
        ...


Touched = CounterChange | Counted
