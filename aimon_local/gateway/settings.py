"""What the operator can set of the running gateway; ``config`` reads it from aimon.toml, ``cli`` from options."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The gateway's own settings. Ports: 0 = any free one, None = do not listen."""

    data: Path  # the data directory
    host: str = "127.0.0.1"
    proxy_port: int = 8000
    admin_port: int = 8001
    upstream_port: int | None = 5000
    credentials: str = "hashed"  # or "plaintext", Kong's way
    admin_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()  # further names by which the Admin API may be called
    empty: bool = False  # no demo on the first start
    allow_unarmed: bool = False  # start though a tier of aimon.toml has a rule that can't act
    http: str = "auto"  # or "h11": without the fast scanner
    synchronous: str = "normal"  # or "full": survives a power cut too
    buffer_bytes: int = 1 << 20  # request_buffering gathers bodies up to this bound, larger ones stream
    filter_bytes: int = 8 << 20  # an answer that rules edit whole may be this large; more is 502
    gather_bytes: int = 8 << 20  # what a rule that must see a whole body may make us keep; more is 413
    upstream_concurrency: int | None = None  # requests at once per service; None: no bound; a service's tag goes before
    queue_length: int = 100  # requests that wait for a busy service, per tier
    queue_seconds: float = 10.0  # how long, where the tier does not say
    failover_5xx: bool = True  # calls of a tier leave a target that answers 5xx for another, where that is safe
    push_url: str | None = None  # the ledger's rows go there as they are committed; see gateway.push
    push_format: str = "cloudevents"
    push_batch: int = 100  # rows of one POST
    alert_percent: tuple[int, ...] = (80, 100)  # of a limit, at which it is told; none: no alerts
    alert_webhook: str | None = None  # alerts go there, see gateway.alert_hook
    alert_file: str | None = None  # and there, a line of JSON each
    otel_endpoint: str | None = None  # OTLP over HTTP, its base; see gateway.telemetry
    stop_seconds: float = 10.0  # a graceful stop waits this long for what is in flight
