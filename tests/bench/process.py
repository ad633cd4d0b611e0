"""A process under measurement: started on one core, its CPU time and memory read from /proc, stopped by its id."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CORES: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0)))
LOAD_CORE, SYSTEM_CORE = CORES[0], CORES[-1]
_TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


class Process:
    """A child on a core of its own, with its output in a file."""

    def __init__(self, argv: Sequence[str], core: int, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.began = time.monotonic()
        self._log = log
        environment = {**os.environ, **(env or {}), "PYTHONPYCACHEPREFIX": str(log.parent.parent / "bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # people's second start does not compile
        with log.open("ab") as out:
            self._child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        os.sched_setaffinity(self._child.pid, {core})

    def ended(self) -> str | None:
        """What it said last, where it has ended already."""
        if self._child.poll() is None:
            return None
        return f"ended with {self._child.returncode}: {self._log.read_text(errors='replace')[-500:]}"

    def cpu_us(self) -> int:
        """User and system time so far, of it and its children."""
        total = 0
        for pid in self._family():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) * _TICK_US
        return total

    def peak_mib(self) -> float:
        """The most memory that it had at once."""
        total = 0
        for pid in self._family():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1])
        return total / 1024

    def stop(self) -> None:
        """End it; hard, where it does not listen."""
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _family(self) -> list[int]:
        """Its own id and those of its children (nginx works in one)."""
        pid = self._child.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]
