"""The Admin API as an app of the wire: guard, dispatch by the table, body, handler, and the fields of every answer.

The order of judgement: who asks (403, 401), what path (404), which verb (405), which body (415, 400), the handler.
"""

import asyncio
import json
from collections.abc import Awaitable

from aimon_local.errors import StoreBusy, StoreError, StoreFull
from aimon_local.gateway.admin import guard
from aimon_local.gateway.admin.ask import NOT_ALLOWED, NOT_FOUND, Ask, Query, Reply, message, refused
from aimon_local.gateway.admin.body import EMPTY, MOST_ARGUMENTS, TOO_MANY, Body, decode
from aimon_local.gateway.admin.context import AdminContext
from aimon_local.gateway.admin.router import Match, Router, trimmed
from aimon_local.gateway.admin.table import TABLE, Endpoint
from aimon_local.gateway.auditing import acting
from aimon_local.model.audit import Actor, masked
from aimon_local.model.moment import rfc3339
from aimon_local.model.violation import Violation
from aimon_local.wire.app import App, Request, Response

_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_WRITES = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_MINT = "/agents/{agents}/tokens"
_NO_ENTITIES = ("/debug/", "/cache", "/proxy-cache", "/upstreams/{upstreams}/targets/{targets}/", "/lab")
_UNSUPPORTED = Reply(415)
_UNAUTHORIZED = message(401, "Unauthorized")

Fields = tuple[tuple[str, str], ...]


def admin_app(context: AdminContext) -> App:
    """The Admin API of one gateway."""
    router = Router(TABLE)
    server = ("Server", f"aimon-local/{context.node.version}")

    async def app(request: Request) -> Response:
        begun = context.clock.monotonic_ns()
        reply, shared = await _answered(context, router, request)
        latency = (context.clock.monotonic_ns() - begun) // 1_000_000
        kind: Fields = () if reply.content_type is None else (("Content-Type", reply.content_type),)
        moved = (("X-Aimon-Clock", rfc3339(context.clock.now_ns())),) if context.clock.moved else ()
        fields = (*kind, server, *moved, *shared, *reply.fields, ("X-Kong-Admin-Latency", str(latency)))
        return Response(reply.status, reply.body, fields)

    return app


async def _answered(context: AdminContext, router: Router, request: Request) -> tuple[Reply, Fields]:
    """The answer, and the cross-origin fields that go with it."""
    origins = request.get_all("origin")
    why = guard.refusal(context.access, request.host, origins, ", ".join(request.get_all("sec-fetch-site")))
    if why is not None:
        return message(403, why), ()
    shared = _cross_origin(origins)
    if request.method != "OPTIONS" and not guard.has_token(
        context.access, request.get("kong-admin-token"), request.get("authorization")
    ):
        return Reply(401, _UNAUTHORIZED.body, _UNAUTHORIZED.content_type, (("WWW-Authenticate", "Bearer"),)), shared
    match = router.match(request.path)
    if match is None:
        return NOT_FOUND, shared
    return await _dispatched(context, match, request), shared


def _cross_origin(origins: list[str]) -> Fields:
    """Kong's own, for an Origin that the guard let pass."""
    origin = origins[0] if origins else "*"
    return (("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"))


async def _dispatched(context: AdminContext, match: Match, request: Request) -> Reply:
    if request.method == "OPTIONS":
        return _options(match, request)
    endpoint = match.methods.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        return NOT_ALLOWED
    acting.set(Actor("admin", request.peer))
    query = Query.of(request.query)
    if len(query.pairs) > MOST_ARGUMENTS:
        return refused(TOO_MANY)
    body = _body(endpoint, request)
    if isinstance(body, Reply):
        return body
    ask = Ask(context, request, trimmed(request.path), match.params(endpoint), query, body)
    try:
        made = endpoint.handler(ask)
        reply = await made if isinstance(made, Awaitable) else made
        if context.lab is not None and context.lab.lesson is not None:
            context.lab.asked(request.method, ask.path, reply.status)
        if (
            request.method in _WRITES
            and reply.status < 300
            and (endpoint.path.startswith(_NO_ENTITIES) or (endpoint.path, endpoint.method) == (_MINT, "POST"))
        ):
            await _tell(ask, endpoint, reply)
        return reply
    except StoreError as fault:
        status = 503 if isinstance(fault, StoreBusy | StoreFull) else 500
        return message(status, f"{fault}; {fault.hint}" if fault.hint else str(fault))


async def _tell(ask: Ask, endpoint: Endpoint, reply: Reply) -> None:
    """The audit log's line of a write that changes no stored entity; a token's is told by its id."""
    context = ask.context
    if context.audit is None or context.stamp is None:
        return
    given = masked("", {str(name): value for name, value in ask.body.data.items()})
    if endpoint.path == _MINT and isinstance(reply.body, bytes):
        name, made = ask.params["agents"], json.loads(reply.body)
        line = context.stamp().entry("key", "mint", "agents", str(made.get("jti") or ""), name, None, given)
    else:
        line = context.stamp().entry("config", ask.request.method.lower(), endpoint.path, "", ask.path, None, given)
    await asyncio.to_thread(context.audit.add, [line])


def _options(match: Match, request: Request) -> Reply:
    allowed = match.allowed()
    headers = request.get("access-control-request-headers") or "Content-Type"
    fields = (
        ("Allow", allowed),
        ("Access-Control-Allow-Methods", allowed),
        ("Access-Control-Allow-Headers", headers),
    )
    return Reply(204, fields=fields)


def _body(endpoint: Endpoint, request: Request) -> Body | Reply:
    if request.method not in _WITH_BODY or endpoint.raw:
        return EMPTY
    made = decode(request.body, request.get("content-type"), request.get("content-length"))
    if isinstance(made, Violation):
        return refused(made)
    return _UNSUPPORTED if isinstance(made, str) else made
