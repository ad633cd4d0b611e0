"""Fields of the answer that the request asks for."""

import json

import pytest

from tests.support.asks import ask, field


def test_response_headers_never_break_the_framing():
    reply = ask("/response-headers?Content-Length=3&Transfer-Encoding=chunked&X-A=1")
    assert json.loads(reply.body)["Content-Length"] == [str(len(reply.body)), "3"]
    assert {"content-length", "transfer-encoding"}.isdisjoint({n.lower() for n, _ in reply.fields})
    assert field(reply, "X-A") == "1"


@pytest.mark.parametrize("query", ["a%20b=1", "=1", "a=%0d%0ab", "%0aa=1", "a%3A=1"])
def test_response_headers_refuses_what_is_no_field(query):
    assert ask(f"/response-headers?{query}").status == 400
