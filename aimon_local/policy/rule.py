"""What a plugin is: a schema, a place in the order, and a compiler from configuration to a Rule.

Phases, by the way of a request: ``access`` (may stop it), ``response`` (edits the answer's head), ``body`` (edits the
whole answer's body; asking for it buffers the answer), ``log`` (what is to be written elsewhere, once the request is
over).
A rule stopped or not, ``response`` and ``log`` of all rules on the route run, as Kong's do.

To add a plugin: one file in ``policy/plugins`` with a ``PLUGIN = PluginType(…)``, and one line in its ``ORDER``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aimon_local.model.schema import EntityRule, Field
from aimon_local.policy.call import BodyFilter, Call, Outcome, Refuse, ResponseDraft


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a plugin instance is attached: ids, None = not limited to one."""

    plugin_id: str
    route_id: str | None = None
    service_id: str | None = None
    consumer_id: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogOrder:
    """Something that a log rule wants written: the gateway's sinks do it."""

    sink: str  # "file" or "http"
    config: Mapping[str, Any]
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outline:
    """How a request ended, for ``log``: the same facts as its ledger row, and what only logs need."""

    status: int
    upstream_status: int | None
    started_ns: int
    gateway_us: int
    upstream_us: int | None
    total_us: int
    bytes_in: int  # with the head
    bytes_out: int  # with the head
    upstream: str | None  # "ip:port"
    request_fields: tuple[tuple[bytes, bytes], ...]
    response_fields: tuple[tuple[bytes, bytes], ...]
    reason: str | None = None  # why it was denied (policy.reasons)


class Meter(Protocol):
    """Reads an answer's body as it passes, and may take bytes out of it."""

    @property
    def ended(self) -> bool:
        """The answer is over by the meter's word: what it gave last is its end, the upstream is not needed."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Bytes of the upstream; the bytes to pass on now."""
        ...

    def rest(self) -> bytes:
        """The upstream's body is over: what was held back of it."""
        ...


class Rule:
    """One configured plugin instance, compiled. A phase that is not overridden costs nothing."""

    __slots__ = ()

    max_body: tuple[int, Refuse] | None = None
    """The most bytes of a request body, and the refusal of more: the shell counts bodies of undeclared length."""

    def access(self, call: Call) -> Outcome:
        """Look at the request before it goes upstream; a Refuse or an Answer stops it."""

    def peek(self, call: Call) -> Outcome:
        """What ``access`` would say, counting nothing: for a dry run, on a call that nobody sent. None: it would pass,
        or can't be known beforehand.
        """

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Edit the head of the answer."""

    def body(self, call: Call, draft: ResponseDraft) -> BodyFilter | None:
        """Ask for the whole answer's body: return the function that edits it, or None to let it stream."""

    def meter(self, call: Call, draft: ResponseDraft) -> Meter | None:
        """Ask to see the upstream's body bytes as they pass, without holding them up."""

    def settle(self, call: Call, complete: bool) -> None:
        """The request is over, exactly once for each that reached this rule: true up what ``access`` has held.

        ``complete`` is False where either side cut it. Changed counters go to ``call.touched``, facts for the ledger to
        ``call.notes``.
        """

    def log(self, call: Call, outline: Outline) -> LogOrder | None:
        """Say what is to be written elsewhere."""


@dataclass(frozen=True, slots=True)
class PluginType:
    """A kind of plugin: what Kong's ``handler.lua`` and ``schema.lua`` say of it."""

    name: str
    priority: int  # Kong's PRIORITY; shown by ``GET /``. The order is the literal list in policy/plugins
    config: Field  # the record "config"
    compile: Callable[[Mapping[str, Any], Scope], Rule]
    version: str = "3.9.3"
    no_consumer: bool = False  # authentication and cors can't be limited to a consumer
    checks: tuple[EntityRule, ...] = ()  # entity checks over the whole plugin entity, fields as "config.minute"
    protocols: tuple[str, ...] = ("grpc", "grpcs", "http", "https")
    protocols_one_of: tuple[str, ...] | None = None  # None: as ``protocols``
    warnings: Callable[[Mapping[str, Any]], Sequence[str]] = (
        lambda config: ()
    )  # what an operator should know of a config
