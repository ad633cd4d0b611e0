"""What the wire refuses by itself, as Kong words it."""

import json

import pytest

from aimon_local.gateway.wire_errors import wire_error
from tests.support.stage import Stage, make_head


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (None, b"text/plain"),
        (make_head(fields=[("Accept", "application/json")]), b"application/json"),
        (make_head(fields=[("Accept", "text/html")]), b"text/html"),
        (make_head(fields=[("Content-Type", "application/json")]), b"application/json"),
    ],
)
def test_the_form_follows_the_head_as_far_as_it_is_known(head, kind):
    lines, body = wire_error(Stage().runtime)(400, "Bad request", head)
    assert lines[0].startswith(b"Content-Type: " + kind)
    assert b"Bad request" in body
    assert b"Server: aimon-local/test" in lines
    names = [line.split(b":")[0] for line in lines]
    assert names[-3:] == [b"Date", b"X-Kong-Response-Latency", b"X-Kong-Request-Id"]


def test_the_id_of_the_page_is_the_one_of_the_field():
    lines, body = wire_error(Stage().runtime)(408, "late", make_head(fields=[("Accept", "application/json")]))
    assert json.loads(body)["request_id"] == lines[-1].split(b": ")[1].decode()
