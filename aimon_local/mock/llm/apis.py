"""The APIs that the mock speaks, one entry each: how a body is read, how an answer and a stream are written. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.mock.llm import anthropic, openai, responses
from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.script import Ask, Script

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """One API."""

    path: str
    read: Callable[[Body], Ask]
    document: Callable[[list[Script], Knobs], Any]
    frames: Callable[[list[Script], Knobs, Body], Iterator[openai.Piece]]
    error: Callable[[int, str, str | None], Any]  # status, message, field → error object
    error_frame: Callable[[str], bytes]  # an error inside the stream


_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def openai_error(status: int, message: str, param: str | None) -> Any:
    """OpenAI's error object for a status."""
    kind = "requests" if status == 429 else _TYPES.get(status, "server_error")
    return openai.error(message, kind, _CODES.get(status), param)


def _openai_error_frame(message: str) -> bytes:
    return openai.frame(openai.error(message, "server_error"))


def _anthropic_error(status: int, message: str, param: str | None) -> Any:
    return anthropic.error(status, message)


def _anthropic_error_frame(message: str) -> bytes:
    return openai.frame(anthropic.error(529, message), "error")


def _responses_error_frame(message: str) -> bytes:
    return openai.frame({"type": "error", "code": "server_error", "message": message, "param": None}, "error")


def _wants_usage(body: Body) -> bool:
    options = body.get("stream_options")
    return isinstance(options, Mapping) and options.get("include_usage") is True


APIS = (
    Api(
        "/v1/chat/completions",
        openai.read_chat,
        openai.chat_document,
        lambda scripts, knobs, body: openai.chat_frames(scripts, knobs, _wants_usage(body)),
        openai_error,
        _openai_error_frame,
    ),
    Api(
        "/v1/completions",
        openai.read_completion,
        lambda scripts, knobs: openai.completion_document(scripts[0], knobs),
        lambda scripts, knobs, body: openai.completion_frames(scripts[0], knobs, _wants_usage(body)),
        openai_error,
        _openai_error_frame,
    ),
    Api(
        "/v1/responses",
        openai.read_response,
        lambda scripts, knobs: responses.response_document(scripts[0], knobs),
        lambda scripts, knobs, body: responses.response_frames(scripts[0], knobs),
        openai_error,
        _responses_error_frame,
    ),
    Api(
        "/v1/messages",
        anthropic.read_message,
        lambda scripts, knobs: anthropic.message_document(scripts[0], knobs, json.loads),
        lambda scripts, knobs, body: anthropic.message_frames(scripts[0], knobs),
        _anthropic_error,
        _anthropic_error_frame,
    ),
)
BY_PATH = {api.path: api for api in APIS}
