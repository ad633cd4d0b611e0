"""Query strings, form bodies and the parameters of field values, decoded as httpbin (Werkzeug) shows them.

Pure functions of bytes and text. Bytes that are no UTF-8 stay percent-encoded instead of being lost.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

Multi = dict[str, list[str]]
"""A name's values in the order they came; names in the order of their first value."""

_TOKEN = r"[\w!#$%&'*+\-.^`|~]+"
_PARAMETER = re.compile(rf';[ \t]*({_TOKEN})=("(?:[^"\\]|\\.)*"|{_TOKEN})', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_STRAY = re.compile("[\udc80-\udcff]")
_PART_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """A request body: as a form where its media type says so, else as data."""

    form: Multi = field(default_factory=dict)
    files: tuple[Upload, ...] = ()
    data: bytes = b""


def flat(multi: Multi) -> dict[str, Any]:
    """httpbin's view of names and values: one value stands alone, several are a list."""
    return {name: values[0] if len(values) == 1 else values for name, values in multi.items()}


def text_of(raw: bytes) -> str:
    """UTF-8 text; a byte that is none becomes ``%XX``."""
    return _STRAY.sub(lambda m: f"%{ord(m[0]) - 0xDC00:02X}", raw.decode("utf-8", "surrogateescape"))


def json_safe(raw: bytes, content_type: str = "application/octet-stream") -> str:
    """Text as it is, other bytes as a ``data:`` URL (RFC 2397)."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"data:{content_type};base64,{base64.b64encode(raw).decode()}"


def json_or_none(raw: bytes) -> Any:
    """The JSON value that ``raw`` holds, else None."""
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def parse_query(text: str) -> Multi:
    """``a=1&b=&c`` to names and values; blank values are kept, ``+`` is a blank (URL standard, urlencoded parser)."""
    found: Multi = {}
    for piece in text.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            found.setdefault(_plain(name), []).append(_plain(value))
    return found


def _plain(text: str) -> str:
    return text_of(unquote_to_bytes(text.replace("+", " ")))


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """``form-data; name="a"`` to the lower-case main value and its parameters (RFC 9110, 5.6.6)."""
    main = value.partition(";")[0].strip().lower()
    pairs = _PARAMETER.findall(value)
    return main, dict(_parameter(name.lower(), raw) for name, raw in pairs)


def _parameter(name: str, raw: str) -> tuple[str, str]:
    """One parameter; ``name*`` holds ``charset'language'percent-encoded`` (RFC 8187)."""
    charset, *rest = raw.split("'", 2)
    if not name.endswith("*") or len(rest) != 2:
        return name.removesuffix("*"), _unquoted(raw)
    known = charset.lower() if charset.lower() in _PART_CHARSETS else "utf-8"
    return name.removesuffix("*"), unquote(rest[1], known)


def _unquoted(raw: str) -> str:
    """A parameter's value without quotes; browsers write a quote within as ``%22``."""
    inner = _ESCAPED.sub(r"\1", raw[1:-1]) if raw.startswith('"') else raw
    return inner.replace("%22", '"')


def decode_body(content_type: str, body: bytes) -> Decoded:
    """A body by its Content-Type; a form that can't be read counts as empty."""
    kind, parameters = parse_parameters(content_type)
    if kind == "application/x-www-form-urlencoded":
        return Decoded(form=_urlencoded(body))
    if kind == "multipart/form-data":
        return _multipart(parameters.get("boundary", "").encode("latin-1", "replace"), body)
    return Decoded(data=body)


def _urlencoded(body: bytes) -> Multi:
    try:
        return parse_query(body.decode("utf-8"))
    except UnicodeDecodeError:
        return {}


def _multipart(boundary: bytes, body: bytes) -> Decoded:
    """The parts of a multipart body (RFC 7578), with line ends of any kind."""
    if not boundary:
        return Decoded(data=body)
    line = rb"(?:\r\n|\n|\r)"
    delimiter = re.compile(rb"%s--%s(?:--[ \t]*%s?|[ \t]*%s)" % (line, re.escape(boundary), line, line))
    source = b"\r\n" + body  # the first delimiter may open the body
    cuts = list(delimiter.finditer(source))
    if not cuts or not any(_is_last(source[cut.start() : cut.end()], boundary) for cut in cuts):
        return Decoded()
    form: Multi = {}
    files: list[Upload] = []
    for here, after in pairwise(cuts):
        if _is_last(source[here.start() : here.end()], boundary):
            break
        if not _take_part(source[here.end() : after.start()], form, files):
            return Decoded()
    return Decoded(form, tuple(files))


def _is_last(delimiter: bytes, boundary: bytes) -> bool:
    return delimiter.strip().removeprefix(b"--" + boundary).startswith(b"--")


def _take_part(part: bytes, form: Multi, files: list[Upload]) -> bool:
    """File one part under its name; False where it has no Content-Disposition."""
    blank = re.search(rb"\r\n\r\n|\n\n|\r\r", part)
    head, content = (part[: blank.start()], part[blank.end() :]) if blank else (part.rstrip(b"\r\n"), b"")
    fields = _part_fields(head)
    if "content-disposition" not in fields:
        return False
    _, about = parse_parameters(fields["content-disposition"])
    name = about.get("name", "")
    content_type = fields.get("content-type", "")
    if "filename" in about:
        files.append(Upload(name, content_type or "application/octet-stream", content))
        return True
    charset = parse_parameters(content_type)[1].get("charset", "").lower()
    known = charset if charset in _PART_CHARSETS else "utf-8"
    form.setdefault(name, []).append(content.decode(known, "replace"))
    return True


def _part_fields(head: bytes) -> dict[str, str]:
    unfolded = re.sub(rb"(?:\r\n|\n|\r)[ \t]", b" ", head)
    pairs = (line.decode("utf-8", "replace").partition(":") for line in unfolded.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
