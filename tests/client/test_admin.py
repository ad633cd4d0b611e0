"""The Admin API's client: answers decoded, refusals in the gateway's words, no traceback whoever answers."""

import socket

import pytest

from aimon_local.client.admin import AdminClient, AdminError, segment
from tests.support.live import Upstream


def answering(status, body, kind=b"application/json"):
    head = b"HTTP/1.1 %s\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body))

    def script(visit):
        visit.body()
        visit.send(head + body)

    return Upstream(script)


def test_segments_are_data():
    assert segment("a/b?c#d e%ü") == "a%2Fb%3Fc%23d%20e%25%C3%BC"


def test_a_call_is_what_it_says():
    seen = []

    def script(visit):
        seen.append((visit.method, visit.target, visit.field(b"kong-admin-token"), visit.field(b"content-type")))
        seen.append(visit.body())
        visit.answer(b'{"a": 1}')

    with Upstream(script) as upstream:
        admin = AdminClient(upstream.url, "t")
        assert admin.get("/x", q="a b", size=5) == {"a": 1}
        assert admin.post("/x", {"k": "v"}) == {"a": 1}
        assert admin.post("/x") == {"a": 1}
    assert seen == [
        ("GET", "/x?q=a+b&size=5", b"t", b""), 0,
        ("POST", "/x", b"t", b"application/json"), len('{"k": "v"}'),
        ("POST", "/x", b"t", b"application/json"), 2,
    ]  # fmt: skip


def test_a_refusal_keeps_the_gateways_words():
    with answering(b"400 Bad", b'{"message": "no such field", "code": 2}') as upstream:
        with pytest.raises(AdminError, match="no such field") as caught:
            AdminClient(upstream.url).get("/x")
        assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"\xff", b'{"message": null}'])
def test_a_refusal_without_words_is_told_by_its_number(body):
    with answering(b"502 Bad", body) as upstream, pytest.raises(AdminError, match="answered 502"):
        AdminClient(upstream.url).get("/x")


def test_pages_are_followed_to_the_end():
    pages = {
        "/x?size=1000": b'{"data": [{"id": 1}], "offset": "a+b="}',
        "/x?size=1000&offset=a%2Bb%3D": b'{"data": [{"id": 2}], "offset": null}',
    }
    with Upstream(lambda visit: visit.answer(pages[visit.target])) as upstream:
        assert [row["id"] for row in AdminClient(upstream.url).pages("/x")] == [1, 2]


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(AdminError, match=f"no gateway answers on http://127.0.0.1:{port}") as caught:
        AdminClient(f"127.0.0.1:{port}").get("/x")
    assert caught.value.status == 0
    assert "aimon-local up" in caught.value.hint


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"])
def test_somebody_else_is_there(answer):
    def script(visit):
        visit.send(answer)
        raise ConnectionAbortedError

    with Upstream(script) as upstream, pytest.raises(AdminError) as caught:
        AdminClient(upstream.url).get("/x")
    assert caught.value.status == 0


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8001", "ftp://a", "http://", "http://a:99999", "http://a:x", "http://[::1"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(AdminError, match="is not the address of an Admin API"):
        AdminClient(url)


@pytest.mark.parametrize("token", ["t\u20acken", "two\nlines"])
def test_a_token_of_any_letters(token):
    seen = []

    def script(visit):
        seen.append(visit.field(b"kong-admin-token"))
        visit.answer(b"{}")

    with Upstream(script) as upstream:
        if "\n" in token:
            with pytest.raises(AdminError, match="token"):
                AdminClient(upstream.url, token).get("/x")
        else:
            AdminClient(upstream.url, token).get("/x")
            assert seen == [token.encode()]
