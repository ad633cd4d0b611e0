"""What the mock LLM says: tokens by seed, values that satisfy a JSON schema, and its own count of tokens. Pure.

A token of an answer is one piece of the list that ``words`` gives, so the count is exact by construction. A prompt is
counted by words and signs: on purpose another way than the gateway's estimate, so that the two are compared honestly.
"""

import json
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

_TEXT = (
    "the model answers in short plain words because a test needs them to be the same each time and nobody reads "
    "further than the first line of what a mock says when the budget is what counts"
)
_WORDS = _TEXT.split()
_SPACED = tuple(word + " " for word in _WORDS)
_BITS = len(_WORDS).bit_length()
_PIECE = re.compile(r"\w+|[^\w\s]")
_DEPTH = 8


def count(value: Any) -> int:
    """Tokens of a prompt: words and signs of all its texts."""
    if isinstance(value, str):
        if value.isascii() and value.replace(" ", "").isalnum():  # words alone
            return len(value.split())
        return len(_PIECE.findall(value))
    if isinstance(value, Mapping):
        return sum(count(item) for item in value.values())
    if isinstance(value, list):
        return len(value) if value and all(type(item) is int for item in value) else sum(count(item) for item in value)
    return 0


def words(chance: Random, size: int) -> list[str]:
    """So many tokens of text: those that ``chance.choice`` would take, without its call for each."""
    pieces: list[str] = []
    draw, most = chance.getrandbits, len(_SPACED)
    while len(pieces) < size:
        at = draw(_BITS)
        if at < most:
            pieces.append(_SPACED[at])
    if pieces:
        pieces[0] = pieces[0].capitalize()
        pieces[-1] = pieces[-1].rstrip() + "."
    return pieces


def pieces(text: str) -> list[str]:
    """A given text as tokens, blanks kept with the piece before them."""
    return re.findall(r"\s*\S+\s*?(?=\s|$)|\s+$", text) or ([text] if text else [])


def in_parts(text: str) -> list[str]:
    """A JSON text as tokens: pieces of a few characters."""
    return [text[at : at + 6] for at in range(0, len(text), 6)]


def satisfy(schema: Any, chance: Random, depth: int = 0) -> Any:
    """A value that a JSON schema accepts, for the keywords that tools use; optional properties come by chance."""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return None if depth > _DEPTH else {}
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return chance.choice(list(schema["enum"]))
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return satisfy(schema[keyword][0], chance, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return _MAKERS.get(kind, _string)(schema, chance, depth)


def _object(schema: Mapping[str, Any], chance: Random, depth: int) -> Any:
    required = schema.get("required", ())
    return {
        name: satisfy(inner, chance, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or chance.random() < 0.5
    }


def _array(schema: Mapping[str, Any], chance: Random, depth: int) -> Any:
    size = max(int(schema.get("minItems", 1)), 0)
    return [satisfy(schema.get("items", {"type": "string"}), chance, depth + 1) for _ in range(size)]


def _number(schema: Mapping[str, Any], chance: Random, depth: int) -> Any:
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0 - step) + step)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 101 * step) - step)
    low = -(-low // step) * step
    value = low + step * chance.randint(0, max(0, int((high - low) // step)))
    return int(value) if schema.get("type") == "integer" else value


def _string(schema: Mapping[str, Any], chance: Random, depth: int) -> Any:
    made = _FORMATS.get(schema.get("format", ""))
    text = made if made is not None else chance.choice(_WORDS)
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "http://localhost/",
    "uuid": "00000000-0000-4000-8000-000000000001",
}
_Maker = Callable[[Mapping[str, Any], Random, int], Any]
_MAKERS: dict[str, _Maker] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema, chance, depth: chance.random() < 0.5,
    "null": lambda schema, chance, depth: None,
    "string": _string,
}


def json_text(value: Any) -> str:
    """As a model writes it."""
    return json.dumps(value, ensure_ascii=False)
