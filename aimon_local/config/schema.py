"""aimon.toml as it may be written: sections, keys, what each may hold. Literal tables, no reading, no defaults.

A key that is not given is None, so that an option of the command line goes before the file and the file before the
program's own default, which stands where it is used (``gateway.settings``, ``wire.limits``); the names are the same.
To add a key: one line here, and the field of that name there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


def _key(kind: type, doc: str, **rules: Any) -> Any:
    """A key: its type in TOML, one line for people, and ``one_of`` or ``between`` (both ends allowed)."""
    return field(default=None, metadata={"kind": kind, "doc": doc, **rules})


def _port(doc: str) -> Any:
    return _key(int, f"{doc} 0: any free one.", between=(0, 65535))


def _bytes(doc: str) -> Any:
    return _key(int, doc, between=(1024, 1 << 40))


def _seconds(doc: str) -> Any:
    return _key(float, doc, between=(0.1, 86400))


@dataclass(frozen=True, slots=True)
class GatewaySection:
    """``[gateway]``: where it listens, where it keeps what it knows."""

    data: str | None = _key(str, "The data directory.")
    host: str | None = _key(str, "The address to listen at; elsewhere than on loopback admin_token is needed.")
    proxy_port: int | None = _port("The proxy.")
    admin_port: int | None = _port("The Admin API.")
    upstream_port: int | None = _port("The built-in upstream.")
    credentials: str | None = _key(
        str, "How API keys are kept; plaintext is Kong's way.", one_of=("hashed", "plaintext")
    )
    admin_token: str | None = _key(str, "What the Admin API asks for.")
    allowed_hosts: tuple[str, ...] | None = _key(tuple, "Further names by which the Admin API may be called.")
    empty: bool | None = _key(bool, "No demo on the first start.")
    http: str | None = _key(str, "h11: without the fast scanner.", one_of=("auto", "h11"))
    synchronous: str | None = _key(
        str, "full: the ledger survives a power cut too, at 0.1 ms and more a commit.", one_of=("normal", "full")
    )
    log_format: str | None = _key(str, "Of stdout.", one_of=("text", "json"))
    buffer_bytes: int | None = _bytes("request_buffering gathers bodies up to this bound, larger ones stream.")
    gather_bytes: int | None = _bytes("What a rule that must see a whole body may make us keep; more is 413.")
    upstream_concurrency: int | None = _key(
        int, "Requests at once per service, others wait; the service's own tag goes before.", between=(1, 1_000_000)
    )
    queue_length: int | None = _key(int, "Requests that wait for a busy service, per tier.", between=(0, 1_000_000))
    queue_seconds: float | None = _seconds("How long they wait, where the tier does not say.")
    failover_5xx: bool | None = _key(bool, "Calls of a tier leave a target that answers 5xx for another, where safe.")
    push_url: str | None = _key(str, "The ledger's rows go there as CloudEvents, at least once each.")
    push_format: str | None = _key(str, "Of what is pushed.", one_of=("cloudevents", "openmeter"))
    push_batch: int | None = _key(int, "Rows of one POST.", between=(1, 1000))
    alert_percent: tuple[int, ...] | None = _key(
        tuple, "Shares of a tier's limit at which an alert is told; an empty list: none.", each=int, between=(1, 1000)
    )
    alert_webhook: str | None = _key(str, "Alerts are posted there as JSON, at least once each.")
    alert_file: str | None = _key(str, "Alerts are written there, a line of JSON each.")
    otel_endpoint: str | None = _key(str, "Traces and metrics go there, by OTLP over HTTP (the extra otel).")
    stop_seconds: float | None = _seconds("A graceful stop waits this long for what is in flight.")


@dataclass(frozen=True, slots=True)
class LimitsSection:
    """``[limits]``: bounds of each client connection."""

    head_bytes: int | None = _bytes("A head; more is 431.")
    target_bytes: int | None = _bytes("A request's target; more is 414.")
    fields: int | None = _key(int, "Header fields; more is 431.", between=(8, 10_000))
    max_body: int | None = _bytes("A request's body; more is 413.")
    connections: int | None = _key(int, "Connections at a time.", between=(1, 1_000_000))
    head_seconds: float | None = _seconds("For a whole head, however slowly it comes; then 408.")
    idle_seconds: float | None = _seconds("Between two requests of a connection.")
    body_seconds: float | None = _seconds("Between two pieces of a body; then 408.")
    stalled_seconds: float | None = _seconds("For a client that takes nothing of its answer.")


@dataclass(frozen=True, slots=True)
class Config:
    """A whole aimon.toml."""

    gateway: GatewaySection = GatewaySection()
    limits: LimitsSection = LimitsSection()
    offers: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # tiers, price plans, prices: see config.offers


SECTIONS: Mapping[str, type[GatewaySection] | type[LimitsSection]] = {
    "gateway": GatewaySection,
    "limits": LimitsSection,
}


def given(section: GatewaySection | LimitsSection) -> dict[str, Any]:
    """The keys of a section that are set."""
    found = {f.name: getattr(section, f.name) for f in fields(section)}
    return {name: value for name, value in found.items() if value is not None}


def rules_of(section: str) -> dict[str, Mapping[str, Any]]:
    """The keys that a section may hold, each with its ``kind``, ``doc`` and rules."""
    return {f.name: f.metadata for f in fields(SECTIONS[section])}


def check(rules: Mapping[str, Any], value: Any) -> str | None:
    """What is wrong with a value that TOML gave; None: nothing."""
    kind: type = rules["kind"]
    if kind is tuple:
        return _check_list(rules, value)
    allowed = (int, float) if kind is float else (kind,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        return f"must be {_NAMES[kind]}"
    if "one_of" in rules and value not in rules["one_of"]:
        return f"must be one of {', '.join(rules['one_of'])}"
    if "between" in rules and not rules["between"][0] <= value <= rules["between"][1]:
        return "must be between {} and {}".format(*rules["between"])
    return "must not be empty" if value == "" else None


def _check_list(rules: Mapping[str, Any], value: Any) -> str | None:
    each: type = rules.get("each", str)
    if not isinstance(value, list) or any(type(one) is not each for one in value):
        return "must be a list of " + {str: "strings", int: "whole numbers"}[each]
    low, high = rules.get("between", (0, 0))
    if each is int and not all(low <= one <= high for one in value):
        return f"must be whole numbers between {low} and {high}"
    return None


_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
