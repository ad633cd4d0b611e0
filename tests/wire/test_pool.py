"""The pool on loopback: keeping, opening, moving, failing."""

import asyncio
import datetime
import socket
import ssl

import pytest

from aimon_local.wire.message import FailureKind, Origin, Timeouts, UpstreamRequest
from aimon_local.wire.pool import Pool
from tests.support.peers import Awaited, ScriptedUpstream, until


def request(method: bytes = b"GET", body: bytes | None = b"", **options) -> UpstreamRequest:
    return UpstreamRequest(method + b" / HTTP/1.1\r\nHost: u\r\n", method, body, **options)


async def fetch(pool: Pool, origin: Origin, *rest, **options) -> Awaited:
    events = Awaited()
    pool.send(origin, request(*rest, **options), events)
    await asyncio.wait_for(events.over.wait(), 10)
    return events


def played(script, play, http: str = "auto", **options) -> None:
    """Run ``play(pool, origin, upstream)`` against a scripted upstream."""

    async def run() -> None:
        async with ScriptedUpstream(script) as upstream:
            pool = Pool(http=http, **options)
            try:
                await play(pool, Origin("http", "127.0.0.1", upstream.port), upstream)
            finally:
                await pool.close()

    asyncio.run(run())


async def ok(visit) -> None:
    await visit.read_body()
    await visit.answer(b"%d" % visit.number)


def test_a_connection_is_kept_and_used_again(http):
    async def play(pool, origin, upstream):
        first, second = await fetch(pool, origin), await fetch(pool, origin, b"POST", b"x")
        assert (first.body, second.body) == (b"1", b"2")
        assert upstream.connections == 1
        assert first.sent_to == [("127.0.0.1", upstream.port)]
        assert pool.counts() == {"open": 1, "idle": 1, "opening": 0}

    played(ok, play, http)


def test_idle_connections_are_bounded(http):
    async def play(pool, origin, upstream):
        await asyncio.gather(*[fetch(pool, origin) for _ in range(20)])
        assert pool.counts()["idle"] == 3

    played(ok, play, http, max_idle_per_origin=3)


def test_docker_s_name_of_the_host_is_this_machine():
    async def play(pool, origin, upstream):
        events = await fetch(pool, Origin("http", "host.docker.internal", upstream.port))
        assert events.body == b"1"

    played(ok, play)


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def play(pool, origin, upstream):
        events = await fetch(pool, Origin("http", "127.0.0.1", port), b"POST", b"x")
        assert (events.failure.kind, events.failure.sent) == (FailureKind.CONNECT, False)

    played(ok, play)


def test_no_such_name(monkeypatch):
    def fail(*rest, **options):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    async def run() -> None:
        pool = Pool()
        events = await fetch(pool, Origin("http", "nowhere.invalid", 80))
        assert events.failure.kind is FailureKind.RESOLVE
        await pool.close()

    asyncio.run(run())


def test_a_connect_that_takes_too_long(monkeypatch):
    async def run() -> None:
        async def hang(*rest, **options):
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang, raising=False)
        pool = Pool()
        events = await fetch(pool, Origin("http", "127.0.0.1", 9), timeouts=Timeouts(connect=0.02))
        assert events.failure.kind is FailureKind.CONNECT_TIMEOUT
        cancelled = Awaited()
        exchange = pool.send(Origin("http", "127.0.0.1", 9), request(), cancelled)
        await asyncio.sleep(0)
        exchange.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert cancelled.failure is None
        assert pool.counts()["opening"] == 0
        await pool.close()

    asyncio.run(run())


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_idle_connections_that_the_upstream_closed_cost_no_request(http, method):
    async def script(visit):
        await ok(visit)
        visit.writer.close()

    async def play(pool, origin, upstream):
        for _ in range(25):
            events = await fetch(pool, origin, method, b"x" if method == b"POST" else b"")
            assert events.failure is None
            await asyncio.sleep(0.001)

    played(script, play, http)


def test_a_post_that_met_a_reset_is_sent_once_a_get_once_more(http):
    async def script(visit):
        await visit.read_body()
        if visit.number == 2:
            visit.reset()
        else:
            await visit.answer()

    async def play(pool, origin, upstream):
        await fetch(pool, origin)
        events = await fetch(pool, origin, b"POST", b"x")
        assert (events.failure.kind, events.failure.reused, events.failure.sent) == (FailureKind.RESET, True, True)
        assert len([each for each in upstream.requests if each.startswith(b"POST")]) == 1
        await fetch(pool, origin)
        before = len(upstream.requests)
        events = await fetch(pool, origin)
        assert (events.failure, events.body) == (None, b"ok")
        assert len(upstream.requests) == before + 2

    played(script, play, http)


def test_an_early_answer_is_heard_while_the_body_is_still_on_its_way(http):
    async def script(visit):
        await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        visit.writer.close()

    async def play(pool, origin, upstream):
        events = Awaited()
        exchange = pool.send(origin, request(b"POST", None), events)
        for _ in range(200):
            exchange.write(b"x" * 65536)
            if events.over.is_set():
                break
            await asyncio.sleep(0)
        await asyncio.wait_for(events.over.wait(), 5)
        assert events.failure is None
        assert (events.head.status, events.body) == (413, b"no")
        assert pool.counts()["idle"] == 0

    played(script, play, http)


def test_body_bytes_from_before_the_connection_are_sent_in_order(http):
    async def play(pool, origin, upstream):
        events = Awaited()
        exchange = pool.send(origin, request(b"POST", None, content_length=6), events)
        exchange.write(b"abc")
        exchange.write(b"def")
        exchange.end()
        await asyncio.wait_for(events.over.wait(), 5)
        assert events.body == b"abcdef"

    async def script(visit):
        await visit.answer(await visit.read_body())

    played(script, play, http)


def test_a_large_early_body_asks_its_source_to_wait():
    async def play(pool, origin, upstream):
        events = Awaited()
        exchange = pool.send(origin, request(b"POST", None, content_length=100_000), events)
        exchange.write(b"x" * 100_000)
        assert not events.writable.is_set()
        exchange.end()
        await asyncio.wait_for(events.over.wait(), 5)
        assert events.body == b"1"

    played(ok, play)


def test_each_answer_goes_to_its_own_request(http):
    """Many at once, some cancelled, some with surplus bytes: no token reaches another's events."""

    async def script(visit):
        token = (await visit.read_body()) + b"."
        await asyncio.sleep(0.001 * (int(token[:-1]) % 3))
        await visit.answer(token, b"X: y")
        if int(token[:-1]) % 7 == 0:
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")

    async def play(pool, origin, upstream):
        async def one(number: int) -> None:
            events = Awaited()
            exchange = pool.send(origin, request(b"POST", b"%d" % number), events)
            if number % 5 == 0:
                await asyncio.sleep(0.002)
                exchange.cancel()
                return
            await asyncio.wait_for(events.over.wait(), 10)
            if events.failure is None:
                assert events.body == b"%d." % number

        for _ in range(4):
            await asyncio.gather(*[one(number) for number in range(1, 40)])

    played(script, play, http)


def test_close_tells_running_exchanges():
    async def script(visit):
        await asyncio.Event().wait()

    async def play(pool, origin, upstream):
        events = Awaited()
        pool.send(origin, request(), events)
        await until(lambda: upstream.requests)
        waiting = Awaited()
        pool.send(Origin("http", "127.0.0.1", upstream.port), request(), waiting)
        await asyncio.sleep(0)
        await pool.close()
        await until(waiting.over.is_set)
        assert events.failure is not None
        assert waiting.failure is not None
        await until(lambda: pool.counts() == {"open": 0, "idle": 0, "opening": 0})

    played(script, play)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate file, key file) for localhost, signed by itself."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_https_is_verified_by_default_and_by_choice_not(certificate):
    async def run() -> None:
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        served.load_cert_chain(*certificate)

        async def serve(reader, writer):
            with_body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(with_body)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=served)
        port = server.sockets[0].getsockname()[1]
        pool = Pool(trust=ssl.create_default_context(cafile=certificate[0]), aliases={"other.test": "127.0.0.1"})
        strict = Pool()
        trusted = Origin("https", "localhost", port)
        assert (await fetch(pool, trusted)).body == b"ok"
        assert (await fetch(pool, trusted)).body == b"ok"
        assert pool.counts()["open"] == 1
        assert (await fetch(strict, trusted)).failure.kind is FailureKind.TLS
        assert (await fetch(strict, Origin("https", "localhost", port, verify=False))).body == b"ok"
        assert (await fetch(pool, Origin("https", "other.test", port))).failure.kind is FailureKind.TLS
        assert (await fetch(pool, Origin("https", "other.test", port, server_name="localhost"))).body == b"ok"
        await pool.close()
        await strict.close()
        server.close()
        await asyncio.sleep(0.01)

    asyncio.run(run())
