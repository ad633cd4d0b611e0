"""Bodies on their way: events at once, cuts that are seen, tunnels, TLS, memory that does not grow."""

import datetime
import ipaddress
import json
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.live import WAIT, Upstream, Wire, ask, until

MIB = 1 << 20
SIZE = 100 * MIB
GROWTH = 24 * MIB


def get(wire, name, path="x", method="GET", *lines):
    wire.send("\r\n".join([f"{method} /{name}/{path} HTTP/1.1", "Host: a", *lines, "", ""]).encode())


def row_of(gateway, head):
    """The stored row of an answer."""
    request_id = head.split(b"X-Kong-Request-Id: ")[1][:32].decode()
    return until(lambda: gateway.rows("request_id = ?", request_id))[0]


def test_a_client_that_leaves_cancels_its_upstream_and_is_recorded(gateway):
    gone = threading.Event()

    def script(visit):
        visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        while visit.wire.more():
            pass
        gone.set()

    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as wire:
            get(wire, name)
            head = wire.until(b"\r\n\r\n")
            wire.until(b"1\r\nx\r\n")
            wire.leave()
        assert gone.wait(WAIT)
        row = row_of(gateway, head)
        assert (row["complete"], row["status"], row["bytes_out"], row["decision"]) == (0, 200, 1, "allow")


def test_a_client_that_leaves_before_the_answer_is_recorded(gateway):
    gone = threading.Event()

    def script(visit):
        while visit.wire.more():
            pass
        gone.set()

    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        service = gateway.write("GET", f"/services/{name}")["id"]
        with Wire(gateway.proxy) as wire:
            get(wire, name)
            until(lambda: upstream.targets)
            wire.leave()
        assert gone.wait(WAIT)
        row = until(lambda: gateway.rows("service_id = ?", service))[0]
        assert (row["complete"], row["status"]) == (0, 499)


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_an_upstream_that_is_cut_is_a_visible_cut(gateway, framing):
    seen = threading.Event()

    def script(visit):
        visit.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n5\r\nhello\r\n")
        seen.wait(WAIT)
        visit.wire.leave()

    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as wire:
            get(wire, name)
            head = wire.until(b"\r\n\r\n")
            assert framing in head
            assert b"hello" in wire.until(b"hello")
            seen.set()
            assert wire.rest() in (b"", b"\r\n")  # no last chunk, no hundred bytes
        assert row_of(gateway, head)["complete"] == 0


def test_events_pass_one_by_one_at_once(gateway):
    """The upstream sends the next event only when the client has seen the one before: a buffer would stop here."""
    step = threading.Event()

    def script(visit):
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            visit.send(b"9\r\ndata: %d\n\n\r\n" % number)
            assert step.wait(WAIT)
            step.clear()
        visit.send(b"0\r\n\r\n")

    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as wire:
            get(wire, name)
            head = wire.until(b"\r\n\r\n")
            assert b"Content-Type: text/event-stream\r\n" in head
            for number in range(5):
                assert wire.until(b"\n\n\r\n") == b"9\r\ndata: %d\n\n\r\n" % number
                step.set()
            assert wire.until(b"0\r\n\r\n")
        row = row_of(gateway, head)
        assert (row["complete"], row["bytes_out"]) == (1, 45)


def test_the_mock_llm_streams_through(gateway):
    name = gateway.route(f"http://127.0.0.1:{gateway.builtin[1]}")
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    fields = ("Content-Type: application/json", "X-Mock-Tokens-Per-S: 200", f"Content-Length: {len(body)}")
    with Wire(gateway.proxy) as wire:
        get(wire, name, "v1/chat/completions", "POST", *fields)
        wire.send(body.encode())
        assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert b"data: " in wire.until(b"\n\n")
        assert b"[DONE]" not in wire.seen  # it is still being written
        assert b"data: [DONE]\n\n" in wire.until(b"0\r\n\r\n")


def test_a_websocket_is_admitted_then_a_tunnel(gateway):
    def script(visit):
        assert visit.field(b"upgrade") == b"websocket"
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
        visit.send(visit.wire.exactly(5)[::-1])

    fields = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        gateway.plugin(name, "key-auth")
        _, key = gateway.consumer()
        with Wire(gateway.proxy) as wire:
            get(wire, name, "ws", "GET", *fields)
            assert wire.answer()[0] == 401
            assert upstream.targets == []
            get(wire, name, "ws", "GET", *fields, f"apikey: {key}")
            head = wire.until(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            assert b"upgrade: websocket\r\n" in head.lower()
            assert wire.exactly(5) == b"hello"
            wire.send(b"\x81\x03abc")
            assert wire.exactly(5) == b"cba\x03\x81"
        row = row_of(gateway, head)
        assert (row["status"], row["decision"]) == (101, "allow")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory):
    """TLS settings of an upstream that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_https_upstreams_are_verified_unless_told_otherwise(gateway, self_signed):
    with Upstream(tls=self_signed) as upstream:
        name = gateway.route(upstream.url)
        refused = ask(gateway.proxy, "GET", f"/{name}/x")
        assert refused.status == 502
        assert upstream.targets == []
        gateway.write("PATCH", f"/services/{name}", {"tls_verify": False})
        assert ask(gateway.proxy, "GET", f"/{name}/x").status == 200
        gateway.write("PATCH", f"/services/{name}", {"tls_verify": True})
        assert ask(gateway.proxy, "GET", f"/{name}/x").status == 502
        assert upstream.targets == ["/x"]


def resident(gateway, what="VmHWM"):
    """Peak resident memory, in bytes."""
    for line in Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise AssertionError(what)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_does_not_grow_with_bodies(gateway):
    piece, got = bytes(MIB), []

    def script(visit):
        got.append(visit.body())
        if visit.method == "GET":
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
            for _ in range(SIZE // MIB):
                visit.send(piece)
        else:
            visit.answer()

    with Upstream(script) as upstream:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as wire:
            get(wire, name, "first", "POST", "Content-Length: 0")
            assert wire.answer()[0] == 200
            before = resident(gateway, "VmRSS")
            get(wire, name, "up", "POST", f"Content-Length: {SIZE}")
            for _ in range(SIZE // MIB):
                wire.send(piece)
            assert wire.answer()[0] == 200
            get(wire, name, "chunked", "POST", "Transfer-Encoding: chunked")
            for _ in range(SIZE // MIB):
                wire.send(b"%x\r\n%b\r\n" % (MIB, piece))
            wire.send(b"0\r\n\r\n")
            assert wire.answer()[0] == 200
            get(wire, name, "down")
            wire.until(b"\r\n\r\n")
            left = SIZE
            while left:
                left -= len(wire.seen)
                wire.seen = b""
                assert not left or wire.more()
        assert got == [0, SIZE, SIZE, 0]
        assert resident(gateway) - before < GROWTH
