"""JSON texts as calls and answers have them: read as ``json`` reads them, without what its doors cost beside that.

``JSONDecoder.decode`` looks for blanks around a text and ``json.loads`` for its encoding; nearly all texts here are
UTF-8 objects without either. Another meaning of a text (names that come twice): give a decoder of your own.
"""

import json
from typing import Any

_BLANKS = " \t\n\r"
_PLAIN = json.JSONDecoder()


def scanned(text: str, decoder: json.JSONDecoder = _PLAIN) -> Any:
    """As ``decoder.decode(text)``: ValueError where it is no JSON, RecursionError where it is nested too deeply."""
    if text[:1] == "{":
        value, end = decoder.raw_decode(text)
        if not text[end:].strip(_BLANKS):
            return value
    return decoder.decode(text)


def loaded(data: bytes) -> Any:
    """As ``json.loads(data)``, in any encoding that it knows."""
    if data[:1] == b"{":
        try:
            return scanned(data.decode("utf-8", "surrogatepass"))
        except ValueError:
            pass  # UTF-16 or -32, or no JSON: the long way tells
    return json.loads(data)
