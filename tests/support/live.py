"""A gateway in a process of its own, an upstream that counts, and clients: all on loopback, all with an end."""

import itertools
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

WAIT = 15.0  # seconds; nothing here may hang longer
COMMAND = [sys.executable, "-m", "aimon_local"]
FREE_PORTS = ("--proxy-port", "0", "--admin-port", "0", "--upstream-port", "0")

Address = tuple[str, int]


def address(url: str) -> Address:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname, parts.port


def until(condition, seconds=WAIT):
    """What ``condition`` gives once it is true; fails the test after ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)
    return found


def room_in(window, seconds):
    """Wait for the next window of this length where less than ``seconds`` of the present one are left."""
    left = window - time.time() % window
    if left < seconds:
        time.sleep(left + 0.01)


# ---- clients


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def request_id(self):
        return self.headers["X-Kong-Request-Id"]


def ask(where, method="GET", target="/", body=None, **headers):
    """One request on a connection of its own; ``_`` in names of fields is ``-``."""
    connection = HTTPConnection(*where, timeout=WAIT)
    try:
        return ask_on(connection, method, target, body, **headers)
    finally:
        connection.close()


def ask_on(connection, method="GET", target="/", body=None, **headers):
    """One request on a kept connection."""
    connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
    with connection.getresponse() as response:
        return Reply(response.status, response.headers, response.read())


class Wire:
    """A raw client."""

    def __init__(self, where):
        self.socket = socket.create_connection(where, WAIT)
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        """Whether more bytes came; False at the end, or after a reset."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            return False
        self.seen += data
        return bool(data)

    def until(self, mark):
        """All bytes up to and with ``mark``; they are taken."""
        while mark not in self.seen:
            assert self.more(), f"{mark!r} did not come after {self.seen[-300:]!r}"
        taken, _, self.seen = self.seen.partition(mark)
        return taken + mark

    def exactly(self, size):
        """The next ``size`` bytes."""
        while len(self.seen) < size:
            assert self.more(), f"ended after {len(self.seen)} of {size} bytes"
        taken, self.seen = self.seen[:size], self.seen[size:]
        return taken

    def answer(self):
        """(status, head, body) of an answer with a length."""
        head = self.until(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        return int(head.split()[1]), head, self.exactly(length)

    def rest(self):
        """All that comes until the other side ends it."""
        while self.more():
            pass
        return self.seen

    def leave(self):
        """Go with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


# ---- an upstream


class Visit:
    """One request at the upstream."""

    def __init__(self, wire, head):
        self.wire, self.head = wire, head
        self.method, self.target = (word.decode() for word in head.split()[:2])

    def field(self, name):
        """The value of a field, b"" where there is none."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.partition(b":")
            if found.lower() == name:
                return value.strip()
        return b""

    def body(self):
        """Read the body away, whatever its size; its length."""
        if self.field(b"transfer-encoding"):
            size = 0
            while length := int(self.wire.until(b"\r\n"), 16):
                self._skip(length)
                self.wire.until(b"\r\n")
                size += length
            self.wire.until(b"\r\n")
            return size
        size = int(self.field(b"content-length") or 0)
        self._skip(size)
        return size

    def _skip(self, size):
        while len(self.wire.seen) < size:
            size -= len(self.wire.seen)
            self.wire.seen = b""
            assert self.wire.more()
        self.wire.seen = self.wire.seen[size:]

    def send(self, data):
        self.wire.send(data)

    def answer(self, body=b"ok", *lines):
        self.send(b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(body), b"", body)))


class Upstream:
    """Counts and serves each request by ``script(visit)`` on a thread per connection."""

    def __init__(self, script=lambda visit: (visit.body(), visit.answer()), tls: ssl.SSLContext | None = None):
        self.script, self._tls = script, tls
        self.targets: list[str] = []
        self.faults: list[BaseException] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(WAIT)
        for peer in list(self._open):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT)
        self._listening.close()

    @property
    def url(self):
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def count(self, prefix):
        """How many requests came whose target begins so."""
        return sum(target.startswith(prefix) for target in self.targets)

    def _accept(self):
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            peer.settimeout(WAIT)
            thread = threading.Thread(target=self._serve, args=(peer,))
            self._threads.append(thread)
            self._open.add(peer)
            thread.start()

    def _serve(self, peer):
        wire = Wire.__new__(Wire)
        wire.socket, wire.seen = peer, b""
        try:
            if self._tls is not None:
                self._open.discard(peer)  # wrapping takes its descriptor away
                wire.socket = peer = self._tls.wrap_socket(peer, server_side=True)
                self._open.add(peer)
            while wire.seen or wire.more():
                visit = Visit(wire, wire.until(b"\r\n\r\n"))
                self.targets.append(visit.target)
                self.script(visit)
        except (OSError, AssertionError) as fault:
            self.faults.append(fault)
        finally:
            self._open.discard(peer)
            peer.close()


# ---- a gateway

_numbers = itertools.count(1)


class GatewayProcess:
    """A running ``aimon-local up``."""

    def __init__(self, data: Path, *options: str, **environ: str):
        self.data = data
        self.log = data.with_name(f"{data.name}.{next(_numbers)}.stderr")
        command = [*COMMAND, "up", "--headless", "--data", str(data), "--log-format", "json", *FREE_PORTS, *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environ}
            )
        self.out = self.process.stdout.readline().decode()
        if not self.out:
            self.ended()
            raise AssertionError(f"it did not start: {self.log.read_text()}")
        ready = json.loads(self.out)
        self.proxy, self.admin, self.builtin = (address(ready[name]) for name in ("proxy", "admin", "upstream"))
        self.keys = ready["keys"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.ended()

    def ended(self):
        """Wait for its end; the exit code, with all that it said kept in ``out`` and ``log``."""
        try:
            code = self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        if not self.process.stdout.closed:
            with self.process.stdout as left:
                self.out += left.read().decode()
        return code

    def kill(self):
        """End it as a power cut of the process would."""
        self.process.kill()
        return self.ended()

    def said(self):
        return self.log.read_text()

    # ---- its configuration

    def write(self, method, path, document=None):
        """An Admin write or read; the decoded answer."""
        if document is None:
            reply = ask(self.admin, method, path)
        else:
            reply = ask(self.admin, method, path, json.dumps(document), Content_Type="application/json")
        assert reply.status < 300, (method, path, reply.status, reply.body)
        return reply.json if reply.body else None

    def route(self, url, **service):
        """A service and a route to it under a name of its own: the name; its path is ``/name``."""
        name = f"s{next(_numbers)}"
        self.write("POST", "/services", {"name": name, "url": url, **service})
        self.write("POST", f"/services/{name}/routes", {"name": name, "paths": [f"/{name}"]})
        return name

    def plugin(self, service, plugin, **config):
        """Add a plugin to a service."""
        return self.write("POST", f"/services/{service}/plugins", {"name": plugin, "config": config})

    def consumer(self, **plugins):
        """A consumer with plugins (name=config) and a key: (name, key)."""
        name = f"c{next(_numbers)}"
        self.write("POST", "/consumers", {"username": name})
        for plugin, config in plugins.items():
            document = {"name": plugin.replace("_", "-"), "config": config}
            self.write("POST", f"/consumers/{name}/plugins", document)
        return name, self.write("POST", f"/consumers/{name}/key-auth")["key"]

    def totals(self, consumer):
        """What ``GET /usage`` says."""
        return self.write("GET", f"/usage?consumer={consumer}")["totals"]

    def rows(self, where="1", *values):
        """Stored usage rows as mappings, in the order of their commits, read beside the gateway."""
        with closing(sqlite3.connect(f"file:{self.data / 'aimon-local.db'}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(f"SELECT * FROM usage WHERE {where} ORDER BY seq", values)]
