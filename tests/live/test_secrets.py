"""Where API keys are hashed, none is to be found in clear: not on disk, not in what is said, not in answers."""

import json
import sqlite3

import pytest

from tests.support.live import GatewayProcess, Wire, ask


def written(directory):
    """All bytes of all files below a directory, by name."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def used(gateway, upstream, key):
    """Offer a key in every way, and see every answer that could tell it."""
    name = gateway.route(upstream.url)
    plugin = gateway.plugin(name, "key-auth", key_in_body=True)["id"]
    consumer, made = gateway.consumer()
    given = gateway.write("POST", f"/consumers/{consumer}/key-auth", {"key": key})
    bodies = []
    for target, fields in ((f"/{name}/x?apikey={key}", {}), (f"/{name}/x", {"apikey": key})):
        reply = ask(gateway.proxy, "GET", target, **fields)
        assert reply.status == 200
        bodies.append(reply.body)
    gateway.write("PATCH", f"/plugins/{plugin}", {"config": {"key_names": ["other"]}})
    bodies.append(ask(gateway.proxy, "GET", f"/{name}/x?apikey={key}").body)
    gateway.write("PATCH", f"/plugins/{plugin}", {"config": {"key_names": ["apikey"]}})
    again = json.dumps({"key": key})
    bodies.append(
        ask(gateway.admin, "POST", f"/consumers/{consumer}/key-auth", again, Content_Type="application/json").body
    )
    gateway.write("DELETE", f"/consumers/{consumer}/key-auth/{given['id']}")
    refused = ask(gateway.proxy, "GET", f"/{name}/x", apikey=key)
    assert refused.status == 401
    bodies.append(refused.body)
    gateway.write("POST", f"/consumers/{consumer}/key-auth", {"key": key})
    with Wire(gateway.proxy) as wire:
        wire.send(f"GET /{name}/x HTTP/1.1\r\nHost: a\r\napikey: {key}\r\n folded: {key}\r\n\r\n".encode())
        bodies.append(wire.rest())
    with Wire(gateway.proxy) as wire:
        wire.send(
            f"GET /{name}/x?apikey={key} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".encode()
        )
        bodies.append(wire.rest())
    for path in (
        f"/consumers/{consumer}/key-auth",
        "/key-auths",
        f"/key-auths/{made_id(gateway, consumer)}",
        "/",
        "/status",
    ):
        bodies.append(ask(gateway.admin, "GET", path).body)
    bodies.append(ask(gateway.admin, "GET", "/config").body)
    bodies.append(ask(gateway.admin, "GET", "/metrics").body)
    return made, bodies


def made_id(gateway, consumer):
    return gateway.write("GET", f"/consumers/{consumer}/key-auth")["data"][0]["id"]


@pytest.mark.parametrize("killed", [False, True])
def test_no_key_in_clear_is_left_anywhere(tmp_path, upstream, killed):
    key = "wintergreen-0123456789-abcdef"
    with GatewayProcess(tmp_path / "data") as gateway:
        demo = gateway.keys
        made, bodies = used(gateway, upstream, key)
        secrets = [key, made, *demo.values()]
        for secret in secrets:
            assert not [body for body in bodies if secret.encode() in body]
        if killed:
            gateway.kill()
    said = gateway.out.split("\n", 1)[1] + gateway.said()  # the first line shows the demo's keys, this once
    files = written(tmp_path / "data")
    assert files
    for secret in secrets:
        assert secret not in said
        assert not [name for name, content in files.items() if secret.encode() in content]
    assert key not in gateway.out
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()}
    assert not any(modes.values()), modes


def test_plaintext_is_kongs_way(tmp_path):
    with GatewayProcess(tmp_path / "data", "--credentials", "plaintext") as gateway:
        consumer, key = gateway.consumer()
        listed = gateway.write("GET", f"/consumers/{consumer}/key-auth")["data"]
        assert [row["key"] for row in listed] == [key]
        stored = f"file:{tmp_path / 'data' / 'aimon-local.db'}?mode=ro"
        db = sqlite3.connect(stored, uri=True)
        assert key in str(db.execute("SELECT body FROM keyauth_credentials").fetchall())
        db.close()
