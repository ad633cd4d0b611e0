"""The Admin API on the wire: no web page from elsewhere reaches it."""

import pytest

from tests.support.live import Wire, ask


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8001"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda fields: " ".join(next(iter(fields.items()))),
)
def test_what_betrays_a_foreign_page_is_refused(gateway, method, fields):
    reply = ask(
        gateway.admin, method, "/consumers", **{name.replace("-", "_"): value for name, value in fields.items()}
    )
    assert reply.status == 403
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert "data" not in reply.json


def test_a_host_that_is_none_is_refused_by_the_wire(gateway):
    assert ask(gateway.admin, "GET", "/consumers", Host="localhost:8001@evil.example").status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "localhost:8001"},
        {"Host": "127.0.0.1"},
        {"Host": "[::1]:8001"},
        {"Origin": "http://localhost:8002"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=lambda fields: " ".join(next(iter(fields.items()))),
)
def test_this_machine_is_served(gateway, fields):
    reply = ask(gateway.admin, "GET", "/consumers", **{name.replace("-", "_"): value for name, value in fields.items()})
    assert reply.status == 200


def test_two_origins_are_as_foreign_as_the_worse_one(gateway):
    lines = ("Host: localhost", "Origin: http://localhost", "Origin: http://evil.example", "Connection: close")
    with Wire(gateway.admin) as wire:
        wire.send("\r\n".join(["GET /consumers HTTP/1.1", *lines, "", ""]).encode())
        assert wire.rest().startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
