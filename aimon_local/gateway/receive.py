"""RECEIVE: from a head on the wire to the facts that the rules see."""

from typing import TYPE_CHECKING

from aimon_local.policy.call import Call
from aimon_local.policy.paths import normalise
from aimon_local.wire.headers import clean_request
from aimon_local.wire.message import Client, RequestHead

if TYPE_CHECKING:
    from aimon_local.gateway.runtime import Runtime

_REMEMBERED = 512  # targets, and other texts
_BYTES = 256  # longer ones are read each time: strangers must not fill the memory


class _Targets(dict[bytes, tuple[str, str, str | None]]):
    """Targets taken apart: the path as it came, normalised, and the query; a bounded memory of what is asked often."""

    def __missing__(self, target: bytes) -> tuple[str, str, str | None]:
        raw_path, question, query = target.decode("latin-1").partition("?")
        found = (raw_path, normalise(raw_path), query if question else None)
        if len(target) <= _BYTES:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[target] = found
        return found


class _Texts(dict[bytes, str]):
    """Methods and hosts as texts; bounded too."""

    def __missing__(self, raw: bytes) -> str:
        text = raw.decode("latin-1")
        if len(raw) <= _BYTES:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[raw] = text
        return text


_targets = _Targets()
_texts = _Texts()


def read_call(runtime: "Runtime", client: Client, head: RequestHead) -> Call:
    """The facts of one request; its identity and hop-by-hop fields are gone from here on."""
    raw_path, path, query = _targets[head.path]
    method = _texts[head.method]
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
        path,
        query,
        _texts[head.host],
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
