"""OpenAI's responses format of a script: the object, and the stream of named events that ends in it. Pure."""

from collections.abc import Iterator
from typing import Any

from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.openai import CREATED, Piece, frame
from aimon_local.mock.llm.script import Script, Usage, reported


def usage_document(usage: Usage) -> dict[str, Any]:
    """The usage of a response."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }


def _items(script: Script, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {
            "id": f"fc_{call.id}",
            "type": "function_call",
            "status": status,
            "call_id": f"call_{call.id}",
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in script.calls
    ]
    if not items:
        part = {"type": "output_text", "text": script.text, "annotations": []}
        message = {
            "id": f"msg_{script.id}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part],
        }
        items.append(message)
    return items


def response_document(script: Script, knobs: Knobs, status: str | None = None) -> dict[str, Any]:
    """A ``response`` object; in progress it has neither output nor usage."""
    cut = script.finish == "length"
    status = status or ("incomplete" if cut else "completed")
    running = status == "in_progress"
    usage = None if running else reported(script.usage, knobs.usage)
    return {
        "id": f"resp_{script.id}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut and not running else None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": script.model,
        "output": [] if running else _items(script, "incomplete" if cut else "completed"),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage_document(usage) if usage is not None else None,
    }


class _Numbered:
    """Frames with ``sequence_number``."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, kind: str, tokens: int = 0, **members: Any) -> Piece:
        document = {"type": kind, "sequence_number": self._next, **members}
        self._next += 1
        return frame(document, kind), tokens


def response_frames(script: Script, knobs: Knobs) -> Iterator[Piece]:
    """The named events of a streamed response."""
    event = _Numbered()
    for kind in ("response.created", "response.in_progress"):
        yield event(kind, response=response_document(script, knobs, "in_progress"))
    for index, item in enumerate(_items(script, "completed")):
        yield from _item_frames(event, script, index, item)
    final = response_document(script, knobs)
    yield event(f"response.{final['status']}", response=final)


def _item_frames(event: _Numbered, script: Script, index: int, item: dict[str, Any]) -> Iterator[Piece]:
    place = {"item_id": item["id"], "output_index": index}
    opened: dict[str, Any] = {
        **item,
        "status": "in_progress",
        **({"arguments": ""} if "arguments" in item else {"content": []}),
    }
    yield event("response.output_item.added", output_index=index, item=opened)
    if "arguments" in item:
        for part in script.calls[index].parts:
            yield event("response.function_call_arguments.delta", 1, **place, delta=part)
        yield event("response.function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"])
    else:
        place = {**place, "content_index": 0}
        empty = {"type": "output_text", "text": "", "annotations": []}
        yield event("response.content_part.added", **place, part=empty)
        for part in script.parts:
            yield event("response.output_text.delta", 1, **place, delta=part, logprobs=[])
        yield event("response.output_text.done", **place, text=script.text, logprobs=[])
        yield event("response.content_part.done", **place, part=item["content"][0])
    yield event("response.output_item.done", output_index=index, item=item)
