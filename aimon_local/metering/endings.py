"""How a stream is ended before its own end, in its dialect's words: as if the provider's bound on output was reached.

An ``Ending`` sees each event that is passed on, and makes the bytes that complete what the client has. All pure.

Source: the providers' published descriptions of their streams. OpenAI's chunks end with ``finish_reason`` "length" on
each open choice, the usage chunk where the client asked, ``[DONE]``; its responses with ``response.incomplete``,
``max_output_tokens``; Anthropic's messages with ``stop_reason`` "max_tokens" and ``message_stop``.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from aimon_local.metering.sse import Event
from aimon_local.model.tokens import TokenUsage


class Ending(Protocol):
    """Knows what is open in a stream."""

    finish_reason: str

    def see(self, event: Event, passed: bool = True) -> None:
        """An event of the stream; ``passed`` False: the one that is held back, behind which it is to end."""
        ...

    def words(self, usage: TokenUsage, wants_usage: bool) -> bytes:
        """The bytes that end it."""
        ...


def frame(document: Mapping[str, Any], name: str | None = None) -> bytes:
    """One event, as the providers write it."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return head + b"data: " + text.encode("utf-8", "surrogatepass") + b"\n\n"


def _document(event: Event) -> dict[str, Any]:
    try:
        document = json.loads(event.data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


class ChunksEnding:
    """Chat and text completions."""

    finish_reason = "length"

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._open: dict[int, bool] = {}  # of each choice, whether it goes on

    def see(self, event: Event, passed: bool = True) -> None:
        """Keep what all chunks say, and which choices go on."""
        chunk = _document(event)
        choices = chunk.pop("choices", None)
        if not isinstance(choices, list):
            return
        chunk.pop("usage", None)
        self._head = chunk
        for choice in choices:
            if isinstance(choice, dict) and isinstance(choice.get("index"), int):
                self._open[choice["index"]] = not (passed and choice.get("finish_reason"))

    def words(self, usage: TokenUsage, wants_usage: bool) -> bytes:
        """A last chunk, the usage where it was asked for, [DONE]."""
        text = self._head.get("object") == "text_completion"
        body: dict[str, Any] = {"text": ""} if text else {"delta": {}}
        rest = {"logprobs": None, "finish_reason": self.finish_reason}
        choices = [{"index": index, **body, **rest} for index, goes_on in sorted(self._open.items()) if goes_on]
        out = frame({**self._head, "choices": choices}) if choices else b""
        if wants_usage:
            came_in, went_out = usage.total_input, usage.total_output
            counts = {"prompt_tokens": came_in, "completion_tokens": went_out, "total_tokens": came_in + went_out}
            out += frame({**self._head, "choices": [], "usage": counts})
        return out + b"data: [DONE]\n\n"


class MessagesEnding:
    """Anthropic's messages."""

    finish_reason = "max_tokens"

    def __init__(self) -> None:
        self._open: set[int] = set()

    def see(self, event: Event, passed: bool = True) -> None:
        """Keep which blocks are open."""
        if not passed:
            return
        document = _document(event)
        index = document.get("index")
        if isinstance(index, int):
            if document.get("type") == "content_block_start":
                self._open.add(index)
            elif document.get("type") == "content_block_stop":
                self._open.discard(index)

    def words(self, usage: TokenUsage, wants_usage: bool) -> bytes:
        """The ends of the blocks, the reason with the count, the end."""
        stops: list[dict[str, Any]] = [{"type": "content_block_stop", "index": index} for index in sorted(self._open)]
        why = {"stop_reason": self.finish_reason, "stop_sequence": None}
        stops.append({"type": "message_delta", "delta": why, "usage": {"output_tokens": usage.total_output}})
        stops.append({"type": "message_stop"})
        return b"".join(frame(each, each["type"]) for each in stops)


class ResponsesEnding:
    """OpenAI's responses: items with their text so far."""

    finish_reason = "incomplete"

    def __init__(self) -> None:
        self._response: dict[str, Any] = {}
        self._items: dict[int, dict[str, Any]] = {}
        self._open: set[int] = set()
        self._number = -1

    def see(self, event: Event, passed: bool = True) -> None:
        """Put the response together."""
        document = _document(event) if passed else {}
        number, index = document.get("sequence_number"), document.get("output_index")
        if isinstance(number, int):
            self._number = number
        if isinstance(document.get("response"), dict):
            self._response = document["response"]
        if not isinstance(index, int):
            return
        kind = document.get("type")
        if kind in ("response.output_item.added", "response.output_item.done"):
            self._items[index] = document["item"] if isinstance(document.get("item"), dict) else {}
            (self._open.add if kind.endswith("added") else self._open.discard)(index)
        elif index in self._open:
            self._grow(self._items[index], str(kind), document)

    def _grow(self, item: dict[str, Any], kind: str, document: Mapping[str, Any]) -> None:
        delta = document.get("delta")
        content = item.setdefault("content", []) if item.get("type") == "message" else None
        if kind == "response.content_part.added" and isinstance(content, list):
            content.append(document.get("part"))
        elif kind == "response.function_call_arguments.delta" and isinstance(delta, str):
            item["arguments"] = str(item.get("arguments") or "") + delta
        elif kind.endswith("text.delta") and isinstance(delta, str) and content and isinstance(content[-1], dict):
            content[-1]["text"] = str(content[-1].get("text") or "") + delta

    def words(self, usage: TokenUsage, wants_usage: bool) -> bytes:
        """The ends of the items, then the response, incomplete."""
        out = b""
        for index in sorted(self._open):
            self._items[index]["status"] = "incomplete"
            out += self._event("response.output_item.done", output_index=index, item=self._items[index])
        counts = {
            "input_tokens": usage.total_input,
            "input_tokens_details": {"cached_tokens": usage.cache_read},
            "output_tokens": usage.total_output,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.total,
        }
        response = {
            **self._response,
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [self._items[index] for index in sorted(self._items)],
            "usage": counts,
        }
        return out + self._event("response.incomplete", response=response)

    def _event(self, kind: str, **members: Any) -> bytes:
        self._number += 1
        return frame({"type": kind, "sequence_number": self._number, **members}, kind)


def ending_for(dialect: str) -> Ending:
    """The ending of a dialect's streams, by the dialect's name."""
    if dialect == "anthropic.messages":
        return MessagesEnding()
    return ResponsesEnding() if dialect == "openai.responses" else ChunksEnding()
