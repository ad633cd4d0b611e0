"""Durations, rates and distributions as scripts write them. Pure; ValueError says what would be right.

A distribution is a ``Draw``: one number, or a table of one key that names its kind. To add a kind: a line in ``KINDS``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)?(ms|s|m|h|d|w)")


def is_number(value: Any) -> bool:
    """A finite number of TOML, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def seconds(value: Any) -> float:
    """``90``, ``"250ms"``, ``"1h30m"`` → seconds."""
    if is_number(value) and value >= 0:
        return float(value)
    parts = _PART.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError("must be a duration: seconds, or such as 250ms, 10s, 1h30m, 1d")
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def rate(value: Any) -> float:
    """``10`` (a second), ``"600/m"``, ``"100/24h"`` → iterations a second."""
    if is_number(value) and value >= 0:
        return float(value)
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not float(found[2] or 1):
        raise ValueError("must be a rate: a number a second, or such as 10/s, 600/m, 5000/d")
    return float(found[1]) / (float(found[2] or 1) * _UNITS[found[3]])


@dataclass(frozen=True, slots=True)
class Draw:
    """A number that is drawn for each use; ``kind`` is one of ``KINDS``."""

    kind: str
    values: tuple[float, ...]

    def least(self) -> float:
        """The smallest number that it can give."""
        return 0.0 if self.kind in ("normal", "lognormal", "exponential") else min(self.values)


def fixed(value: float) -> Draw:
    """Always the same number."""
    return Draw("fixed", (float(value),))


def draw(of: Draw, chance: Random, turn: int = 0) -> float:
    """A number, never negative; ``turn`` counts the uses within one virtual user, for ``grow``."""
    return max(0.0, KINDS[of.kind].make(chance, turn, of.values))


@dataclass(frozen=True, slots=True)
class _Kind:
    """How many values it takes (None: any), what they are, and the number that comes of them."""

    size: int | None
    words: str
    make: Callable[[Random, int, tuple[float, ...]], float]


def _grow(_: Random, turn: int, values: tuple[float, ...]) -> float:
    try:
        return min(values[0] * values[1] ** turn, 1e9)
    except OverflowError:
        return 1e9


KINDS: Mapping[str, _Kind] = {
    "fixed": _Kind(1, "the number", lambda chance, turn, v: v[0]),
    "uniform": _Kind(2, "least and most", lambda chance, turn, v: chance.uniform(v[0], v[1])),
    "normal": _Kind(2, "mean and deviation", lambda chance, turn, v: chance.gauss(v[0], v[1])),
    "lognormal": _Kind(
        2, "median and sigma", lambda chance, turn, v: v[0] * math.exp(min(50.0, chance.gauss(0.0, v[1])))
    ),
    "exponential": _Kind(1, "the mean", lambda chance, turn, v: v[0] * chance.expovariate(1.0)),
    "choice": _Kind(None, "the numbers to choose from", lambda chance, turn, v: chance.choice(v)),
    "grow": _Kind(2, "start and factor, turn by turn", _grow),
}
"""Distributions: name → how many values it takes, what they are, how a number is drawn."""


def distribution(value: Any, read: Callable[[Any], float]) -> Draw:
    """A ``Draw`` from TOML; ``read`` reads each number (a duration, a count)."""
    if not isinstance(value, Mapping):
        return fixed(read(value))
    names = ", ".join(name for name in KINDS if name != "fixed")
    if len(value) != 1 or next(iter(value)) not in KINDS:
        raise ValueError(f"must be a number, or a table with one of: {names}")
    kind, given = next(iter(value.items()))
    numbers = given if isinstance(given, list) else [given]
    size = KINDS[kind].size
    if not numbers or (size is not None and len(numbers) != size):
        raise ValueError(f"{kind} takes {KINDS[kind].words}")
    return Draw(kind, tuple(read(number) for number in numbers))
