"""OpenAI's formats of a script: chat completions, completions, responses, embeddings, models. Pure: documents and
frames.

``read_*`` turns a body into an ``Ask`` (or raises Wrong with the field), ``*_document`` is a whole answer,
``*_frames`` a stream, one frame per token. Source: OpenAI's published API description.
"""

import base64
import struct
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.script import Ask, Script, Usage, dump, reported

MODELS = ("mock-small", "mock-large", "gpt-4o-mini", "gpt-4o", "claude-haiku", "claude-sonnet", "mock-embed")
CREATED = 1_735_689_600  # a fixed day: answers are the same each time
_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls"}


class Wrong(ValueError):
    """A request that the provider would refuse with 400; ``param`` names the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error object: all four members are always there."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def frame(document: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + dump(document) + b"\n\n"


Piece = tuple[bytes, int]
"""One frame of a stream, and how many tokens it brings."""

DONE: Piece = (b"data: [DONE]\n\n", 0)


def model_of(body: Mapping[str, Any]) -> str:
    """The model asked for."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Wrong("you must provide a model parameter", "model")
    return model


def _most(body: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = body.get(name)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise Wrong(f"{name} must be an integer from 1 up", name)
            return value
    return None


def _stops(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value or ())


def last_user_text(messages: Any) -> str:
    """The last user message's text; parts are joined."""
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping) and message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                return " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
            return str(content or "")
    return ""


def _forced(choice: Any) -> str | None:
    if choice == "required":
        return "any"
    if isinstance(choice, Mapping):
        function = choice.get("function", choice)
        return str(function.get("name", "any")) if isinstance(function, Mapping) else "any"
    return None


def read_chat(body: Mapping[str, Any]) -> Ask:
    """``/v1/chat/completions``."""
    model, messages = model_of(body), body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Wrong("messages must be a list that is not empty", "messages")
    shape = body.get("response_format")
    schema = None
    if isinstance(shape, Mapping) and shape.get("type") == "json_object":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    elif isinstance(shape, Mapping) and shape.get("type") == "json_schema":
        schema = shape.get("json_schema", {}).get("schema", {})
    tools = tuple(
        (str(tool["function"].get("name")), tool["function"].get("parameters", {}))
        for tool in body.get("tools") or ()
        if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping)
    )
    most = _most(body, "max_completion_tokens", "max_tokens")
    prompt = [messages, [schema for _, schema in tools]]
    forced = _forced(body.get("tool_choice"))
    return Ask(model, prompt, last_user_text(messages), most, tools, forced, schema, _stops(body.get("stop")))


def read_completion(body: Mapping[str, Any]) -> Ask:
    """``/v1/completions``."""
    prompt = body.get("prompt", "")
    text = prompt if isinstance(prompt, str) else " ".join(str(one) for one in prompt)
    return Ask(model_of(body), prompt, text, _most(body, "max_tokens"), stops=_stops(body.get("stop")))


def read_response(body: Mapping[str, Any]) -> Ask:
    """``/v1/responses``."""
    given = body.get("input")
    if given is None:
        raise Wrong("input is required", "input")
    tools = tuple(
        (str(tool.get("name")), tool.get("parameters", {}))
        for tool in body.get("tools") or ()
        if isinstance(tool, Mapping) and tool.get("type") == "function"
    )
    text = given if isinstance(given, str) else last_user_text(given)
    shape = body.get("text")
    shape = shape.get("format") if isinstance(shape, Mapping) else None
    schema = shape.get("schema") if isinstance(shape, Mapping) and shape.get("type") == "json_schema" else None
    prompt = [given, body.get("instructions") or "", [schema for _, schema in tools]]
    most = _most(body, "max_output_tokens")
    return Ask(model_of(body), prompt, text, most, tools, _forced(body.get("tool_choice")), schema)


def usage_document(usage: Usage | None) -> dict[str, Any] | None:
    """Chat's usage."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _calls(script: Script) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{call.id}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in script.calls
    ]


def chat_document(scripts: list[Script], knobs: Knobs) -> dict[str, Any]:
    """A ``chat.completion`` with a choice per script."""
    choices = []
    for index, script in enumerate(scripts):
        message: dict[str, Any] = {"role": "assistant", "content": script.text or None, "refusal": None}
        if script.calls:
            message["tool_calls"] = _calls(script)
        choices.append({"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[script.finish]})
    document = {
        "id": f"chatcmpl-{scripts[0].id}",
        "object": "chat.completion",
        "created": CREATED,
        "model": scripts[0].model,
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    }
    usage = usage_document(reported(total(scripts), knobs.usage))
    return document if usage is None else {**document, "usage": usage}


def total(scripts: list[Script]) -> Usage:
    """The truth about several choices: one prompt, all outputs."""
    return Usage(scripts[0].usage.prompt, sum(script.usage.output for script in scripts))


def chat_frames(scripts: list[Script], knobs: Knobs, include_usage: bool) -> Iterator[Piece]:
    """A stream of ``chat.completion.chunk``."""
    truth = total(scripts)
    sent = 0

    def chunk(choices: list[dict[str, Any]], usage: Usage | None = None, tokens: int = 0) -> Piece:
        document: dict[str, Any] = {
            "id": f"chatcmpl-{scripts[0].id}",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": scripts[0].model,
            "service_tier": "default",
            "system_fingerprint": "fp_mock",
            "choices": choices,
        }
        if include_usage:
            document["usage"] = usage_document(usage)
        return frame(document), tokens

    def delta(index: int, content: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
        return [{"index": index, "delta": content, "logprobs": None, "finish_reason": finish}]

    def running() -> Usage | None:
        return Usage(truth.prompt, sent) if knobs.usage == "cumulative" else None

    for index, script in enumerate(scripts):
        yield chunk(delta(index, {"role": "assistant", "content": "" if not script.calls else None, "refusal": None}))
        for part in script.parts:
            sent += 1
            yield chunk(delta(index, {"content": part}), running(), 1)
        for number, call in enumerate(script.calls):
            head = {"id": f"call_{call.id}", "type": "function", "function": {"name": call.name, "arguments": ""}}
            yield chunk(delta(index, {"tool_calls": [{"index": number, **head}]}))
            for part in call.parts:
                sent += 1
                yield chunk(
                    delta(index, {"tool_calls": [{"index": number, "function": {"arguments": part}}]}), running(), 1
                )
        yield chunk(delta(index, {}, _FINISH[script.finish]), running())
    usage = reported(truth, knobs.usage)
    if include_usage and usage is not None and knobs.usage not in ("late", "cumulative"):
        yield chunk([], usage)
    yield DONE
    if include_usage and knobs.usage == "late" and usage is not None:
        yield chunk([], usage)


def completion_document(script: Script, knobs: Knobs) -> dict[str, Any]:
    """A ``text_completion``."""
    choice = {"index": 0, "text": script.text, "logprobs": None, "finish_reason": _FINISH[script.finish]}
    document = {
        "id": f"cmpl-{script.id}",
        "object": "text_completion",
        "created": CREATED,
        "model": script.model,
        "choices": [choice],
    }
    usage = usage_document(reported(script.usage, knobs.usage))
    return document if usage is None else {**document, "usage": usage}


def completion_frames(script: Script, knobs: Knobs, include_usage: bool) -> Iterator[Piece]:
    """A stream of text completions."""
    head = {"id": f"cmpl-{script.id}", "object": "text_completion", "created": CREATED, "model": script.model}
    for at, part in enumerate(script.parts):
        finish = _FINISH[script.finish] if at == len(script.parts) - 1 else None
        choice = {"index": 0, "text": part, "logprobs": None, "finish_reason": finish}
        yield frame({**head, "choices": [choice]}), 1
    usage = reported(script.usage, knobs.usage)
    if include_usage and usage is not None:
        yield frame({**head, "choices": [], "usage": usage_document(usage)}), 0
    yield DONE


def embeddings_document(body: Mapping[str, Any], chance: Random, prompt_tokens: int) -> dict[str, Any]:
    """Unit-length vectors by seed, one per input."""
    given = body.get("input")
    if given in (None, "", []):
        raise Wrong("input is required", "input")
    single = isinstance(given, str) or all(isinstance(one, int) for one in given)
    size = _most(body, "dimensions") or 256
    data = []
    for index in range(1 if single else len(given)):
        vector = [chance.uniform(-1, 1) for _ in range(size)]
        length = sum(value * value for value in vector) ** 0.5
        vector = [value / length for value in vector]
        packed: Any = vector
        if body.get("encoding_format") == "base64":
            packed = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": packed})
    usage = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
    return {"object": "list", "data": data, "model": model_of(body), "usage": usage}


def models_document() -> dict[str, Any]:
    """``/v1/models``."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in MODELS]
    return {"object": "list", "data": data}
