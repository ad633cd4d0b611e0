"""RECEIVE: from a head on the wire to the facts that the rules see."""

from typing import TYPE_CHECKING

from aimon_local.policy.call import Call
from aimon_local.policy.paths import normalise
from aimon_local.wire.headers import clean_request
from aimon_local.wire.message import Client, RequestHead

if TYPE_CHECKING:
    from aimon_local.gateway.runtime import Runtime


def read_call(runtime: "Runtime", client: Client, head: RequestHead) -> Call:
    """The facts of one request; its identity and hop-by-hop fields are gone from here on."""
    raw_path, question, query = head.path.decode("latin-1").partition("?")
    method = head.method.decode("latin-1")
    live = runtime.live
    now = runtime.clock.now_ns()
    call = Call(  # the facts by place: names would cost each request two microseconds
        now,
        runtime.request_id(now),
        client.peer[0],
        client.peer[1],
        client.local_port,
        "http",
        method,
        raw_path,
        normalise(raw_path),
        query if question else None,
        head.host.decode("latin-1"),
        clean_request(head.fields, head.connection_tokens),
        head.content_length,
        head.chunked,
        head.expect_continue,
        runtime.tools,
        live.state,
        live.snapshot,
        client.ordinal,
        client.requests,
    )
    call.process_id = runtime.process_id
    call.upstream_method = method
    call.upstream_query = call.query
    return call
