"""The knobs: how the mock LLM answers. Set by configuration, at run time (``PATCH /_mock/config``), or per request.

A request sets a knob by a header: ``X-Mock-Ttft-Ms: 300`` is ``ttft_ms``. An unknown knob or a value that can't be
is a 400 that names it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

USAGE_MODES = ("true", "absent", "late", "lying", "cumulative")
MODES = ("words", "echo", "canned")
_HEADER = b"x-mock-"


class BadKnob(ValueError):
    """A knob that is not there, or a value that it can't have."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """How answers are made. Times in milliseconds; 0 or None: off."""

    seed: int = 1
    mode: str = "words"  # words: by seed; echo: the last user text; canned: ``text``
    text: str = "The gateway counted this answer."
    output_tokens: int = 24  # tokens of an answer in mode words, if the request allows so many
    ignore_max: bool = False  # the request's own bound on output is not kept
    ttft_ms: float = 0.0  # time to first token
    tokens_per_s: float = 0.0  # 0: as fast as it can
    jitter: float = 0.0  # share of each wait that varies, 0 to 1
    max_concurrent: int = 0  # requests served at once; 0: no bound
    queue: int = 0  # requests that may wait for a place; more get 503 (overloaded)
    usage: str = "true"
    error_status: int = 0  # answer with this status …
    error_rate: float = 1.0  # … for this share of requests
    retry_after: float | None = None  # seconds, beside an error
    truncate_after: int = 0  # end the stream politely after so many chunks, without its last ones
    disconnect_after: int = 0  # cut the connection after so many chunks (or half a whole answer)
    malformed: bool = False  # JSON that does not parse
    error_after: int = 0  # an error event inside the stream after so many chunks
    slow_body_ms: float = 0.0  # a whole answer comes in pieces with this wait between


_KINDS: dict[str, type] = {field.name: type(field.default) for field in fields(Knobs)}
_KINDS["retry_after"] = float
_CHOICES = {"mode": MODES, "usage": USAGE_MODES}


def set_knobs(knobs: Knobs, values: Mapping[str, Any]) -> Knobs:
    """Knobs with other values; raises BadKnob."""
    return replace(knobs, **{name: _value(name, value) for name, value in values.items()})


def from_headers(knobs: Knobs, headers: Iterable[tuple[bytes, bytes]]) -> Knobs:
    """Knobs of one request; names are lower-case."""
    said = tuple(header for header in headers if header[0].startswith(_HEADER))
    return _with(knobs, said) if said else knobs


@lru_cache(256)
def _with(knobs: Knobs, headers: tuple[tuple[bytes, bytes], ...]) -> Knobs:
    names = (name[len(_HEADER) :].decode("latin-1").replace("-", "_") for name, _ in headers)
    return set_knobs(knobs, {name: value.decode("latin-1") for name, (_, value) in zip(names, headers, strict=True)})


def _value(name: str, value: Any) -> Any:
    kind = _KINDS.get(name)
    if kind is None:
        raise BadKnob(f"there is no knob {name!r}; the knobs are: {', '.join(_KINDS)}")
    if isinstance(value, str) and kind is not str:
        try:
            value = json.loads(value)
        except ValueError:
            raise BadKnob(f"{name}: {value!r} is not a {kind.__name__}") from None
    if value is None and name == "retry_after":
        return None
    good = (
        isinstance(value, int | float) and not isinstance(value, bool) if kind in (int, float) else type(value) is kind
    )
    if not good or (kind is int and value != int(value)):
        raise BadKnob(f"{name}: {value!r} is not a {kind.__name__}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise BadKnob(f"{name}: {value!r} is none of {', '.join(_CHOICES[name])}")
    if kind in (int, float) and not 0 <= value <= 10**9:
        raise BadKnob(f"{name}: {value!r} is not between 0 and 1000000000")
    return kind(value)
