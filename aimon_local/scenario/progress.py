"""How far a run is: values for whoever shows it (the command line, a TUI)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActorProgress:
    """One actor. ``expected`` None: it depends on the answers. ``refused``: by the answers' own words."""

    name: str
    expected: int | None  # iterations
    begun: int
    done: int
    sent: int  # requests
    in_flight: int
    late: int  # requests that were sent 10 ms or more after their time
    refused: Mapping[str, int]
    over: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole run; ``seconds`` in the driver's time, ``holds``: thresholds so far, by what clients saw alone."""

    script: str
    seconds: float
    actors: tuple[ActorProgress, ...]
    holds: tuple[tuple[str, bool], ...] = ()
    event: str = ""  # the last one
