"""The httpbin endpoints as an app of our wire: reads the request, waits where a reply says so, sends it.

The only place here that waits. Bodies are gathered by the wire up to its bound; a larger one is its 413.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from aimon_local.mock.httpbin.ask import Ask, World, read
from aimon_local.mock.httpbin.dispatch import answer
from aimon_local.mock.httpbin.reply import Parts, Reply
from aimon_local.wire.app import App, Request, Response

Sleep = Callable[[float], Awaitable[None]]


def httpbin_app(world: World | None = None, sleep: Sleep = asyncio.sleep) -> App:
    """The built-in httpbin, for ``serve_app``. ``world`` holds its clock, its chance and its statistics."""
    place = world or World()

    async def app(request: Request) -> Response:
        reply = answer(_ask(request, place))
        if reply.wait:
            await _wait(sleep, reply.wait, request.disconnected)
        return Response(reply.status, _body(reply, sleep), _fields(reply))

    return app


def _ask(request: Request, world: World) -> Ask:
    others = ((name, value) for name, value in request.fields if name.lower() != "host")
    fields = [("Host", request.host), *others] if request.host else list(others)
    return read(request.method, request.path, request.query, fields, request.body, peer=request.peer, world=world)


async def _wait(sleep: Sleep, seconds: float, gone: asyncio.Event) -> None:
    """Wait, but no longer than the client does."""
    both = {asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(gone.wait())}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in both:
            waiter.cancel()


def _body(reply: Reply, sleep: Sleep) -> bytes | AsyncIterator[bytes]:
    return reply.body if isinstance(reply.body, bytes) else _poured(reply.body, sleep)


async def _poured(parts: Parts, sleep: Sleep) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            await sleep(part)


def _fields(reply: Reply) -> list[tuple[str, str]]:
    length: Iterable[tuple[str, str]] = [("Content-Length", str(reply.length))] if reply.length is not None else ()
    return [(name, _latin(value)) for name, value in (*reply.fields, *length)]


def _latin(value: str) -> str:
    """A value that fits the wire: latin-1 as it is, other text as the bytes of its UTF-8."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value
