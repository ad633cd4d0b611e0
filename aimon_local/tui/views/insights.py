"""Answers of the ledger as tables: alerts, and each insight with the method that it states. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from aimon_local.tui import lines
from aimon_local.tui.lines import Line, clean

NAMES = ("alerts", "sla", "forecast", "unusual", "tiers", "conversion", "adoption", "products", "denied")
"""What can be asked, in this order."""

_ALERTS = ("at", "state", "percent", "consumer", "tier", "limit", "used", "amount", "why", "ends")
_WORDS = {"firing": "near", "maxed_out": "near", "up": "near", "down": "near"}
_GAP = "  "


def path(name: str) -> str:
    """Where it is asked."""
    return "/alerts" if name == "alerts" else f"/insights/{name}"


def answer(name: str, page: Mapping[str, Any], width: int, most: int) -> list[Line]:
    """Title, columns, at most so many rows, and how the numbers come about."""
    columns: Sequence[str] = page.get("columns", _ALERTS)
    rows: Sequence[Mapping[str, Any]] = page["data"]
    cells = [[_cell(row.get(column)) for column in columns] for row in rows[:most]]
    sizes = [max([cell_len(column), *(cell_len(row[at]) for row in cells)]) for at, column in enumerate(columns)]
    out: list[Line] = [((f" {name}", "title"), ("  i: the next, esc: close", "dim"))]
    out.append(((_row([column.upper() for column in columns], sizes, width), "head"),))
    out += [((_row(row, sizes, width), _style(row)),) for row in cells]
    if not rows:
        out.append((("  Nothing to tell.", "dim"),))
    if len(rows) > most:
        out.append(
            ((f"  and {len(rows) - most} more: aimon-local {'' if name == 'alerts' else 'insights '}{name}", "dim"),)
        )
    return out + (lines.wrapped(clean(page["method"], 400), width, "  ", "dim") if "method" in page else [])


def _cell(value: object) -> str:
    return "-" if value is None else clean(value)


def _row(cells: Sequence[str], sizes: Sequence[int], width: int) -> str:
    text = _GAP.join(lines.fit(cell, size) for cell, size in zip(cells, sizes, strict=True))
    return lines.fit(f" {text}", width).rstrip()


def _style(row: Sequence[str]) -> str:
    return next((_WORDS[cell] for cell in row if cell in _WORDS), "text")
