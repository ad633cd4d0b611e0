"""The nouns of a script: who calls (actors), what they send (steps), what happens meanwhile (events), what must hold.

Values alone: ``read`` makes them from TOML, ``plan`` and ``drive`` act on them. Times in seconds, rates per second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aimon_local.scenario.amounts import Draw

EXECUTORS = ("constant-arrival-rate", "ramping-arrival-rate", "constant-vus", "per-vu-iterations", "replay")
OPEN = ("constant-arrival-rate", "ramping-arrival-rate", "replay")
"""Executors that send by the clock, whatever the answers do: what is late is reported, never left out."""
CLIENTS = ("naive", "sdk", "storm")
"""How an actor takes a refusal: as the answer; as official SDKs do (Retry-After, jitter); again at once."""
KEYS = ("own", "none", "wrong")
CARRY = ("X-Aimon-Run", "X-Aimon-Depth")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Expect:
    """What an answer must be: empty parts are not looked at."""

    status: tuple[str, ...] = ()  # "200", "2xx"
    reason: tuple[str, ...] = ()  # of the ledger's row; "" = not denied
    headers: Headers = ()  # value: a regular expression that must be found
    absent: tuple[str, ...] = ()  # fields that must not be there
    body: str = ""  # a regular expression that must be found


@dataclass(frozen=True, slots=True)
class Spawn:
    """Children that a step's answer starts: so many at once run the named step, down so many levels."""

    step: str
    count: int
    levels: int


@dataclass(frozen=True, slots=True)
class Step:
    """One request of an iteration. ``path`` may be "" where ``dialect`` has its own."""

    name: str
    method: str = "POST"
    path: str = ""
    dialect: str = ""  # see ``bodies.DIALECTS``; "" = plain
    model: str = ""
    prompt: str = ""
    prompt_tokens: Draw | None = None
    max_tokens: Draw | None = None
    stream: bool = False
    tools: tuple[str, ...] = ()
    body: str = ""
    headers: Headers = ()
    expect: Expect | None = None
    repeat: int = 1
    think: Draw | None = None  # pause after it
    leave_after: float | None = None  # seconds after which the client goes away
    leave_after_chunks: int = 0  # … or after so many events of a stream
    spawn: Spawn | None = None
    only_spawned: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A rate that is reached after some time, in a straight line from the one before."""

    target: float
    duration: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call of a replay."""

    at: float
    step: Step


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who calls, or many alike (``vus``, ``consumers``)."""

    name: str
    executor: str
    steps: tuple[Step, ...] = ()
    rate: float = 0.0
    arrivals: str = "even"  # or "poisson"
    start_rate: float = 0.0
    stages: tuple[Stage, ...] = ()
    duration: float = 0.0
    vus: int = 1
    iterations: int = 1
    think: Draw | None = None  # pause between iterations
    start: float = 0.0
    after: tuple[str, ...] = ()  # actors and events that must be over
    phase: str = ""
    tier: str = ""
    consumer: str = ""
    consumers: int = 1
    same_as: str = ""  # another actor, whose consumers and keys it uses
    key: str = "own"
    client: str = "naive"
    retries: int = 0
    max_in_flight: int = 1000
    timeout: float = 60.0
    carry: tuple[str, ...] = CARRY
    data: tuple[Mapping[str, str], ...] = ()
    calls: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the gateway or its upstream at a time, or after others are over."""

    name: str
    do: str  # see ``happenings.KINDS``
    at: float = 0.0
    after: tuple[str, ...] = ()
    phase: str = ""  # calls from then on are of this phase, where their actor names none
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that is made for the run. ``on``: "service", "tier:NAME" or "actor:NAME"."""

    name: str
    on: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Threshold:
    """``metric{tag:value,…}`` and what must hold of it: ``count==5``, ``p(95)<200``."""

    metric: str
    tags: tuple[tuple[str, str], ...]
    word: str  # count, rate, sum, avg, min, max, med, value, p
    quantile: float
    operator: str
    bound: float
    text: str  # as it was written


@dataclass(frozen=True, slots=True)
class Order:
    """Selectors of calls or events that come one after the other: ``first`` of each, or all of one before the next."""

    selectors: tuple[Mapping[str, str], ...]
    first: bool
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """A whole case. Rows of tiers, plans and prices are as ``config.offers`` reads them."""

    name: str
    about: str
    actors: tuple[Actor, ...]
    seed: int = 1
    virtual: bool = False  # only sensible in virtual time
    clock: str = ""  # RFC 3339: what the gateway's clock says at the start
    route: str = ""  # a path of the gateway to call; "" = a service and route are made for the run
    offers: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    plugins: tuple[Plugin, ...] = ()
    service: Mapping[str, Any] = field(default_factory=dict)  # fields of the service that is made
    mock: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    orders: tuple[Order, ...] = ()
