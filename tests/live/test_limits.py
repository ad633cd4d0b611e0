"""Rate limits hold exactly, however many calls come at once."""

import socket
from collections import Counter
from contextlib import ExitStack

from tests.support.live import WAIT, Wire, room_in

LIMIT, CALLS = 50, 200


def limited(gateway, upstream):
    """A service of ``upstream`` under key-auth and a limit: (its name, a request's bytes, the consumer)."""
    name = gateway.route(upstream.url)
    gateway.plugin(name, "key-auth")
    gateway.plugin(name, "rate-limiting", hour=LIMIT, policy="local")
    consumer, key = gateway.consumer()
    return b"GET /%b/x HTTP/1.1\r\nHost: a\r\napikey: %b\r\n\r\n" % (name.encode(), key.encode()), consumer


def check(gateway, upstream, statuses, consumer):
    assert Counter(statuses) == {200: LIMIT, 429: CALLS - LIMIT}
    assert upstream.count("/x") == LIMIT
    totals = gateway.totals(consumer)
    assert totals["requests"] == LIMIT
    assert totals["denied"] == CALLS - LIMIT
    assert totals["denied_by_reason"] == {"rate_limited": CALLS - LIMIT}
    rows = Counter((row["decision"], row["status"]) for row in gateway.rows("consumer = ?", consumer))
    assert rows == {("allow", 200): LIMIT, ("deny", 429): CALLS - LIMIT}


def test_200_parallel_calls_against_50(gateway, upstream):
    request, consumer = limited(gateway, upstream)
    room_in(3600, 5)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(gateway.proxy)) for _ in range(CALLS)]
        for wire in wires:
            wire.send(request)
        statuses = [wire.answer()[0] for wire in wires]
    check(gateway, upstream, statuses, consumer)


def test_200_calls_pipelined_on_20_connections(gateway, upstream):
    request, consumer = limited(gateway, upstream)
    room_in(3600, 5)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(gateway.proxy)) for _ in range(20)]
        for wire in wires:
            wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire.socket.settimeout(WAIT)
            wire.send(request * (CALLS // 20))
        statuses = [wire.answer()[0] for wire in wires for _ in range(CALLS // 20)]
    check(gateway, upstream, statuses, consumer)
