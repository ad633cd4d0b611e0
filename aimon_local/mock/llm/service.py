"""The mock LLM as an app: requests in, documents and streams out, faults where the knobs say so.

Waiting is injected (``sleep``), so that tests and virtual runs do not wait. Every answer is written from a pure script.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from random import Random
from typing import Any

from aimon_local.mock.llm import anthropic, openai, words
from aimon_local.mock.llm.apis import BY_PATH, Api, openai_error
from aimon_local.mock.llm.knobs import BadKnob, Knobs, from_headers, set_knobs
from aimon_local.mock.llm.script import Script, befalls, chance_for, dump, write
from aimon_local.mock.llm.stats import Stats
from aimon_local.wire.app import Cut, Request, Response

Sleep = Callable[[float], Awaitable[None]]

_JSON = ("Content-Type", "application/json")
_SSE = (("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"))
_REASONS = {500: "The server had an error while processing your request", 429: "Rate limit reached for requests"}


class MockLlm:
    """One mock LLM: its knobs, its count, its app."""

    def __init__(self, knobs: Knobs | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self.knobs = knobs or Knobs()
        self.stats = Stats()
        self._sleep = sleep
        self._freed = asyncio.Condition()
        self._serving = self._queued = 0

    def handles(self, path: str) -> bool:
        """Whether a path is the mock LLM's."""
        return path.startswith(("/v1/", "/_mock/"))

    async def __call__(self, request: Request) -> Response:
        """Answer one request; a stream counts as in flight until its end."""
        if request.path.startswith("/_mock/"):
            return self._control(request)
        self.stats.began(request.path)
        place = _Place(self)
        try:
            response = await self._answer(request, place)
        except BaseException:
            await place.leave()
            raise
        self.stats.answered(response.status)
        if isinstance(response.body, bytes):
            await place.leave()
        else:
            response.body = _until_end(response.body, place)
        return response

    # ---- control

    def _control(self, request: Request) -> Response:
        """``/_mock/stats`` and ``/_mock/config``."""
        if request.path == "/_mock/stats" and request.method in ("GET", "HEAD"):
            return _json(200, self.stats.document())
        if request.path == "/_mock/stats" and request.method == "DELETE":
            in_flight, self.stats = self.stats.in_flight, Stats()
            self.stats.in_flight = in_flight
            return Response(204)
        if request.path == "/_mock/config":
            if request.method in ("PATCH", "PUT"):
                return self._configure(request)
            return _json(200, {name: getattr(self.knobs, name) for name in Knobs.__slots__})
        return _json(404, openai_error(404, f"there is no {request.path}", None))

    def _configure(self, request: Request) -> Response:
        base = self.knobs if request.method == "PATCH" else Knobs()
        try:
            values = json.loads(request.body)
            if not isinstance(values, Mapping):
                raise BadKnob("send a JSON object of knobs")
            self.knobs = set_knobs(base, values)
        except ValueError as wrong:
            return _json(400, openai_error(400, str(wrong), None))
        return _json(200, {name: getattr(self.knobs, name) for name in Knobs.__slots__})

    # ---- answers

    async def _answer(self, request: Request, place: "_Place") -> Response:
        if request.path.startswith("/v1/models") and request.method in ("GET", "HEAD"):
            return _models(request.path.removeprefix("/v1/models").strip("/"))
        api = BY_PATH.get(request.path)
        plain = request.path in ("/v1/embeddings", "/v1/messages/count_tokens")
        if api is None and not plain:
            return _json(404, openai_error(404, f"Unknown request URL: {request.method} {request.path}", None))
        if request.method != "POST":
            return _json(405, openai_error(405, f"Not allowed to {request.method} on {request.path}", None))
        error = api.error if api else anthropic_or_openai(request.path)
        try:
            knobs = from_headers(self.knobs, [(name, value) for name, value, _ in request.head.fields])
            body = json.loads(request.body)
            if not isinstance(body, Mapping):
                raise openai.Wrong("the body must be a JSON object")
        except (ValueError, RecursionError) as wrong:
            return _json(400, error(400, str(wrong), None))
        chance = chance_for(knobs, body)
        if befalls(knobs, chance):
            return _fault(knobs, error)
        try:
            if not await place.take(knobs):
                return _json(503, error(503, "The engine is currently overloaded, please try again later", None))
            return await self._write(request.path, api, body, knobs, chance)
        except openai.Wrong as wrong:
            return _json(400, error(400, str(wrong), wrong.param))

    async def _write(
        self, path: str, api: Api | None, body: Mapping[str, Any], knobs: Knobs, chance: Random
    ) -> Response:
        if api is None:
            return self._plain(path, body, chance)
        ask = api.read(body)
        choices = body.get("n") if isinstance(body.get("n"), int) and path == "/v1/chat/completions" else 1
        scripts = [write(ask, knobs, chance) for _ in range(max(1, choices or 1))]
        ident = (("X-Request-Id", f"req_{scripts[0].id}"),)
        if body.get("stream") is True:
            pace = _Pace(knobs, chance, self._sleep)
            frames = api.frames(scripts, knobs, body)
            return Response(200, self._stream(api, frames, scripts, knobs, pace), (*_SSE, *ident))
        await _Pace(knobs, chance, self._sleep).whole(sum(script.usage.output for script in scripts))
        document = dump(api.document(scripts, knobs))
        self._count(scripts, sum(script.usage.output for script in scripts))
        if knobs.disconnect_after:
            self.stats.cut += 1
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(document)
            raise Cut(head + document[: len(document) // 2])
        if knobs.malformed:
            document = document[:-1] + b","
        if knobs.slow_body_ms:
            return Response(200, self._slowly(document, knobs), (_JSON, *ident))
        return Response(200, document, (_JSON, *ident))

    def _plain(self, path: str, body: Mapping[str, Any], chance: Random) -> Response:
        if path == "/v1/messages/count_tokens":
            return _json(200, {"input_tokens": words.count(anthropic.read_message(body, counts_only=True).prompt)})
        size = words.count(body.get("input"))
        document = openai.embeddings_document(body, chance, size)
        self.stats.served(document["model"], size, 0)
        return _json(200, document)

    def _count(self, scripts: list[Script], output: int) -> None:
        self.stats.served(scripts[0].model, scripts[0].usage.prompt, output)

    async def _slowly(self, document: bytes, knobs: Knobs) -> AsyncIterator[bytes]:
        for at in range(0, len(document), 64):
            await self._sleep(knobs.slow_body_ms / 1000)
            yield document[at : at + 64]

    async def _stream(
        self, api: Api, frames: Iterator[openai.Piece], scripts: list[Script], knobs: Knobs, pace: "_Pace"
    ) -> AsyncIterator[bytes]:
        """The frames with their waits and faults; what went out is counted, however it ends."""
        total = sum(script.usage.output for script in scripts)
        sent = whole = 0
        try:
            await pace.first()
            for frame, token in frames:
                if token and sent:
                    await pace.next()
                if 0 < knobs.truncate_after <= sent:
                    return
                if 0 < knobs.disconnect_after <= sent:
                    raise Cut
                if 0 < knobs.error_after <= sent:
                    yield api.error_frame("The server is overloaded")
                    return
                sent += token
                yield frame[:-4] + b"\n\n" if knobs.malformed and token else frame
            whole = 1
        finally:
            self.stats.cut += not whole
            self._count(scripts, total if whole else min(sent, total))


class _Place:
    """A request's place among those that are served at once (``max_concurrent``), or in the queue for one."""

    __slots__ = ("_mock", "_taken")

    def __init__(self, mock: MockLlm) -> None:
        self._mock, self._taken = mock, False

    async def take(self, knobs: Knobs) -> bool:
        """Wait for a place; False where the queue is full too."""
        mock = self._mock
        if knobs.max_concurrent and mock._serving >= knobs.max_concurrent:
            if mock._queued >= knobs.queue:
                return False
            mock._queued += 1
            try:
                async with mock._freed:
                    await mock._freed.wait_for(lambda: mock._serving < knobs.max_concurrent)
            finally:
                mock._queued -= 1
        mock._serving += 1
        self._taken = True
        return True

    async def leave(self) -> None:
        """The request is over."""
        mock = self._mock
        mock.stats.ended()
        if self._taken:
            mock._serving -= 1
            if mock._queued:
                async with mock._freed:
                    mock._freed.notify_all()


async def _until_end(body: AsyncIterator[bytes], place: _Place) -> AsyncIterator[bytes]:
    try:
        async for data in body:
            yield data
    finally:
        await place.leave()


def anthropic_or_openai(path: str) -> Callable[[int, str, str | None], Any]:
    """The error shape of a path."""
    return BY_PATH["/v1/messages"].error if path.startswith("/v1/messages") else openai_error


def _json(status: int, document: Any) -> Response:
    return Response(status, dump(document), (_JSON,))


def _models(name: str) -> Response:
    document = openai.models_document()
    if not name:
        return _json(200, document)
    found = next((one for one in document["data"] if one["id"] == name), None)
    if found is None:
        return _json(404, openai_error(404, f"The model '{name}' does not exist", "model"))
    return _json(200, found)


def _fault(knobs: Knobs, error: Callable[[int, str, str | None], Any]) -> Response:
    message = _REASONS.get(knobs.error_status, f"The mock was told to answer {knobs.error_status}")
    response = _json(knobs.error_status, error(knobs.error_status, message, None))
    if knobs.retry_after is not None:
        response.fields = (*response.fields, ("Retry-After", f"{knobs.retry_after:g}"))
    return response


class _Pace:
    """The waits of one answer: before the first token, and between tokens, with their jitter."""

    def __init__(self, knobs: Knobs, chance: Random, sleep: Sleep) -> None:
        self._knobs, self._chance, self._sleep = knobs, chance, sleep

    async def _wait(self, seconds: float) -> None:
        if seconds:
            spread = self._knobs.jitter * self._chance.uniform(-1, 1)
            await self._sleep(max(0.0, seconds * (1 + spread)))

    async def first(self) -> None:
        """Time to first token."""
        await self._wait(self._knobs.ttft_ms / 1000)

    async def next(self) -> None:
        """Time between two tokens."""
        if self._knobs.tokens_per_s:
            await self._wait(1 / self._knobs.tokens_per_s)

    async def whole(self, tokens: int) -> None:
        """The time that an answer which does not stream takes."""
        await self.first()
        if self._knobs.tokens_per_s:
            await self._wait(tokens / self._knobs.tokens_per_s)
