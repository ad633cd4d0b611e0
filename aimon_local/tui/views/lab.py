"""The lesson under way: its steps, ticked off as the gateway sees them done. Lines of what is told. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui.lines import Line, Signs, clean, wrapped

_INDENT = " " * 7


def lessons(rows: Sequence[Mapping[str, Any]], signs: Signs) -> list[Line]:
    """Those that come along."""
    return [
        (
            (f"  {clean(row['name']):<16}", "key"),
            (f"{clean(row['title'])}, {row['steps']} steps", "bold"),
            (f"  {clean(row['about'])}", "dim"),
        )
        for row in rows
    ]


def lesson(state: Mapping[str, Any] | None, width: int, signs: Signs) -> list[Line]:
    """Each step with its sign; of the next one what to run."""
    if state is None:
        return [
            (),
            (("  Mark a lesson and press enter. It is ticked off here as you do it in another terminal.", "bold"),),
        ]
    done = sum(each["done"] for each in state["steps"])
    out: list[Line] = [((f" {clean(state['title'])}", "title"), (f"  {done} of {len(state['steps'])} done", "text"))]
    for number, step in enumerate(state["steps"]):
        next_one = number == state["step"] and not state["done"]
        sign = (
            (f"  {signs.ok} ", "ok") if step["done"] else (f"  {signs.arrow} ", "near") if next_one else ("    ", "dim")
        )
        out.append((sign, (f"{number + 1:>2} {clean(step['title'])}", "bold" if next_one else "text")))
        if next_one:
            out += wrapped(clean(step["why"], 500), width, _INDENT, "dim")
            out += [
                each
                for line in command(state, step).splitlines()
                for each in wrapped(clean(line, 500), width, _INDENT, "key")
            ]
            out += wrapped(f"look for: {clean(step['look'], 500)}", width, _INDENT)
            if state.get("why"):
                out += wrapped(f"{signs.near} not yet: {clean(state['why'], 500)}", width, _INDENT, "near")
    if state["done"]:
        out.append(((f"  {signs.ok} the lesson is done", "ok"),))
    return out


_DEFAULTS = {"proxy": "http://localhost:8000", "admin": "http://localhost:8001", "upstream": "http://localhost:5000"}


def command(state: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    """What to run, at the addresses of this gateway."""
    text = str(step["run"])
    for name, default in _DEFAULTS.items():
        text = text.replace(default, str(state["addresses"].get(name, default)))
    return text
