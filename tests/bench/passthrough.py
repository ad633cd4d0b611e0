"""A bare pass-through of our own wire: the floor under the gateway's speed, and an example of a Handler.

    python -m tests.bench.passthrough --listen 8100 --upstream 9000 [--http h11] [--uvloop]

It routes, admits and counts nothing. Hygiene, framing, backpressure, deadlines and the pool are the real ones.
"""

import argparse
import asyncio
import signal
from collections.abc import Sequence

from aimon_local.wire.headers import Hop, clean_request, upstream_head
from aimon_local.wire.message import (
    Client,
    Exchange,
    Failure,
    Header,
    Origin,
    RequestHead,
    ResponseHead,
    Timeouts,
    UpstreamRequest,
)
from aimon_local.wire.pool import Pool
from aimon_local.wire.server import Listener, listen

BUFFER = 1 << 20  # a body up to this is sent whole, a larger one streams
_TIMEOUTS = Timeouts()


class PassThrough:
    """One request, passed on."""

    __slots__ = ("body", "client", "exchange", "head", "origin", "pool", "streaming")

    def __init__(self, pool: Pool, origin: Origin, client: Client) -> None:
        self.pool = pool
        self.origin = origin
        self.client = client
        self.body: list[bytes] = []
        self.exchange: Exchange | None = None
        self.streaming = False

    def send(self, body: bytes | None) -> None:
        head, client, origin = self.head, self.client, self.origin
        host = head.host.partition(b":")[0]
        hop = Hop(
            client.peer[0].encode(),
            b"%b:%d" % (origin.host.encode(), origin.port),
            host,
            client.local_port,
            head.path.partition(b"?")[0],
            None,
            b"0" * 32,
            b"1.1 passthrough",
            upgrade=head.upgrade,
        )
        fields = clean_request(head.fields, head.connection_tokens)
        request = UpstreamRequest(
            upstream_head(head.method, head.path, fields, hop),
            head.method,
            body,
            head.content_length,
            _TIMEOUTS,
            head.upgrade is not None,
        )
        self.exchange = self.pool.send(origin, request, self)

    # ---- the client's side

    def on_request(self, head: RequestHead) -> None:
        self.head = head
        if head.content_length is not None and head.content_length > BUFFER:
            self.streaming = True
            self.send(None)
        self.client.want_body()

    def on_body(self, data: bytes, last: bool) -> None:
        exchange = self.exchange
        if exchange is not None:
            if data:
                exchange.write(data)
            if last:
                exchange.end()
            return
        self.body.append(data)
        if last:
            self.send(b"".join(self.body))
        elif sum(map(len, self.body)) > BUFFER:
            self.send(None)
            assert self.exchange is not None
            for piece in self.body:
                self.exchange.write(piece)
            self.body.clear()

    def on_gone(self) -> None:
        if self.exchange is not None:
            self.exchange.cancel()

    def on_client_writable(self, writable: bool) -> None:
        if self.exchange is not None:
            if writable:
                self.exchange.resume()
            else:
                self.exchange.pause()

    # ---- the upstream's side

    def on_sent(self, ip: str, port: int) -> None:
        pass

    def on_informational(self, status: int, fields: Sequence[Header]) -> None:
        if status != 100:
            self.client.informational(status, [each[2] for each in fields])

    def on_head(self, head: ResponseHead, data: bytes, last: bool) -> None:
        lines = [each[2] for each in head.fields]
        if last:
            self.client.respond(head.status, lines, data, reason=head.reason, length=head.content_length)
        else:
            self.client.start(head.status, lines, head.content_length, data, reason=head.reason)

    def on_data(self, data: bytes, last: bool) -> None:
        if last:
            self.client.end(data)
        else:
            self.client.write(data)

    def on_trailers(self, fields: Sequence[Header]) -> None:
        pass

    def on_failure(self, failure: Failure) -> None:
        started = failure.kind.name == "CUT"
        if started:
            self.client.abort()
        else:
            status = 504 if failure.kind.name.endswith("TIMEOUT") else 502
            self.client.respond(status, [b"X-Failure: " + failure.kind.name.encode()], failure.detail.encode())

    def on_writable(self, writable: bool) -> None:
        if writable:
            self.client.resume()
        else:
            self.client.pause()


async def serve(port: int, upstream: int, http: str = "auto", host: str = "127.0.0.1") -> tuple[Listener, Pool]:
    """A pass-through on ``port`` to ``upstream``."""
    pool = Pool(http=http)
    origin = Origin("http", "127.0.0.1", upstream)
    listener = await listen(lambda client: PassThrough(pool, origin, client), host, port, http=http)
    return listener, pool


async def _main(options: argparse.Namespace) -> None:
    listener, pool = await serve(options.listen, options.upstream, options.http)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    print(f"pass-through on {listener.port}", flush=True)
    await stop.wait()
    await listener.drain(5)
    await pool.close()


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--http", choices=("auto", "h11"), default="auto")
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    if options.uvloop:
        import uvloop  # noqa: PLC0415 (an extra)

        uvloop.run(_main(options))
    else:
        asyncio.run(_main(options))


if __name__ == "__main__":
    main()
