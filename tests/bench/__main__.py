"""How fast it is here: ``python -m tests.bench [names] [--rounds N] [--seconds N]`` prints the table of the README.

Load and upstream run on the first core, the system under test on the last one, so each figure is one of one core. The
systems take turns within a round; figures are medians over the rounds, ratios are taken within a round first, so that
other work on the machine hits both sides of them. CPU per request is the steadiest figure.
"""

import argparse
import importlib.util
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.load import drive
from tests.bench.process import SYSTEM_CORE, Process
from tests.bench.systems import SYSTEMS, System, until_ready, upstream

Row = dict[str, float]
_MANY = 64  # connections


def start(system: System, log: Path) -> tuple[Process, float]:
    """Provision it once where it needs that, then start it: the process, and milliseconds to its first 200."""
    if system.provision is not None:
        first = Process(system.argv, SYSTEM_CORE, log, system.env)
        try:
            system.provision()
        except RuntimeError as fault:
            raise RuntimeError(f"{fault}; {first.ended() or 'it still runs'}") from fault
        finally:
            first.stop()
    process = Process(system.argv, SYSTEM_CORE, log, system.env)
    try:
        return process, until_ready(system, process)
    except BaseException:
        process.stop()
        raise


def measure(name: str, work: Path, target: int, seconds: float) -> Row:
    """One system, once."""
    make = SYSTEMS[name]
    if make is None:
        return _loaded(name, target, None, seconds)
    work.mkdir()
    system = make(work, target)
    process, cold = start(system, work / "log")
    try:
        drive(system.port, _MANY, 1)
        row = _loaded(name, system.port, process, seconds)
        return {**row, "cold": cold, "rss": process.peak_mib()}
    finally:
        process.stop()


def _loaded(name: str, port: int, process: Process | None, seconds: float) -> Row:
    """What the load sees of it, alone and with many connections."""
    lone = drive(port, 1, seconds)
    before = process.cpu_us() if process else 0
    many = drive(port, _MANY, seconds)
    row = {"rps_1": lone.rps, "p50_1": lone.p50_us, "rps": many.rps, "p99": many.p99_us / 1000}
    if process:
        row["cpu"] = (process.cpu_us() - before) / max(1.0, many.requests)
    if lone.errors or many.errors:
        print(f"  {name}: {lone.errors + many.errors:.0f} answers were not 200", file=sys.stderr)
    return row


COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("requests/s, 1 connection", "rps_1", "{:.0f}"),
    (f"requests/s, {_MANY}", "rps", "{:.0f}"),
    ("added p50, µs, 1", "added", "{:.0f}"),
    (f"p99, ms, {_MANY}", "p99", "{:.1f}"),
    ("CPU, µs/request", "cpu", "{:.0f}"),
    ("peak RSS, MiB", "rss", "{:.0f}"),
    ("cold start, ms", "cold", "{:.0f}"),
)


def table(rounds: list[dict[str, Row]], names: list[str]) -> str:
    """The medians, and the ratio of requests/s to each reference that was measured."""
    references = [each for each in ("nginx", "pass-through", "full", "litellm") if each in names]
    titles = ["system", *(title for title, _, _ in COLUMNS), *(f"to {each}" for each in references)]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for name in names:
        cells = [name]
        cells += [_cell(form, [each[name].get(key) for each in rounds if name in each]) for _, key, form in COLUMNS]
        cells += [_cell("{:.2f}", [_ratio(each, name, reference) for each in rounds]) for reference in references]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(form: str, values: list[float | None]) -> str:
    there = [each for each in values if each is not None]
    return form.format(statistics.median(there)) if there else "-"


def _ratio(results: dict[str, Row], name: str, reference: str) -> float | None:
    if name not in results or reference not in results:
        return None
    return results[name]["rps"] / results[reference]["rps"]


def _available(name: str) -> bool:
    if name in ("nginx", "litellm"):
        return shutil.which(name) is not None
    return "uvloop" not in name or importlib.util.find_spec("uvloop") is not None


def _rounds(names: list[str], count: int, seconds: float, say: Callable[[str], None]) -> list[dict[str, Row]]:
    out: list[dict[str, Row]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        work.chmod(0o755)
        (work / "up").mkdir()
        target, process = upstream(work / "up")
        try:
            for number in range(count):
                results: dict[str, Row] = {}
                for place, name in enumerate(random.sample(names, len(names))):
                    say(f"round {number + 1}/{count}: {name}")
                    results[name] = measure(name, work / f"{number}-{place}", target.port, seconds)
                direct = results.get("direct")
                for row in results.values() if direct else ():
                    row["added"] = row["p50_1"] - direct["p50_1"] if direct else 0.0
                out.append(results)
        finally:
            process.stop()
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(SYSTEMS)} (all that can run here)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    options = parser.parse_args()
    names = options.names or [each for each in SYSTEMS if _available(each)]
    unknown = [each for each in names if each not in SYSTEMS]
    if unknown or not sys.platform.startswith("linux"):
        parser.error(f"unknown: {', '.join(unknown)}" if unknown else "it reads /proc and pins cores: Linux only")
    rounds = _rounds(names, options.rounds, options.seconds, lambda line: print(line, file=sys.stderr))
    tool = "wrk" if shutil.which("wrk") else "own load driver"
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    print(f"{time.strftime('%Y-%m-%d')}; {machine}; {tool}; {options.rounds} rounds of {options.seconds} s\n")
    print(table(rounds, names))


if __name__ == "__main__":
    main()
