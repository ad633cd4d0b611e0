"""The built-in upstream's app: the mock LLM where its paths are asked for, httpbin for all else."""

from aimon_local.mock.httpbin.server import httpbin_app
from aimon_local.mock.llm.service import MockLlm
from aimon_local.wire.app import App, Request, Response


def upstream_app(llm: MockLlm) -> App:
    """One app for the port."""
    httpbin = httpbin_app()

    async def app(request: Request) -> Response:
        return await (llm(request) if llm.handles(request.path) else httpbin(request))

    return app
