"""How a run shows that it goes on: a bar per actor on a terminal, else a line each few seconds. On stderr."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from aimon_local.scenario.progress import ActorProgress, Progress

if TYPE_CHECKING:
    from aimon_local.scenario.play import OnProgress
    from aimon_local.scenario.script import Script

_WIDTH = 24
_BARS, _LINES = 0.1, 5.0  # seconds between two pictures


@contextmanager
def shown(script: "Script", out: TextIO | None = None, as_json: bool = False) -> "Iterator[OnProgress]":
    """Progress on ``out`` while a script runs; ``as_json``: a line of JSON each, for programs that show it."""
    out = out or sys.stderr
    screen = _Json(out) if as_json else _Screen(out) if out.isatty() else _Log(out)
    try:
        yield screen.show
    finally:
        screen.end()


class _Log:
    """Lines."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._last = out, time.monotonic()

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _LINES:
            self._last = now
            done = ", ".join(f"{actor.name} {actor.done}/{whole(actor)}" for actor in progress.actors)
            self._out.write(f"{progress.script}: {progress.seconds:.0f} s: {done}\n")
            self._out.flush()

    def end(self) -> None:
        """Nothing stays to be done."""


class _Json:
    """The values themselves."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._last = out, 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _BARS or all(actor.over for actor in progress.actors):
            self._last = now
            self._out.write(json.dumps(asdict(progress)) + "\n")
            self._out.flush()

    def end(self) -> None:
        """Nothing stays to be done."""


class _Screen:
    """Bars that are drawn over the ones before."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._last, self._drawn = out, 0.0, 0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _BARS or all(actor.over for actor in progress.actors):
            self._last = now
            self._draw([bar(actor) for actor in progress.actors])

    def _draw(self, lines: list[str]) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def end(self) -> None:
        """The bars go, the report stays."""
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}A\x1b[J")
            self._out.flush()


def whole(actor: ActorProgress) -> str:
    """How many iterations there will be."""
    return "?" if actor.expected is None else str(max(actor.expected, actor.begun))


def bar(actor: ActorProgress) -> str:
    """An actor as a line."""
    most = max(actor.expected or 0, actor.begun, 1)
    full = _WIDTH if actor.over else min(_WIDTH, _WIDTH * actor.done // most) if actor.expected else 0
    refused = "".join(f"  {word}: {count}" for word, count in sorted(actor.refused.items()))
    late = f"  late: {actor.late}" if actor.late else ""
    line = f"{actor.name[:20]:<20} [{'=' * full:<{_WIDTH}}] {actor.done}/{whole(actor)}  in flight: {actor.in_flight}"
    return line + refused + late
