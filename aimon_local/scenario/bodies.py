"""Request bodies by dialect, and prompts of a wanted size. Pure: the same arguments give the same bytes."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

DIALECTS: Mapping[str, str] = {
    "openai.chat": "/v1/chat/completions",
    "openai.completions": "/v1/completions",
    "openai.responses": "/v1/responses",
    "openai.embeddings": "/v1/embeddings",
    "anthropic.messages": "/v1/messages",
}
"""Dialect → the path that its calls go to."""

_WORDS = (
    "count", "price", "limit", "token", "budget", "window", "answer", "model", "tier", "plan", "ledger", "stream",
    "agent", "quota", "charge", "cost",
)  # fmt: skip


_MANY = Random(4).choices(_WORDS, k=4096)  # to be cut from: choosing each word would cost more than sending it


def prompt_of(tokens: int, chance: Random) -> str:
    """So many short words; each is about one token for those who count them."""
    at, size = chance.randrange(len(_MANY)), max(1, tokens)
    words = _MANY[at : at + size]
    while len(words) < size:
        words += _MANY[: size - len(words)]
    return " ".join(words)


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _function(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}


_PROMPTS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "openai.chat": lambda text: {"messages": _messages(text)},
    "openai.completions": lambda text: {"prompt": text},
    "openai.responses": lambda text: {"input": text},
    "openai.embeddings": lambda text: {"input": text},
    "anthropic.messages": lambda text: {"messages": _messages(text)},
}
_MOST = {"openai.responses": "max_output_tokens", "openai.chat": "max_completion_tokens"}
_TOOLS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "openai.chat": lambda name: {"type": "function", "function": {"name": name, "parameters": _function(name)}},
    "openai.responses": lambda name: {"type": "function", "name": name, "parameters": _function(name)},
    "anthropic.messages": lambda name: {"name": name, "input_schema": _function(name)},
}
_compact = json.JSONEncoder(separators=(",", ":")).encode
_ANTHROPIC_MOST = 256  # Anthropic's API requires a bound


def body_of(dialect: str, model: str, prompt: str, most: int | None, stream: bool, tools: tuple[str, ...]) -> bytes:
    """The JSON body of an AI call."""
    document: dict[str, Any] = {"model": model, **_PROMPTS[dialect](prompt)}
    if most is None and dialect == "anthropic.messages":
        most = _ANTHROPIC_MOST
    if most is not None and dialect != "openai.embeddings":
        document[_MOST.get(dialect, "max_tokens")] = most
    if stream:
        document["stream"] = True
    if tools and dialect in _TOOLS:
        document["tools"] = [_TOOLS[dialect](name) for name in tools]
    return _compact(document).encode()
