"""Paths as Kong reads and writes them: normalised to be matched, stripped and joined, percent-encoded to go upstream.

Paths are ``str`` in latin-1 (one character is one byte), without the query. ``normalise`` is RFC 3986 §6.2.2 with two
habits of Kong's: every escape but those of reserved characters and ``%`` is decoded, and runs of slashes become one.

To change how a service's path and the request's are joined: ``join``, and the recorded tables in the tests.
"""

import re

_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[^!#$&'()*+,/:;=?@\[\]A-Za-z0-9\-_.~%]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# RFC 3986 §2.2 and "%": their escapes mean something else than the character, so they stay, in upper case.
_RESERVED = frozenset("!#$%&'()*+,/:;=?@[]")


def _decoded(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return found[0].upper() if char in _RESERVED else char


def _encoded(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def normalise(path: str) -> str:
    """The path that is routed and forwarded: escapes decoded, ``//`` merged, dot segments resolved."""
    if "%" in path:
        path = _ESCAPED.sub(_decoded, path)
    if "//" not in path and "/." not in path:
        return path
    return _without_dots(path)


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4 on a path that begins with a slash; empty segments vanish, but for a last one."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    # A path that ends in "/", "/." or "/.." names a folder: it keeps its last slash.
    tail = "/" if segments[-1] in ("", ".", "..") and kept else ""
    return "/" + "/".join(kept) + tail


def encode(path: str) -> str:
    """The path as it goes out: bytes that a target can't hold become ``%XX``; escapes that are there stay."""
    return path if _UNSAFE.search(path) is None else _UNSAFE.sub(_encoded, path)


def forwarded_prefix(prefix: str) -> str | None:
    """X-Forwarded-Prefix for what was stripped; None where that is nothing or ``/``.

    Control characters, which a regular expression may have matched, are encoded: they would end the line.
    """
    return None if prefix in ("", "/") else _CONTROL.sub(_encoded, prefix)


def join(base: str | None, path: str, prefix: str, strip: bool) -> str:
    """The upstream's path: the service's path, and the request's without the matched prefix where it is stripped.

    It is Kong's ``path_handling`` v0. Kong's default router takes v1 for v0 (recorded so), and so do we. Not encoded.
    """
    base = base or "/"
    if not strip:
        if base.endswith("/"):
            return base + path[1:]
        return base if path == "/" else base + path
    # Without a matched path (a route by host alone) it is the leading slash that goes.
    rest = _without_leading_dots(path[len(prefix) :] if prefix else path[1:])
    if not rest:
        return _bare(base, path)
    return base.removesuffix("/") + rest if rest.startswith("/") else base + ("" if base.endswith("/") else "/") + rest


def _without_leading_dots(rest: str) -> str:
    """``/route./x`` is the prefix ``/route`` and the rest ``./x``: no dot segment may come of it (Kong)."""
    if not rest.startswith("."):
        return rest
    if rest in (".", ".."):
        return ""
    return rest[2:] if rest.startswith("./") else rest.removeprefix("../")


def _bare(base: str, path: str) -> str:
    """The service's own path, with a last slash just where the request had one."""
    if base == "/":
        return base
    bare = base.removesuffix("/")
    return bare + "/" if len(path) > 1 and path.endswith("/") else bare if path != "/" else base
