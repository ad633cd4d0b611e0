"""Anthropic's formats of a script: messages and their stream of events. Pure. Source: its published API description."""

from collections.abc import Iterator, Mapping
from typing import Any

from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.openai import Piece, Wrong, frame, last_user_text
from aimon_local.mock.llm.script import Ask, Script, Usage, reported

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error(status: int, message: str, request_id: str | None = None) -> dict[str, Any]:
    """An error object."""
    kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}


def read_message(body: Mapping[str, Any], counts_only: bool = False) -> Ask:
    """``/v1/messages`` and ``/v1/messages/count_tokens``."""
    model, messages, most = body.get("model"), body.get("messages"), body.get("max_tokens")
    if not isinstance(model, str) or not model:
        raise Wrong("model: Field required", "model")
    if not isinstance(messages, list) or not messages:
        raise Wrong("messages: at least one message is required", "messages")
    if not counts_only and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise Wrong("max_tokens: Field required", "max_tokens")
    tools = tuple(
        (str(tool.get("name")), tool.get("input_schema", {}))
        for tool in body.get("tools") or ()
        if isinstance(tool, Mapping)
    )
    choice = body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, Mapping) else None
    forced = (
        str(choice.get("name")) if kind == "tool" and isinstance(choice, Mapping) else "any" if kind == "any" else None
    )
    prompt = [messages, body.get("system") or "", [schema for _, schema in tools]]
    stops = tuple(str(stop) for stop in body.get("stop_sequences") or ())
    return Ask(model, prompt, last_user_text(messages), most, tools, forced, None, stops)


def _stop_reason(script: Script) -> str:
    if script.stop_sequence is not None:
        return "stop_sequence"
    return {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}[script.finish]


def usage_document(usage: Usage | None) -> dict[str, Any]:
    """A message's usage; the API has no message without one, so an absent usage is an empty object."""
    if usage is None:
        return {}
    return {
        "input_tokens": usage.prompt - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
        "service_tier": "standard",
    }


def _head(script: Script) -> dict[str, Any]:
    return {"id": f"msg_{script.id}", "type": "message", "role": "assistant", "model": script.model}


def message_document(script: Script, knobs: Knobs, parse: Any) -> dict[str, Any]:
    """A whole ``message``; ``parse`` reads the arguments' JSON."""
    content: list[dict[str, Any]] = [
        {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": parse(call.arguments)}
        for call in script.calls
    ]
    if not content:
        content.append({"type": "text", "text": script.text})
    return {
        **_head(script),
        "content": content,
        "stop_reason": _stop_reason(script),
        "stop_sequence": script.stop_sequence,
        "usage": usage_document(reported(script.usage, knobs.usage)),
    }


def message_frames(script: Script, knobs: Knobs) -> Iterator[Piece]:
    """The events of a streamed message."""
    usage = reported(script.usage, knobs.usage)
    first = usage_document(Usage(usage.prompt, 1, usage.cached) if usage else None)
    opening = {**_head(script), "content": [], "stop_reason": None, "stop_sequence": None, "usage": first}
    yield frame({"type": "message_start", "message": opening}, "message_start"), 0
    yield frame({"type": "ping"}, "ping"), 0
    blocks: list[tuple[dict[str, Any], str, str, tuple[str, ...]]] = [
        (
            {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": {}},
            "input_json_delta",
            "partial_json",
            call.parts,
        )
        for call in script.calls
    ] or [({"type": "text", "text": ""}, "text_delta", "text", script.parts)]
    for index, (block, kind, member, parts) in enumerate(blocks):
        start = {"type": "content_block_start", "index": index, "content_block": block}
        yield frame(start, "content_block_start"), 0
        for part in parts:
            delta = {"type": "content_block_delta", "index": index, "delta": {"type": kind, member: part}}
            yield frame(delta, "content_block_delta"), 1
        yield frame({"type": "content_block_stop", "index": index}, "content_block_stop"), 0
    ending = {"stop_reason": _stop_reason(script), "stop_sequence": script.stop_sequence}
    counted = {"output_tokens": usage.output} if usage else {}
    if knobs.usage == "cumulative" and usage is not None:
        half = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": usage.output // 2}}
        yield frame(half, "message_delta"), 0
    yield frame({"type": "message_delta", "delta": ending, "usage": counted}, "message_delta"), 0
    yield frame({"type": "message_stop"}, "message_stop"), 0
