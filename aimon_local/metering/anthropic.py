"""Anthropic's dialect: messages, streamed and not, and count_tokens.

Source: Anthropic's published API description. The three input counts stand beside each other (their sum is the input);
``output_tokens`` holds thinking too. In a stream, ``message_start`` brings the input and a first output count,
``message_delta`` brings cumulative counts: the last one replaces, nothing is added.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.metering import estimate
from aimon_local.metering.dialect import AiFacts, Answer, BadBody, Fold, whole
from aimon_local.metering.openai import tool_names
from aimon_local.metering.sse import Event
from aimon_local.model.tokens import TokenUsage, credible

_INPUTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def usage_from(report: Any) -> TokenUsage | None:
    """A usage object; None where it is absent or its counts are not credible."""
    if not isinstance(report, dict):
        return None
    counts = [credible(report.get(name) or 0) for name in _INPUTS]
    output = credible(report.get("output_tokens"))
    if output is None or None in counts:
        return None
    fresh, read, write = (count or 0 for count in counts)
    details = report.get("output_tokens_details")
    thinking = (credible(details.get("thinking_tokens")) or 0) if isinstance(details, dict) else 0
    if thinking > output:
        return TokenUsage(fresh, read, write, output, 0, flags=("reasoning_exceeds_output",))
    return TokenUsage(fresh, read, write, output - thinking, thinking)


class MessagesFold:
    """A message as its stream of events."""

    __slots__ = ("_report", "delivered", "done", "error", "finish_reason", "model", "usage")

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.delivered = 0
        self.error = self.done = False
        self._report: dict[str, Any] = {}

    def take(self, event: Event) -> bool:
        """Read one event; none of them is only ours."""
        try:
            document = json.loads(event.data)
        except ValueError:
            return False
        if not isinstance(document, dict):
            return False
        kind = document.get("type", event.name)
        delta = document.get("delta")
        if kind == "message_start":
            message = document.get("message")
            if isinstance(message, dict):
                self.model = message.get("model")
                self._merge(message.get("usage"))
        elif kind == "content_block_delta" and isinstance(delta, dict):
            text = delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
            self.delivered += len(str(text).encode("utf-8", "surrogatepass"))
        elif kind == "message_delta":
            if isinstance(delta, dict):
                self.finish_reason = delta.get("stop_reason") or self.finish_reason
            self._merge(document.get("usage"))
        elif kind == "message_stop":
            self.done = True
        elif kind == "error":
            self.error = True
        return False

    def _merge(self, report: Any) -> None:
        if isinstance(report, dict):
            self._report.update({name: value for name, value in report.items() if value is not None})
            self.usage = usage_from(self._report)


@dataclass(frozen=True, slots=True)
class Messages:
    """``/v1/messages``."""

    name: str = "anthropic.messages"
    provider: str = "anthropic"

    def read(self, document: Mapping[str, Any]) -> AiFacts | BadBody:
        """Messages, system and tools; max_tokens is required by the provider."""
        model, most = document.get("model"), whole(document, "max_tokens")
        if not isinstance(model, str) or not model:
            return BadBody("model: Field required", "model")
        if isinstance(most, BadBody):
            return most
        messages = document.get("messages")
        if not isinstance(messages, list) or not messages:
            return BadBody("messages: at least one message is required", "messages")
        tools = document.get("tools")
        prompt = estimate.messages_tokens(messages, document.get("system"), tools)
        return AiFacts(self.name, model, document.get("stream") is True, prompt, most, 1, True, tool_names(tools))

    def prepare(self, document: Mapping[str, Any], facts: AiFacts) -> Mapping[str, Any]:
        """Its streams carry usage by themselves."""
        return document

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """A ``message`` object."""
        content = document.get("content")
        size = estimate.content_tokens(content) * estimate.BYTES_PER_TOKEN if content else 0
        return Answer(usage_from(document.get("usage")), document.get("stop_reason"), document.get("model"), size)

    def fold(self) -> Fold:
        """For a stream of events."""
        return MessagesFold()


@dataclass(frozen=True, slots=True)
class CountTokens(Messages):
    """``/v1/messages/count_tokens``: counts, and uses none."""

    name: str = "anthropic.count_tokens"

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """Free of tokens by the provider's word."""
        return Answer(TokenUsage(), None, None, 0)
