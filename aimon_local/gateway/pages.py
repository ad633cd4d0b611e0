"""Error pages of the proxy, in the form that the client's Accept asks for, as Kong's templates give them.

Pure: bytes in, bytes out. A new form is one entry of ``_FORMS``.
"""

import json
import re
from html import escape

_MEDIA_RANGE = re.compile(
    r"\s*((?:[a-z0-9][a-z0-9\-!#$&^_+.]+|\*)/(?:[a-z0-9][a-z0-9\-!#$&^_+.]+|\*))"
    r"(?:\s*;\s*q\s*=\s*(1(?:\.0{0,3})?|0(?:\.\d{0,3})?))?",
    re.IGNORECASE,
)

# Kong matches a media type by its exact spelling: "TEXT/HTML" is not known and means JSON.
_KNOWN = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/html": "html",
    "text/plain": "text",
    "text/*": "text",
    "application/xml": "xml",
    "application/grpc": "grpc",
}

_JSON = (b"application/json; charset=utf-8", '{{\n  "message":{quoted},\n  "request_id":"{request_id}"\n}}')
_HTML = (
    b"text/html; charset=utf-8",
    '<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n'
    "    <h1>Error</h1>\n    <p>{escaped}.</p>\n    <p>request_id: {request_id}</p>\n  </body>\n</html>\n",
)
_TEXT = (b"text/plain; charset=utf-8", "{message}\nrequest_id: {request_id}\n")
_XML = (
    b"application/xml; charset=utf-8",
    '<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>{escaped}</message>\n'
    "  <requestid>{request_id}</requestid>\n</error>\n",
)
_GRPC = (b"", "")
_FORMS = {"json": _JSON, "html": _HTML, "text": _TEXT, "xml": _XML, "grpc": _GRPC}


def form_for(accept: str) -> str:
    """The form that an Accept value prefers: the first of the highest quality (RFC 9110 §12.5.1); JSON for all else."""
    best, form = 0.0, "json"
    for part in accept.split(","):
        found = _MEDIA_RANGE.match(part)
        if found is None:
            continue
        quality = float(found[2] or 1)
        if quality > best:
            best, form = quality, _KNOWN.get(found[1], "json")
    return form


def page(form: str, message: str, request_id: str) -> tuple[bytes, bytes]:
    """(content type, body) of an error page; the message is escaped for its form."""
    content_type, template = _FORMS[form]
    text = template.format(
        message=message,
        quoted=json.dumps(message, ensure_ascii=False),
        escaped=escape(message, quote=False),
        request_id=request_id,
    )
    return content_type, text.encode("utf-8", "surrogateescape")


def refusal_form(accept: list[bytes]) -> str:
    """The form of a refusal by a rule or the router: without Accept it is JSON."""
    return form_for(b",".join(accept).decode("latin-1")) if accept else "json"


def failure_form(accept: list[bytes], content_type: bytes | None) -> str:
    """The form of an upstream's failure: without Accept, the request's Content-Type, else plain text (Kong's rule)."""
    if accept:
        return refusal_form(accept)
    return form_for(content_type.decode("latin-1")) if content_type else "text"
