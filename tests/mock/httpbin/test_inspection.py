"""Echoes of odd requests."""

import json

from aimon_local.mock.httpbin import inspection
from tests.support.asks import ask


def test_brotli_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(inspection, "BROTLI_MODULES", ("no_such_module_anywhere",))
    reply = ask("/brotli")
    assert reply.status == 501
    assert b"brotli" in reply.body


def test_a_deeply_nested_body_is_no_json():
    reply = ask("/post", "POST", body=b"[" * 100_000)
    assert json.loads(reply.body)["json"] is None
