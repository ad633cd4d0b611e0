"""Which line of a TOML text a key stands on. Pure; tomllib keeps no places, so the text is looked through once more.

Found are headings and ``key =`` at the start of a line; for a key within an inline table, the line within its value
that has the word before an equals sign, else the line of the key around it.
"""

import re

Path = tuple[str | int, ...]

_HEADING = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_WORD = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_FENCES = ('"""', "'''")


def line_of(text: str, path: Path) -> int | None:
    """The line (from 1) of what a path leads to, or of the nearest thing around it; None: of nothing."""
    places = _places(text)
    for size in range(len(path), 0, -1):
        found = places.get(path[:size])
        if found is not None:
            inner = [word for word in path[size:] if isinstance(word, str)]
            return _within(text, found, inner[-1]) if inner else found
    return None


def _places(text: str) -> dict[Path, int]:
    """Paths of headings and keys with their lines."""
    out: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if fence in line else fence
            continue
        heading, key = _HEADING.match(line), _KEY.match(line)
        if heading:
            table = _entered(_words(heading[2]), heading[1] == "[[", counts)
            out.setdefault(table, number)
            out.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
        elif key:
            words = _words(key[1])
            for size in range(1, len(words) + 1):
                out.setdefault(table + words[:size], number)
        fence = next((mark for mark in _FENCES if line.count(mark) % 2), "")
    return out


def _words(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in _WORD.findall(dotted))


def _entered(words: tuple[str, ...], is_list: bool, counts: dict[Path, int]) -> Path:
    """The path of a heading: after each list of tables comes the number of its present one."""
    path: Path = ()
    for at, word in enumerate(words):
        path = (*path, word)
        if is_list and at == len(words) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _within(text: str, first: int, word: str) -> int:
    """From the line ``first`` on, before the next heading: the line that has the word as a key."""
    wanted = re.compile(rf"""(?:^|[\s{{,]|["'.]){re.escape(word)}["']?\s*=""")
    for number, line in enumerate(text.splitlines()[first - 1 :], first):
        if number > first and _HEADING.match(line):
            break
        if wanted.search(line):
            return number
    return first
