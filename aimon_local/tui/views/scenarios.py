"""Scripts, how far a run is, what held: lines of what is seen. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui import lines
from aimon_local.tui.lines import Column, Line, Signs, clean
from aimon_local.tui.play import Playing, Script

SCRIPTS = (Column("SCENARIO", 24, 0), Column("LAST", 10, 1), Column("WHAT IT SHOWS", 40, 2, grows=True))
ACTORS = (
    Column("ACTOR", 16, 0, grows=True),
    Column("", 20, 2),
    Column("DONE", 13, 0, right=True),
    Column("SENT", 6, 1, right=True),
    Column("IN FLIGHT", 9, 4, right=True),
    Column("REFUSED", 24, 3, grows=True),
)


def scripts(some: Sequence[Script], playing: Playing, width: int, signs: Signs) -> tuple[Line, list[Line]]:
    """Heading and a line for each."""
    places = lines.chosen(SCRIPTS, width)
    made = [
        lines.row(
            SCRIPTS,
            places,
            [(clean(each.name), "bold"), _last(each.name, playing, signs), clean(each.about)],
            signs.cut,
        )
        for each in some
    ]
    return lines.heading(SCRIPTS, places, signs.cut), made


def _last(name: str, playing: Playing, signs: Signs) -> lines.Piece:
    report = next((each for each in playing.reports if each["script"] == name), None)
    if report is not None:
        passed = report["passed"]
        return (f"{signs.ok} passed", "ok") if passed else (f"{signs.deny} failed", "deny")
    if playing.runs and name in playing.names:
        return (f"{signs.arrow} runs", "near") if name in (playing.progress or {}) else ("waits", "dim")
    return ("", "dim")


def run(playing: Playing, width: int, signs: Signs) -> list[Line]:
    """The run: each script's actors and thresholds, or its report."""
    if not playing.names:
        return [
            (),
            (("  x runs the marked scenario against this gateway, X all of them, comma stops.", "bold"),),
            (("  The same, without the dashboard:  aimon-local run lab-free-vs-pro", "key"),),
        ]
    out: list[Line] = []
    over = {each["script"]: each for each in playing.reports}
    for name in reversed([name for name in playing.names if name in (playing.progress or {}) or name in over]):
        out += _report(over[name], width, signs) if name in over else _progress(playing, name, width, signs)
    if not out and playing.runs:
        out.append(
            (
                (
                    f" {clean(playing.names[0])}: setting up, or in virtual time on a gateway of its own {signs.cut}",
                    "near",
                ),
            )
        )
    if playing.code not in (None, 0, 1):
        out.append(((f" {signs.deny} it could not be run (exit code {playing.code})", "deny"),))
        out += [((f"   {clean(line)}", "text"),) for line in playing.said]
    return out


def _progress(playing: Playing, name: str, width: int, signs: Signs) -> list[Line]:
    found = (playing.progress or {})[name]
    places = lines.chosen(ACTORS, width - 2)
    out: list[Line] = [((f" {clean(name)}", "title"), (f"  {found['seconds']:.1f} s  {clean(found['event'])}", "dim"))]
    out.append(((" ", "text"), *lines.heading(ACTORS, places, signs.cut)))
    out += [((" ", "text"), *_actor(each, places, signs)) for each in found["actors"]]
    out += [_held(text, holds, signs, "so far" if playing.runs else "") for text, holds in found["holds"]]
    return out


def _actor(actor: Mapping[str, Any], places: Sequence[tuple[int, int]], signs: Signs) -> Line:
    expected = actor["expected"]
    whole = max(expected or 0, actor["begun"], 1)
    refused = " ".join(f"{clean(word)}:{count}" for word, count in actor["refused"].items())
    cells: list[lines.Cell] = [
        (clean(actor["name"]), "bold"),
        ((signs.bar * round(20 * actor["done"] / whole)).ljust(20, signs.track), "bar"),
        f"{actor['done']}/{'?' if expected is None else whole}{' ' + signs.ok if actor['over'] else ''}",
        str(actor["sent"]),
        str(actor["in_flight"]),
        (refused, "deny"),
    ]
    return lines.row(ACTORS, places, cells, signs.cut)


def _report(report: Mapping[str, Any], width: int, signs: Signs) -> list[Line]:
    word = "interrupted" if report["interrupted"] else "passed" if report["passed"] else "failed"
    sign = signs.ok if report["passed"] else signs.deny
    held = sum(each["holds"] for each in report["checks"])
    out: list[Line] = [
        (
            (f" {sign} {clean(report['script'])} {word}", "ok" if report["passed"] else "deny"),
            (f"  {held} of {len(report['checks'])} hold, seed {report['seed']}, {report['seconds']:.1f} s", "text"),
        )
    ]
    for each in report["checks"]:
        value = "" if each["value"] is None else f"{each['value']:.6g} {each['unit']}"
        out.append(_held(each["text"], each["holds"], signs, f"{value} {each['why']}".strip()))
    for name, actor in report["actors"].items():
        statuses = " ".join(f"{status}:{count}" for status, count in actor["by_status"].items())
        reasons = " ".join(f"{clean(reason)}:{count}" for reason, count in actor["by_reason"].items())
        line = f"   {clean(name):<16} {actor['requests']} sent  {clean(statuses)}"
        out.append(((line, "text"), (f"  {reasons}", "deny")))
    return out


def _held(text: str, holds: bool, signs: Signs, more: str) -> Line:
    sign = (f"   {signs.ok} ", "ok") if holds else (f"   {signs.deny} ", "deny")
    return (sign, (clean(text), "text"), (f"   {clean(more)}", "dim"))


_ACTOR = re.compile(r"actor:([^,}\s]+)")


def actors_of(report: Mapping[str, Any]) -> list[str]:
    """The actors whose checks failed; all of them where the failed ones name none."""
    failed = [each["text"] for each in report["checks"] if not each["holds"]]
    named = [found for text in failed for found in _ACTOR.findall(text)]
    return sorted(set(named)) or list(report["actors"])
