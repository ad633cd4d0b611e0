"""Cookie and Set-Cookie values (RFC 6265), with the quoting that httpbin (Werkzeug) uses for other characters."""

import re

_PAIR = re.compile(
    r"""[ \t]*([^ \t=";]+)(?:[ \t]*=[ \t]*("(?:[^\\"]|\\.)*"|[^ \t";]*))?[ \t]*(?:;|\Z)""",
    re.ASCII,
)
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_PLAIN = re.compile(r"[\w!#$%&'()*+\-./:<=>?@\[\]^`{|}~]*", re.ASCII)
_SPECIAL = re.compile(rb"[\x00-\x19\",;\\\x7f-\xff]")
_NAME = re.compile(r"[^\x00-\x1f\x7f;]+")


def parse(value: str) -> dict[str, str]:
    """The first value of each name; what is no pair is skipped."""
    found: dict[str, str] = {}
    at = 0
    while at < len(value):
        pair = _PAIR.match(value, at)
        if pair is None:
            at = value.find(";", at) + 1
            if at == 0:
                break
            continue
        at = pair.end()
        found.setdefault(pair[1], _unquoted(pair[2] or ""))
    return found


def _unquoted(raw: str) -> str:
    if not (raw.startswith('"') and raw.endswith('"')):
        return raw
    inner = raw[1:-1].encode()
    return _ESCAPE.sub(lambda m: m[1] if len(m[1]) == 1 else bytes([int(m[1], 8)]), inner).decode("utf-8", "replace")


def usable(name: str) -> bool:
    """Whether a name can stand in a Set-Cookie line at all."""
    return _NAME.fullmatch(name) is not None


def setting(name: str, value: str) -> tuple[str, str]:
    """The Set-Cookie field that stores a value for the whole site."""
    return "Set-Cookie", f"{_on_the_wire(name)}={_quoted(value)}; Path=/"


def deleting(name: str) -> tuple[str, str]:
    """The Set-Cookie field that makes a client forget a name."""
    return "Set-Cookie", f"{_on_the_wire(name)}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"


def _on_the_wire(name: str) -> str:
    """The bytes of a name's UTF-8, one character each."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = _SPECIAL.sub(lambda m: _octal(m[0]), value.encode())
    return f'"{escaped.decode("ascii")}"'


def _octal(byte: bytes) -> bytes:
    return b"\\" + byte if byte in b'"\\' else b"\\%03o" % byte[0]
