"""Scenarios from inside the dashboard: ``aimon-local run`` as a child process, read line by line. No Textual.

The child says how far it is as lines of JSON on stderr and gives its report on stdout, the same as for CI; its exit
code is the verdict. What it said is a value (``Playing``) that is swapped in one step.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

Progress = Mapping[str, Any]


def program() -> list[str]:
    """This program, as a command: the interpreter with the package, or the one binary that it was made into."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "aimon_local"]


@dataclass(frozen=True, slots=True)
class Script:
    """One that can be played."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Playing:
    """What became of a run so far. ``reports``: of scripts that are over; ``code``: the exit code, once it ended."""

    names: tuple[str, ...] = ()
    progress: Mapping[str, Progress] | None = None  # by script
    reports: tuple[Mapping[str, Any], ...] = ()
    said: tuple[str, ...] = ()  # what was no progress
    code: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return bool(self.names) and self.code is None


def told(playing: Playing, line: str) -> Playing:
    """A line of stderr."""
    try:
        found = json.loads(line)
        name = found["script"]
    except (ValueError, KeyError, TypeError):
        return replace(playing, said=(*playing.said[-20:], line)) if line else playing
    return replace(playing, progress={**(playing.progress or {}), name: found})


def ended(playing: Playing, out: str, code: int) -> Playing:
    """The report and the verdict."""
    try:
        reports = tuple(json.loads(out)) if out.strip() else ()
    except ValueError:
        reports = ()
    return replace(playing, reports=reports, code=code)


def scripts() -> list[Script]:
    """Those that come along, as the command lists them."""
    done = subprocess.run([*program(), "run"], capture_output=True, text=True, timeout=30, check=False)
    pairs = (line.split(None, 1) for line in done.stdout.splitlines() if line.strip())
    return [Script(pair[0], pair[1] if len(pair) > 1 else "") for pair in pairs]


class Player:
    """One run at a time. ``changed`` is called on the reader's thread."""

    def __init__(self, options: Sequence[str], token: str | None, changed: Callable[[], None]) -> None:
        self._options, self._changed = options, changed
        self.environ = {**os.environ, **({"AIMON_LOCAL_TOKEN": token} if token else {})}
        self._child: subprocess.Popen[str] | None = None
        self.playing = Playing()

    def start(self, names: Sequence[str]) -> None:
        """Play some; nothing where a run goes on."""
        if self.playing.runs:
            return
        command = [*program(), "run", *names, *self._options, "--json", "--progress-json"]
        self.playing = Playing(tuple(names))
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environ,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self._child,), name="scenario", daemon=True).start()

    def _read(self, child: "subprocess.Popen[str]") -> None:
        out: list[str] = []
        assert child.stdout is not None, "it was asked for"
        assert child.stderr is not None, "it was asked for"
        stdout = child.stdout
        reader = threading.Thread(target=lambda: out.append(stdout.read()), daemon=True)
        reader.start()
        with child.stderr as said:
            for line in said:
                self.playing = told(self.playing, line.strip())
                self._changed()
        code = child.wait()
        reader.join()
        stdout.close()
        self.playing = ended(self.playing, "".join(out), code)
        self._changed()

    def stop(self) -> None:
        """End the traffic; the report of what was still comes (a second time: end it at once)."""
        child = self._child
        if child is not None and child.poll() is None:
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)

    def close(self) -> None:
        """The dashboard goes: so does the run."""
        child = self._child
        if child is not None and child.poll() is None:
            self.stop()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
