"""How a gateway starts, refuses to, and ends."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from tests.support.live import COMMAND, FREE_PORTS, WAIT, GatewayProcess, Upstream, Wire, ask, until


def run(*options):
    """A start that is to fail: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [*COMMAND, "up", "--headless", *options], capture_output=True, text=True, timeout=WAIT, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_second_gateway_on_the_same_data_directory_is_refused(gateway):
    code, out, err = run("--data", str(gateway.data), *FREE_PORTS)
    assert (code, out) == (1, "")
    said = err.splitlines()
    assert [line.split(":")[0] for line in said] == ["error", "hint"]
    assert str(gateway.data) in said[0]
    assert ask(gateway.proxy, "GET", "/demo/get").status == 401  # the first one goes on


@pytest.mark.parametrize("name", ["proxy", "admin", "upstream"])
def test_a_taken_port_is_one_clear_line(tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("--data", str(tmp_path / "d"), *FREE_PORTS, f"--{name}-port", str(port))
    assert (code, out) == (1, "")
    error, hint = err.splitlines()
    assert error == f"error: port {port} for the {name} is taken"
    assert f"--{name}-port" in hint


def test_off_loopback_the_admin_api_needs_a_token(tmp_path):
    code, out, err = run("--data", str(tmp_path / "d"), *FREE_PORTS, "--host", "0.0.0.0")
    assert (code, out) == (1, "")
    assert err.startswith("error: --host 0.0.0.0 ")
    assert "--admin-token" in err
    assert not (tmp_path / "d").exists()
    with GatewayProcess(tmp_path / "d", "--host", "0.0.0.0", "--admin-token", "s3same") as gateway:
        admin = ("127.0.0.1", gateway.admin[1])
        assert ask(admin, "GET", "/services").status == 401
        assert ask(admin, "GET", "/services", Kong_Admin_Token="other").status == 401
        assert ask(admin, "GET", "/services", Kong_Admin_Token="s3same").status == 200
        assert ask(admin, "GET", "/services", Authorization="Bearer s3same").status == 200
    assert "s3same" not in gateway.out + gateway.said()


def test_a_restart_keeps_the_configuration(tmp_path, upstream):
    with GatewayProcess(tmp_path / "data") as gateway:
        keys = gateway.keys
        assert sorted(keys) == ["demo-free", "demo-pro"]
        name = gateway.route(upstream.url)
        gateway.plugin(name, "key-auth")
        _, key = gateway.consumer()
        kinds = ("services", "routes", "plugins", "consumers", "key-auths", "consumer_groups", "upstreams")
        before = {kind: gateway.write("GET", f"/{kind}")["data"] for kind in kinds}
        demo = gateway.builtin[1]
    with GatewayProcess(tmp_path / "data") as gateway:
        assert gateway.keys == {}  # shown once
        after = {kind: gateway.write("GET", f"/{kind}")["data"] for kind in kinds}
        moved = [row for row in after["services"] if row["name"] == "demo-service"]  # follows the built-in upstream
        assert moved[0]["port"] == gateway.builtin[1] != demo
        for rows in (before["services"], after["services"]):
            rows[:] = [row for row in rows if row["name"] != "demo-service"]
        assert after == before
        assert ask(gateway.proxy, "GET", f"/{name}/x", apikey=key).status == 200
        assert ask(gateway.proxy, "GET", "/demo/get", apikey=keys["demo-pro"]).status == 200


def test_ports_are_its_own_and_empty_is_empty(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        assert len({gateway.proxy, gateway.admin, gateway.builtin}) == 3
        assert 0 not in (gateway.proxy[1], gateway.admin[1], gateway.builtin[1])
        assert gateway.keys == {}
        assert gateway.write("GET", "/services")["data"] == []
    assert gateway.process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("http", ["auto", "h11"])
def test_a_stop_finishes_what_is_in_flight_and_nothing_else(tmp_path, http, how):
    go, came = threading.Event(), threading.Event()

    def script(visit):
        visit.body()
        if visit.target == "/slow":
            came.set()
            go.wait(WAIT)
        visit.answer(b"done")

    with Upstream(script) as upstream, GatewayProcess(tmp_path / "data", "--http", http) as gateway:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as idle, Wire(gateway.proxy) as busy, Wire(gateway.admin) as admin:
            idle.send(f"GET /{name}/x HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            admin.send(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (idle.answer()[0], admin.answer()[0]) == (200, 200)
            busy.send(f"GET /{name}/slow HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            came.wait(WAIT)
            gateway.process.send_signal(how)
            assert idle.rest() == b""  # an idle connection is closed at once
            assert admin.rest() == b""
            stopping(gateway)
            assert gateway.process.poll() is None
            go.set()
            status, head, body = busy.answer()
            assert (status, body) == (200, b"done")
            assert b"Connection: close\r\n" in head
            assert busy.rest() == b""
        assert gateway.ended() == 0
        assert [line for line in gateway.said().splitlines() if "topp" not in line] == []
    with GatewayProcess(tmp_path / "data") as again:
        assert [row["complete"] for row in again.rows()] == [1, 1]
        assert again.said() == ""  # it ended orderly: nothing was to be checked


LOOPS = pytest.mark.parametrize("loop", ["asyncio", "fastest"])  # uvloop, where it is installed


@LOOPS
def test_a_body_that_is_under_way_still_finds_the_built_in_upstream(tmp_path, loop):
    with GatewayProcess(tmp_path / "data", AIMON_LOCAL_LOOP=loop) as gateway, Wire(gateway.proxy) as wire:
        key = gateway.keys["demo-pro"]
        wire.send(f"POST /demo/post HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nContent-Length: 4\r\n\r\nab".encode())
        gateway.process.terminate()
        stopping(gateway)
        wire.send(b"cd")
        status, _, body = wire.answer()
        assert (status, b"abcd" in body) == (200, True)
        assert gateway.ended() == 0


@LOOPS
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once_and_in_order(tmp_path, loop, how):
    came = threading.Event()

    def script(visit):
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
        came.set()
        while visit.wire.more():
            pass

    with Upstream(script) as upstream, GatewayProcess(tmp_path / "data", AIMON_LOCAL_LOOP=loop) as gateway:
        name = gateway.route(upstream.url)
        with Wire(gateway.proxy) as wire:
            wire.send(f"GET /{name}/x HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            wire.until(b"hello")
            gateway.process.send_signal(how)
            stopping(gateway)
            assert gateway.process.poll() is None
            began = time.monotonic()
            gateway.process.send_signal(how)
            assert wire.rest() == b""
            assert gateway.ended() == 0
            assert time.monotonic() - began < 5
        assert "Traceback" not in gateway.said()
        assert [(row["status"], row["complete"]) for row in gateway.rows()] == [(200, 0)]


def stopping(gateway):
    """Wait until it has begun to stop, then see that nobody new gets in."""
    until(lambda: "stopping" in gateway.said())
    until(lambda: refused(gateway.proxy) and refused(gateway.admin))


def refused(where):
    """Nobody listens any more; a connection that was in the queue as the listener closed is reset."""
    try:
        with Wire(where) as wire:
            return wire.rest() == b""
    except (ConnectionRefusedError, ConnectionResetError):
        return True


def test_a_gateway_that_nobody_hears_ends(tmp_path):
    """Its first words go nowhere: it says so by its exit code, and leaves no process behind."""
    words = [*COMMAND, "up", "--headless", "--data", str(tmp_path / "data"), *FREE_PORTS]
    gone, ours = os.pipe()
    os.close(gone)
    with subprocess.Popen(words, stdout=ours, stderr=subprocess.DEVNULL) as process:
        os.close(ours)
        assert process.wait(WAIT) != 0
