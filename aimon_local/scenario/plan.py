"""When and what: arrival times of open-model actors, and the requests of each iteration. Pure and seeded.

The same seed gives the same plan, whatever the answers are and however fast the machine is: all chance of an iteration
comes from the seed, the actor's name and the iteration's number.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from aimon_local.scenario.amounts import draw
from aimon_local.scenario.bodies import body_of, prompt_of
from aimon_local.scenario.script import Actor, Headers, Stage, Step

_NAME = re.compile(r"\$\{([\w-]+)\}")


def chance_of(seed: int, *about: object) -> Random:
    """The chance of one thing: of an actor's arrivals, of an iteration."""
    return Random("/".join(map(str, (seed, *about))))


# ---- arrivals


def arrivals(actor: Actor, seed: int) -> Iterator[float]:
    """Times, from the actor's start, at which iterations begin; of an open-model actor."""
    return _ARRIVALS[actor.executor](actor, chance_of(seed, actor.name, "arrivals"))


def expected(actor: Actor) -> int | None:
    """How many iterations there will be, about; None: that depends on the answers."""
    if actor.executor == "per-vu-iterations":
        return actor.vus * actor.iterations
    if actor.executor == "replay":
        return len(actor.calls)
    if actor.executor == "constant-arrival-rate":
        return math.ceil(actor.rate * actor.duration)
    if actor.executor == "ramping-arrival-rate":
        rates = [actor.start_rate, *(stage.target for stage in actor.stages)]
        return math.ceil(sum((rates[at] + stage.target) / 2 * stage.duration for at, stage in enumerate(actor.stages)))
    return None


def _constant(actor: Actor, chance: Random) -> Iterator[float]:
    stage = Stage(actor.rate, actor.duration)
    return _timed(actor.rate, (stage,), _counts(actor, chance))


def _ramping(actor: Actor, chance: Random) -> Iterator[float]:
    return _timed(actor.start_rate, actor.stages, _counts(actor, chance))


def _replay(actor: Actor, _: Random) -> Iterator[float]:
    return (call.at for call in actor.calls)


_ARRIVALS: Mapping[str, Callable[[Actor, Random], Iterator[float]]] = {
    "constant-arrival-rate": _constant,
    "ramping-arrival-rate": _ramping,
    "replay": _replay,
}


def _counts(actor: Actor, chance: Random) -> Iterator[float]:
    """How much of the integral of the rate has passed at each arrival: 0, 1, 2, …, or with exponential gaps."""
    poisson = actor.arrivals == "poisson"
    gaps = (chance.expovariate(1.0) if poisson else 1.0 for _ in iter(int, 1))
    return accumulate(gaps, initial=chance.expovariate(1.0) if poisson else 0.0)


def _timed(rate: float, stages: tuple[Stage, ...], counts: Iterator[float]) -> Iterator[float]:
    """The times at which the integral of a rate, linear in each stage, reaches the counts."""
    began = passed = 0.0
    wanted = next(counts)
    for stage in stages:
        slope = (stage.target - rate) / stage.duration if stage.duration else 0.0
        whole = (rate + stage.target) / 2 * stage.duration
        while wanted < passed + whole - 1e-9:
            yield began + _moment(max(0.0, wanted - passed), rate, slope)
            wanted = next(counts)
        began, passed, rate = began + stage.duration, passed + whole, stage.target


def _moment(area: float, rate: float, slope: float) -> float:
    """When a rate that grows by ``slope`` has an integral of ``area``: rate·t + slope/2·t² = area."""
    if abs(slope) < 1e-12:
        return area / rate if rate else 0.0
    root = math.sqrt(max(0.0, rate * rate + 2 * slope * area))
    return 2 * area / (rate + root) if rate + root else 0.0


# ---- iterations


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready but for the address and the key."""

    step: Step
    path: str
    model: str
    headers: Headers
    body: bytes
    pause: float  # seconds after it


@dataclass(frozen=True, slots=True)
class Turn:
    """Who an iteration is: ``number`` within the actor, ``vu`` and ``turn`` within that virtual user."""

    number: int
    vu: int = 0
    turn: int = 0


def iteration(actor: Actor, seed: int, turn: Turn) -> Iterator[Call]:
    """The requests of an iteration, in order; those that others spawn are left out."""
    chance = chance_of(seed, actor.name, turn.number)
    for step in actor.steps:
        for again in range(0 if step.only_spawned else step.repeat):
            yield call_of(actor, step, chance, turn, again)


def spawned(actor: Actor, seed: int, turn: Turn, step: Step, place: tuple[int, ...]) -> Call:
    """A child's request; ``place`` is its way from the root: which child of which child."""
    return call_of(actor, step, chance_of(seed, actor.name, turn.number, *place), turn, len(place))


def recorded(actor: Actor, seed: int, turn: Turn) -> Call:
    """The request of a replay's call."""
    step = actor.calls[turn.number].step
    return call_of(actor, step, chance_of(seed, actor.name, turn.number), turn, 0)


def think(actor: Actor, seed: int, turn: Turn) -> float:
    """Seconds between an iteration and the next one of its virtual user."""
    if actor.think is None:
        return 0.0
    return draw(actor.think, chance_of(seed, actor.name, turn.number, "think"), turn.turn)


def call_of(actor: Actor, step: Step, chance: Random, turn: Turn, again: int) -> Call:
    """A step with its parameters."""
    known = {
        "actor": actor.name,
        "iteration": str(turn.number),
        "vu": str(turn.vu),
        "turn": str(turn.turn),
        "again": str(again),
        **(actor.data[turn.number % len(actor.data)] if actor.data else {}),
    }
    model = filled(step.model, known)
    headers = tuple((name, filled(value, known)) for name, value in step.headers)
    body = _body(step, model, known, chance, turn.turn * step.repeat + again)
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers += (("Content-Type", "application/json"),)
    pause = 0.0 if step.think is None else draw(step.think, chance, turn.turn)
    return Call(step, filled(step.path, known), model, headers, body, pause)


def _body(step: Step, model: str, known: Mapping[str, str], chance: Random, use: int) -> bytes:
    if not step.dialect:
        return filled(step.body, known).encode()
    most = None if step.max_tokens is None else round(draw(step.max_tokens, chance, use))
    if step.prompt_tokens is not None:
        sized = prompt_of(round(draw(step.prompt_tokens, chance, use)), chance)
        prompt = f"{filled(step.prompt, known)} {sized}" if step.prompt else sized
    else:
        prompt = filled(step.prompt, known) or "Say in one line what a gateway is for."
    return body_of(step.dialect, model, prompt, most, step.stream, step.tools)


def filled(text: str, known: Mapping[str, str]) -> str:
    """``${name}`` replaced; a name that is not known stays as it is."""
    return _NAME.sub(lambda found: known.get(found[1], found[0]), text) if "${" in text else text
