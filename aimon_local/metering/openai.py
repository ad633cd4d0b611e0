"""OpenAI's dialects: chat completions, completions, responses and embeddings.

Source: OpenAI's published API description. ``cached_tokens`` lie inside the prompt's tokens, ``reasoning_tokens``
inside the completion's, so both are taken out of their totals here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.metering import estimate
from aimon_local.metering.dialect import AiFacts, Answer, BadBody, Fold, whole
from aimon_local.metering.sse import Event
from aimon_local.model.tokens import TokenUsage, credible


def usage_from(report: Any, inputs: str, outputs: str) -> TokenUsage | None:
    """A usage object with its details; None where it is absent or not credible in its totals."""
    if not isinstance(report, dict):
        return None
    total_in, total_out = credible(report.get(inputs)), credible(report.get(outputs, 0))
    if total_in is None or total_out is None:
        return None
    detail_in = report.get(f"{inputs}_details")
    detail_out = report.get(f"{outputs}_details")
    read = _detail(detail_in, "cached_tokens")
    write = _detail(detail_in, "cache_write_tokens")
    reasoning = _detail(detail_out, "reasoning_tokens")
    flags: tuple[str, ...] = ()
    if read + write > total_in:
        read = write = 0
        flags = ("cached_exceeds_input",)
    if reasoning > total_out:
        reasoning = 0
        flags = (*flags, "reasoning_exceeds_output")
    hidden = (credible(report.get("total_tokens")) or 0) - total_in - total_out
    if hidden > 0:  # thought that the provider counts in the total alone: it is used, and paid for
        total_out, reasoning = total_out + hidden, reasoning + hidden
        flags = (*flags, "total_exceeds_parts")
    return TokenUsage(total_in - read - write, read, write, total_out - reasoning, reasoning, flags=flags)


def _detail(details: Any, name: str) -> int:
    return (credible(details.get(name)) or 0) if isinstance(details, dict) else 0


def tool_names(tools: Any) -> tuple[str, ...]:
    """Names of offered tools; a built-in tool goes by its type."""
    if not isinstance(tools, list):
        return ()
    names = []
    for tool in tools:
        if isinstance(tool, dict):
            function = tool.get("function")
            name = function.get("name") if isinstance(function, dict) else tool.get("name", tool.get("type"))
            names.append(str(name))
    return tuple(names)


def _model(document: Mapping[str, Any]) -> str | BadBody:
    model = document.get("model")
    if not isinstance(model, str) or not model:
        return BadBody("you must provide a model parameter", "model")
    return model


def _reads(stream: bytes) -> Any:
    try:
        return json.loads(stream)
    except ValueError:
        return None


class ChatFold:
    """Chat and text completions as chunks; usage comes in a last chunk without choices."""

    __slots__ = ("delivered", "done", "error", "finish_reason", "model", "usage")

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.delivered = 0
        self.error = self.done = False

    def take(self, event: Event) -> bool:
        """Read one chunk."""
        if event.data == b"[DONE]":
            self.done = True
            return False
        chunk = _reads(event.data)
        if not isinstance(chunk, dict):
            return False
        self.error = self.error or "error" in chunk
        self.model = chunk.get("model") or self.model
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            self._choice(choice)
        reported = usage_from(chunk.get("usage"), "prompt_tokens", "completion_tokens")
        if reported is not None:
            self.usage = reported  # some send it with every chunk, cumulative: the last one holds
        return choices == [] and chunk.get("usage") is not None

    def _choice(self, choice: Any) -> None:
        if not isinstance(choice, dict):
            return
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self.delivered += text_bytes(delta)
        elif isinstance(choice.get("text"), str):
            self.delivered += len(choice["text"].encode("utf-8", "surrogatepass"))


def text_bytes(message: Mapping[str, Any]) -> int:
    """Bytes of what the model wrote in a message or delta: text, refusal, tool names and arguments."""
    size = 0
    for name in ("content", "refusal", "reasoning_content"):
        text = message.get(name)
        if isinstance(text, str):
            size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            size += sum(len(str(function.get(part) or "")) for part in ("name", "arguments"))
    return size


@dataclass(frozen=True, slots=True)
class Completions:
    """``/v1/chat/completions`` and ``/v1/completions``."""

    name: str = "openai.chat"
    provider: str = "openai"

    def read(self, document: Mapping[str, Any]) -> AiFacts | BadBody:
        """Messages or a prompt, and the limits beside them."""
        model = _model(document)
        most = whole(document, "max_completion_tokens", "max_tokens")
        n = whole(document, "n")
        for found in (model, most, n):
            if isinstance(found, BadBody):
                return found
        messages = document.get("messages")
        if messages is None and "prompt" in document:
            prompt = estimate.embedding_tokens(document["prompt"]) + estimate.PER_REQUEST
        elif isinstance(messages, list) and messages:
            tools = (document.get("tools"), document.get("response_format"))
            prompt = estimate.messages_tokens(messages, *tools)
        else:
            return BadBody("messages must be a list that is not empty", "messages")
        options = document.get("stream_options")
        wants = isinstance(options, dict) and options.get("include_usage") is True
        stream = document.get("stream") is True
        assert isinstance(model, str)
        assert not isinstance(most, BadBody)
        choices = n if isinstance(n, int) and n > 0 else 1
        return AiFacts(self.name, model, stream, prompt, most, choices, wants, tool_names(document.get("tools")))

    def prepare(self, document: Mapping[str, Any], facts: AiFacts) -> Mapping[str, Any]:
        """A stream is always asked for its usage; the client that did not ask does not see it."""
        if not facts.stream or facts.wants_usage:
            return document
        options = document.get("stream_options")
        asked = {**options, "include_usage": True} if isinstance(options, dict) else {"include_usage": True}
        return {**document, "stream_options": asked}

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """A ``chat.completion`` or ``text_completion``."""
        usage = usage_from(document.get("usage"), "prompt_tokens", "completion_tokens")
        finish, size = None, 0
        choices = document.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            finish = choice.get("finish_reason") or finish
            message = choice.get("message")
            size += text_bytes(message) if isinstance(message, dict) else len(str(choice.get("text") or ""))
        return Answer(usage, finish, document.get("model"), size)

    def fold(self) -> Fold:
        """For a stream of chunks."""
        return ChatFold()


class ResponsesFold:
    """``/v1/responses`` as named events; usage stands in the terminal event alone."""

    __slots__ = ("delivered", "done", "error", "finish_reason", "model", "usage")

    _ENDS = ("response.completed", "response.incomplete", "response.failed")

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.delivered = 0
        self.error = self.done = False

    def take(self, event: Event) -> bool:
        """Read one event; none of them is only ours."""
        document = _reads(event.data)
        if not isinstance(document, dict):
            return False
        kind = document.get("type", event.name)
        if kind in self._ENDS:
            self._end(kind, document.get("response"))
        elif kind == "error":
            self.error = True
        elif isinstance(document.get("delta"), str):
            self.delivered += len(document["delta"].encode("utf-8", "surrogatepass"))
        return False

    def _end(self, kind: str, response: Any) -> None:
        self.done = True
        self.error = self.error or kind == "response.failed"
        if isinstance(response, dict):
            self.model = response.get("model")
            self.finish_reason = response.get("status")
            self.usage = usage_from(response.get("usage"), "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Responses:
    """``/v1/responses``."""

    name: str = "openai.responses"
    provider: str = "openai"

    def read(self, document: Mapping[str, Any]) -> AiFacts | BadBody:
        """Input, instructions and tools."""
        model, most = _model(document), whole(document, "max_output_tokens")
        for found in (model, most):
            if isinstance(found, BadBody):
                return found
        tools = document.get("tools")
        prompt = estimate.messages_tokens(document.get("input"), document.get("instructions"), tools)
        assert isinstance(model, str)
        assert not isinstance(most, BadBody)
        stream = document.get("stream") is True
        return AiFacts(self.name, model, stream, prompt, most, 1, True, tool_names(tools))

    def prepare(self, document: Mapping[str, Any], facts: AiFacts) -> Mapping[str, Any]:
        """Its streams carry usage by themselves."""
        return document

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """A ``response`` object."""
        usage = usage_from(document.get("usage"), "input_tokens", "output_tokens")
        output = document.get("output")
        size = estimate.content_tokens(output) * estimate.BYTES_PER_TOKEN if output else 0
        return Answer(usage, document.get("status"), document.get("model"), size)

    def fold(self) -> Fold:
        """For a stream of named events."""
        return ResponsesFold()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """``/v1/embeddings``: input alone."""

    name: str = "openai.embeddings"
    provider: str = "openai"

    def read(self, document: Mapping[str, Any]) -> AiFacts | BadBody:
        """Texts or token arrays."""
        model = _model(document)
        if isinstance(model, BadBody):
            return model
        if "input" not in document:
            return BadBody("input is required", "input")
        prompt = estimate.embedding_tokens(document["input"])
        return AiFacts(self.name, model, False, prompt, 0, 1, True, ())

    def prepare(self, document: Mapping[str, Any], facts: AiFacts) -> Mapping[str, Any]:
        """Nothing to ask for."""
        return document

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """A list of vectors."""
        usage = usage_from(document.get("usage"), "prompt_tokens", "completion_tokens")
        return Answer(usage, None, document.get("model"), 0)

    def fold(self) -> Fold:
        """It does not stream; what comes is passed on."""
        return ChatFold()
