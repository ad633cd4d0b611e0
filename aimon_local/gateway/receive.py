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
    return Call(
        now_ns=now,
        request_id=runtime.request_id(now),
        client_ip=client.peer[0],
        client_port=client.peer[1],
        server_port=client.local_port,
        scheme="http",
        method=method,
        raw_path=raw_path,
        path=normalise(raw_path),
        query=query if question else None,
        host=head.host.decode("latin-1"),
        fields=clean_request(head.fields, head.connection_tokens),
        content_length=head.content_length,
        chunked=head.chunked,
        expects_continue=head.expect_continue,
        tools=runtime.tools,
        state=live.state,
        snapshot=live.snapshot,
        connection=client.ordinal,
        connection_requests=client.requests,
        process_id=runtime.process_id,
        upstream_method=method,
        upstream_query=query if question else None,
    )
