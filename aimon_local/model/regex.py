"""Regular expressions as Kong's users write them (PCRE), for Python's ``re``.

The dialects agree but for some spellings; ``compile_pcre`` rewrites those, character by character, so that classes and
escapes keep their meaning. What Python has no word for is an error, told as the regex's own error is.
"""

import re

_ESCAPES = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "h": r"[ \t]",
    "H": r"[^ \t]",
    "R": r"(?:\r\n|\n|\r)",
    "Q": "",
    "E": "",
}
_IN_CLASS = {"h": r" \t"}
_POSIX = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "xdigit": "0-9A-Fa-f",
    "word": r"\w",
    "punct": r"!-/:-@\[-`{-~",
}
_NAMED = re.compile(r"\(\?<([A-Za-z_]\w*)>|\(\?'([A-Za-z_]\w*)'")
_BACK = re.compile(r"\\k(?:<(\w+)>|\{(\w+)\}|'(\w+)')")
_FLAGS = re.compile(r"\(\?([imsx]+)\)")
_CLASS_NAME = re.compile(r"\[:(\w+):\]")


def compile_pcre(pattern: str) -> re.Pattern[str] | str:
    """The compiled expression, or the text of what is wrong with it. Classes such as ``\\w`` mean ASCII, as in PCRE."""
    try:
        return re.compile(_rewrite(pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)


def _rewrite(pattern: str) -> str:
    out: list[str] = []
    flags: list[list[str]] = [[]]  # by open group: the ``(?i)`` and the like that hold to its end
    at = 0
    in_class = False
    while at < len(pattern):
        text, step = _inside(pattern, at) if in_class else _outside(pattern, at)
        if in_class:
            in_class = pattern[at] != "]"
        elif pattern[at] == "[":
            in_class = True
            text, step = _open(pattern, at)
        else:
            text = _scoped(text, flags)
        out.append(text)
        at += step
    return "".join(out) + ")" * sum(map(len, flags))


def _scoped(text: str, flags: list[list[str]]) -> str:
    """A piece outside of classes; flags in the middle, which Python refuses, become groups up to where they end."""
    if match := _FLAGS.fullmatch(text):
        flags[-1].append(f"(?{match[1]}:")
        return flags[-1][-1]
    closing = ")" * len(flags[-1])
    if text == "|":
        return closing + "|" + "".join(flags[-1])
    if text == ")":
        if len(flags) > 1:
            flags.pop()
        return closing + ")"
    if text == "(" or text.startswith("(?P<"):
        flags.append([])
    return text


def _open(pattern: str, at: int) -> tuple[str, int]:
    """The start of a class: ``[``, ``[^`` and a first ``]`` that stands for itself."""
    text = "[^" if pattern.startswith("[^", at) else "["
    step = len(text)
    return (text + r"\]", step + 1) if pattern.startswith("]", at + step) else (text, step)


def _outside(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        if back := _BACK.match(pattern, at):
            return f"(?P={next(name for name in back.groups() if name)})", back.end() - at
        return _ESCAPES.get(pattern[at + 1], pattern[at : at + 2]), 2
    if found := _FLAGS.match(pattern, at):
        return found[0], len(found[0])
    if named := _NAMED.match(pattern, at):
        return f"(?P<{named[1] or named[2]}>", named.end() - at
    return pattern[at], 1


def _inside(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return _IN_CLASS.get(pattern[at + 1], pattern[at : at + 2]), 2
    if (name := _CLASS_NAME.match(pattern, at)) and name[1] in _POSIX:
        return _POSIX[name[1]], name.end() - at
    return ("\\[", 1) if pattern[at] == "[" else (pattern[at], 1)
