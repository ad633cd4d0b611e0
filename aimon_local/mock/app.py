"""The built-in upstream's app: the mock LLM where its paths are asked for, httpbin for all else.

``GET /_mock/stats`` shows one count over both: the LLM's members, ``paths`` of httpbin beside them, and ``requests`` of
all; ``DELETE`` starts both anew.
"""

import json
from dataclasses import replace

from aimon_local.mock.httpbin.ask import World
from aimon_local.mock.httpbin.dispatch import STATS
from aimon_local.mock.httpbin.server import httpbin_app
from aimon_local.mock.httpbin.tally import Tally
from aimon_local.mock.llm.service import MockLlm
from aimon_local.wire.app import App, Request, Response


def upstream_app(llm: MockLlm, world: World | None = None) -> App:
    """One app for the port."""
    place = world or World()
    httpbin = httpbin_app(place)

    async def app(request: Request) -> Response:
        if request.path == STATS:
            return _both(await llm(request), request.method, place.tally)
        return await (llm(request) if llm.handles(request.path) else httpbin(request))

    return app


def _both(response: Response, method: str, tally: Tally) -> Response:
    """The LLM's answer about its statistics, with httpbin's in it."""
    if response.status >= 300 or method == "OPTIONS":
        return response
    if method == "DELETE":
        tally.clear()
        return response
    assert isinstance(response.body, bytes)
    document, counted = json.loads(response.body), tally.report()
    document["requests"] += counted["requests"]
    document["paths"] = counted["paths"]
    return replace(response, body=json.dumps(document, indent=2).encode() + b"\n")
