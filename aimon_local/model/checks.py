"""Checks of single values that Kong does beside its schema attributes: names, tags, paths, header names.

Each is a ``check`` of the schema language: a pure function (value) → error text or None, never called with null.
Hosts and addresses are in ``model.address``, keys and certificates in ``model.pem``.
"""

import re

from aimon_local.model.regex import compile_pcre

# What is left of ASCII by these exclusions, and all beyond ASCII (a range up to U+10FFFF would compile slowly).
_NAME = re.compile(r"[^\x00-,/:-@\[-^`{-}\x7f]+\Z")  # letters, digits, - . _ ~
_TAG = re.compile(r"[^\x00-\x1f,/\x7f]+\Z")  # printable, without , and /
_PATH = re.compile(r"/[A-Za-z0-9._~/%:@!$&'()*+,;=-]*\Z")
_HEADER = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def check_name(value: str) -> str | None:
    """A name in a path: ASCII letters, digits and ``.-_~``, and anything beyond ASCII."""
    if _NAME.match(value):
        return None
    return f"invalid value '{value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"


def check_tag(value: str) -> str | None:
    """A tag: it must survive the filter syntax ``a,b`` and ``a/b``."""
    if _TAG.match(value):
        return None
    return f"invalid tag '{value}': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"


def check_header_name(value: str) -> str | None:
    """A header name as Kong's plugins take it (narrower than RFC 9110's token)."""
    if _HEADER.match(value):
        return None
    return f"bad header name '{value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"


def check_path(value: str) -> str | None:
    """A path: RFC 3986 characters and whole percent escapes."""
    if not _PATH.match(value):
        return f"invalid path: '{value}' (characters outside of the reserved list of RFC 3986 found)"
    return _bad_escape(value)


def _bad_escape(value: str) -> str | None:
    raw = _ESCAPE.sub("___", value)
    at = raw.find("%")
    return None if at < 0 else f"invalid url-encoded value: '{raw[at : at + 3]}'"


def check_route_path(value: str) -> str | None:
    """A path that a route matches: a normalised prefix, or ``~`` and a regular expression."""
    if not value.startswith("~"):
        if _PATH.match(value) and (fault := _bad_escape(value)):
            return fault
        normal = normalise_path(value)
        return None if normal == value else f"non-normalized path, consider use '{normal}' instead"
    compiled = compile_pcre(value[1:])
    return f"invalid regex: '{value[1:]}' (PCRE returned: {compiled})" if isinstance(compiled, str) else None


def normalise_path(value: str) -> str:
    """Dot segments gone, ``//`` merged, unreserved escapes decoded, others upper case (RFC 3986 6.2.2)."""
    decoded = _ESCAPE.sub(_decode, value)
    out: list[str] = []
    segments = decoded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del out[-1:]
        elif segment not in ("", "."):
            out.append(segment)
    slash = "/" if out and segments[-1] in ("", ".", "..") else ""
    return "/" + "/".join(_encode(segment) for segment in out) + slash


def _decode(match: re.Match[str]) -> str:
    char = chr(int(match[0][1:], 16))
    return char if char in _UNRESERVED else match[0].upper()


def _encode(segment: str) -> str:
    """Percent-encode what may not stand in a path as it is."""
    return re.sub(r"[^A-Za-z0-9._~%:@!$&'()*+,;=-]", _escaped, segment)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))
