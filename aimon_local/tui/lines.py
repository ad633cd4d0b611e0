"""Text for terminals: lines of pieces (text, style word), cut and padded by cells. No Textual, no markup anywhere.

All text that came with traffic or from the configuration enters through ``clean``, once, here: control characters,
escapes and marks that turn the writing direction become visible, so that no name can move the cursor or the layout.
Styles are words (``ok``, ``deny``, …), which ``widgets`` turns into the theme's colours; each one stands beside a sign
or a word, never alone.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
Line = tuple[Piece, ...]

MOST = 200  # characters of one name that are looked at; no column is wider
STYLES = (
    "text",
    "dim",
    "bold",
    "title",
    "head",
    "ok",
    "deny",
    "near",
    "shadow",
    "money",
    "bar",
    "track",
    "key",
    "spark",
)


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that say something. One set for fonts, one for plain ASCII."""

    ok: str
    deny: str
    near: str
    shadow: str
    bar: str
    held: str
    track: str
    sparks: str
    cut: str
    dot: str
    rule: str
    arrow: str


UNICODE = Signs("✓", "✗", "▲", "◌", "█", "▒", "░", " ▁▂▃▄▅▆▇█", "…", "·", "─", "→")
ASCII = Signs("+", "x", "!", "~", "#", "=", ".", " .:-=+*#@", ">", ".", "-", "->")


def clean(text: object, most: int = MOST) -> str:
    """Any text as it can be shown: what has no shape of its own (categories C and Z but the blank) is made visible."""
    out = str(text)[:most]
    if out.isascii() and out.isprintable():
        return out
    return "".join(_visible(each) for each in out)


def _visible(character: str) -> str:
    if character == " " or (character.isprintable() and not unicodedata.combining(character)):
        wrong_way = unicodedata.bidirectional(character) in ("R", "AL", "AN")
        return f"\\u{ord(character):04x}" if wrong_way else character
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def fit(text: str, width: int, right: bool = False, cut: str = "…") -> str:
    """Text in exactly so many cells."""
    if width <= 0:
        return ""
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - cell_len(cut)) + cut if width > cell_len(cut) else cut[:width]
    return " " * (width - size) + text if right else text + " " * (width - size)


def plain(line: Line) -> str:
    """A line's text."""
    return "".join(text for text, _ in line).rstrip()


def width_of(line: Line) -> int:
    """In cells."""
    return sum(cell_len(text) for text, _ in line)


def wrapped(text: str, width: int, indent: str, style: str = "text") -> list[Line]:
    """A sentence over as many lines as it takes; a word that is longer than a line is cut by the widget."""
    out: list[Line] = []
    line = indent
    for word in text.split(" "):
        if cell_len(line) + cell_len(word) + 1 > width and line.strip():
            out.append(((line, style),))
            line = indent
        line += f"{word} "
    return [*out, ((line, style),)]


# ---- figures


def count(number: float) -> str:
    """A count in at most five characters: 950, 1.2k, 34k, 5.6M."""
    for limit, divisor, unit in ((1e4, 1, ""), (1e5, 1e3, "k"), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if abs(number) < limit:
            short = number / divisor
            return f"{short:.1f}{unit}" if divisor > 1 and abs(short) < 100 else f"{short:.0f}{unit}"
    return f"{number / 1e12:.0f}T"


def rate(number: float) -> str:
    """A rate: with one digit behind the point where it is small."""
    return f"{number:.1f}" if 0 < number < 100 else count(number)


def dollars(nano: int) -> str:
    """Money, short: as many digits as say something."""
    amount = abs(nano) / 1e9
    sign = "-" if nano < 0 else ""
    if amount == 0:
        return "$0"
    digits = 2 if amount >= 1 else 4 if amount >= 0.01 else 6
    return f"{sign}${amount:,.{digits}f}"


def amount(name: str, units: int) -> str:
    """Units of a limit by its name: money for cost and charge."""
    return dollars(units) if name.partition("/")[0] in ("cost", "charge") else count(units)


def duration(nanoseconds: int) -> str:
    """A time to wait, in its two largest units."""
    seconds = max(0, -(-nanoseconds // 1_000_000_000))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{left:02}s" if minutes else f"{left}s"


def clock(at_ns: int) -> str:
    """Time of day in UTC."""
    seconds = at_ns // 1_000_000_000 % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def latency(us: int) -> str:
    """Milliseconds, or seconds where they are many."""
    return f"{us / 1e6:.1f}s" if us >= 10_000_000 else f"{us / 1000:.1f}ms" if us < 100_000 else f"{us // 1000}ms"


# ---- pictures


def bar(used: float, held: float, width: int, signs: Signs) -> Line:
    """A share of one as a bar: used, reserved, free."""
    whole = round(min(1.0, max(0.0, used)) * width)
    kept = min(width - whole, round(max(0.0, held) * width))
    near = used + held >= 0.8
    return (
        (signs.bar * whole, "near" if near else "bar"),
        (signs.held * kept, "shadow"),
        (signs.track * (width - whole - kept), "track"),
    )


def spark(counts: Sequence[int], width: int, signs: Signs) -> str:
    """The newest steps as columns, the highest full; each column is the largest of its steps."""
    if width <= 0:
        return ""
    per = max(1, -(-len(counts) // width))
    groups = [max(counts[max(0, at - per) : at]) for at in range(len(counts), 0, -per)][::-1][-width:]
    top, most = max(groups, default=0), len(signs.sparks) - 1
    columns = (signs.sparks[0 if not each else max(1, -(-each * most // top))] for each in groups)
    return "".join(columns).rjust(width)


# ---- tables


@dataclass(frozen=True, slots=True)
class Column:
    """A column: title, cells, how dear it is (the dearest go last where there is no room), right-aligned or not."""

    title: str
    width: int
    rank: int = 0
    right: bool = False
    grows: bool = False


Cell = str | Piece | Line


@lru_cache(256)
def chosen(columns: tuple[Column, ...], width: int) -> tuple[tuple[int, int], ...]:
    """(place, cells) of the columns that fit: the highest ranks give way, growing ones share what is left."""
    kept = sorted(range(len(columns)), key=lambda at: (columns[at].rank, at))
    while len(kept) > 1 and sum(columns[at].width for at in kept) + 2 * (len(kept) - 1) > width:
        kept.pop()
    kept.sort()
    spare = max(0, width - sum(columns[at].width for at in kept) - 2 * (len(kept) - 1))
    growing = [at for at in kept if columns[at].grows]
    share = spare // len(growing) if growing else 0
    return tuple((at, columns[at].width + (share if columns[at].grows else 0)) for at in kept)


def row(columns: Sequence[Column], places: Sequence[tuple[int, int]], cells: Sequence[Cell], cut: str) -> Line:
    """One row of a table."""
    out: list[Piece] = []
    for number, (at, width) in enumerate(places):
        if number:
            out.append(("  ", "text"))
        cell = cells[at]
        if isinstance(cell, str):
            out.append((fit(cell, width, columns[at].right, cut), "text"))
        elif cell and isinstance(cell[0], str):
            text, style = cell
            out.append((fit(str(text), width, columns[at].right, cut), str(style)))
        else:
            pieces: Line = cell
            out += [*pieces, (" " * max(0, width - width_of(pieces)), "text")]
    return tuple(out)


def heading(columns: Sequence[Column], places: Sequence[tuple[int, int]], cut: str) -> Line:
    """The row of titles."""
    return row(columns, places, [(column.title, "head") for column in columns], cut)
