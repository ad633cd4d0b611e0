"""The script of one answer: what will be said, how many tokens it counts, how it ends and which fault befalls it. Pure.

The same seed and the same body give the same script, whatever came before.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aimon_local.mock.llm import words
from aimon_local.mock.llm.knobs import Knobs


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that the request offers."""

    id: str
    name: str
    parts: tuple[str, ...]  # its arguments, as tokens

    @property
    def arguments(self) -> str:
        """The arguments as JSON text."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class Usage:
    """The truth about tokens."""

    prompt: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """What will be said."""

    id: str  # 24 hex digits, by seed and body
    model: str
    parts: tuple[str, ...]  # text, as tokens
    calls: tuple[ToolCall, ...]
    finish: str  # stop, length, tool
    usage: Usage
    stop_sequence: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, as every format can say it."""

    model: str
    prompt: Any  # all that is counted
    last_text: str  # the last user text, for echo
    most: int | None  # output tokens at most
    tools: tuple[tuple[str, Any], ...] = ()  # (name, JSON schema of its arguments)
    forced: str | None = None  # "any", or the name of the tool that must be called
    schema: Any = None  # the answer's text must satisfy it
    stops: tuple[str, ...] = ()
    tool_results: bool = False  # the last message brings results: answer in text


_HOW = ("stream", "stream_options")
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def chance_for(knobs: Knobs, body: Mapping[str, Any]) -> Random:
    """All chance of one answer comes from here; a stream says what the whole answer would."""
    asked = {name: value for name, value in body.items() if name not in _HOW}
    return Random(hashlib.sha256(b"%d:%b" % (knobs.seed, dump(asked))).digest())


def write(ask: Ask, knobs: Knobs, chance: Random) -> Script:
    """The script for a request."""
    ident = f"{chance.getrandbits(96):024x}"
    prompt = words.count(ask.prompt)
    if ask.forced is not None and ask.tools:
        calls = (_call(ask, chance),)
        size = sum(len(call.parts) for call in calls)
        return Script(ident, ask.model, (), calls, "tool", Usage(prompt, size))
    parts, finish, stopped = _text(ask, knobs, chance)
    return Script(ident, ask.model, tuple(parts), (), finish, Usage(prompt, len(parts)), stopped)


def _call(ask: Ask, chance: Random) -> ToolCall:
    name, schema = next((tool for tool in ask.tools if tool[0] == ask.forced), ask.tools[0])
    arguments = words.satisfy(schema, chance)
    text = words.json_text(arguments if isinstance(arguments, Mapping) else {})
    return ToolCall(f"{chance.getrandbits(96):024x}", name, tuple(words.in_parts(text)))


def _text(ask: Ask, knobs: Knobs, chance: Random) -> tuple[list[str], str, str | None]:
    if ask.schema is not None:
        parts = words.in_parts(words.json_text(words.satisfy(ask.schema, chance)))
    elif knobs.mode == "echo":
        parts = words.pieces(ask.last_text)
    elif knobs.mode == "canned":
        parts = words.pieces(knobs.text)
    else:
        parts = words.words(chance, knobs.output_tokens)
    for stop in ask.stops:
        text = "".join(parts)
        if stop and stop in text:
            return words.pieces(text[: text.index(stop)]), "stop", stop
    if ask.most is not None and not knobs.ignore_max and len(parts) > ask.most:
        return parts[: ask.most], "length", None
    return parts, "stop", None


def befalls(knobs: Knobs, chance: Random) -> bool:
    """Whether the error of the knobs befalls this request."""
    return bool(knobs.error_status) and chance.random() < knobs.error_rate


def reported(usage: Usage, mode: str) -> Usage | None:
    """What the mock says it used, by the knob ``usage``: the truth, nothing, or a lie. Its own stats keep the truth."""
    if mode == "absent":
        return None
    if mode == "lying":
        return Usage(usage.prompt * 1000 + 7, -5)
    return usage


def dump(value: Any) -> bytes:
    """JSON as the providers write it on a stream: compact."""
    return _compact(value).encode()
