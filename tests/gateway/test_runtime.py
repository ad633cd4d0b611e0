"""What exchanges share: identifiers in the order of time, and the head that goes upstream."""

import re

from tests.support.stage import Stage


def sent(stage, *args, **facts):
    """The head of a request that was sent, as lines."""
    stage.ask(*args, **facts)
    return stage.heads[-1][1].head.decode().split("\r\n")


def test_request_ids_are_kongs_shape_differ_and_grow_with_time():
    runtime = Stage().runtime
    made = [runtime.request_id(now) for now in range(1_700_000_000_000_000_000, 1_700_000_000_000_000_500)]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)
    assert made == sorted(made)
    assert len({each[16:] for each in made}) == 500


def test_the_head_that_goes_upstream():
    lines = sent(Stage(), "GET", "/r/a%20b?q=1", [("X-Own", "1"), ("X-Forwarded-For", "1.2.3.4"), ("apikey", "k")])
    assert lines[0] == "GET /base/a%20b?q=1 HTTP/1.1"
    fields = dict(line.split(": ", 1) for line in lines[1:] if line)
    low = {name.lower(): value for name, value in fields.items()}
    assert low["host"] == "up.test:5000"
    assert low["x-own"] == "1"
    assert low["x-forwarded-for"].endswith("10.0.0.9")
    assert (low["x-forwarded-proto"], low["x-forwarded-host"], low["x-forwarded-port"]) == ("http", "gw.test", "8000")
    assert (low["x-forwarded-path"], low["x-forwarded-prefix"]) == ("/r/a%20b", "/r")
    assert re.fullmatch("[0-9a-f]{32}", low["x-kong-request-id"])
    assert low["via"] == "1.1 aimon-local/test"


def test_a_query_that_is_empty_keeps_its_mark():
    assert sent(Stage(), "GET", "/r?")[0].startswith("GET /base? ")
    assert sent(Stage(), "GET", "/r")[0].startswith("GET /base ")


def test_the_host_that_was_asked_for_is_told_without_its_port():
    stage = Stage()
    for host, told in ((b"GW.test:8000", "gw.test"), (b"[::1]:80", "[::1]"), (b"gw", "gw")):
        lines = [line.lower() for line in sent(stage, host=host)]
        assert f"x-forwarded-host: {told}" in lines
