"""What the gateway says of itself."""

import pytest

from aimon_local.policy.plugins import ORDER
from tests.support.admin import AdminUnderTest


def test_root():
    admin = AdminUnderTest(plugins=ORDER)
    admin.ask("POST", "/plugins", {"name": "key-auth"})
    status, body = admin.ask("GET", "/")
    assert status == 200
    assert body["version"] == "3.9.3"  # whose API it is; ours is in the Server field
    assert body["plugins"]["enabled_in_cluster"] == ["key-auth"]
    assert body["plugins"]["available_on_server"]["rate-limiting"] == {"version": "3.9.3", "priority": 910}
    assert (body["hostname"], body["pids"]) == ("laptop", {"master": 4711, "workers": [4711]})
    assert admin.ask("GET", "/plugins/enabled")[1]["enabled_plugins"] == [kind.name for kind in ORDER]


@pytest.mark.parametrize(
    ("query", "memory"),
    [("", "3.00 MiB"), ("?unit=b", 3 << 20), ("?unit=K", "3072.00 KiB"), ("?unit=g&scale=4", "0.0029 GiB"), ("?scale=x", "3.00 MiB"), ("?scale=-1", "3.00 MiB"), ("?scale=0", "3 MiB")],
)  # fmt: skip
def test_status(query, memory):
    status, body = AdminUnderTest().ask("GET", f"/status{query}")
    assert status == 200
    assert body["memory"]["workers_lua_vms"] == [{"pid": 4711, "http_allocated_gc": memory}]
    assert (body["server"]["connections_active"], body["server"]["total_requests"]) == (2, 7)
    assert body["database"] == {"reachable": True}


def test_status_of_a_unit_that_is_none():
    status, body = AdminUnderTest().ask("GET", "/status?unit=V")
    assert (status, body) == (400, {"message": "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')"})


def test_metrics_are_text():
    response = AdminUnderTest().send("GET", "/metrics")
    assert response.body == b"kong_node_info 1\n"
    assert dict(response.fields)["Content-Type"] == "text/plain; charset=UTF-8"


def test_timers():
    assert AdminUnderTest().ask("GET", "/timers")[1]["stats"]["sys"]["running"] == 0


@pytest.mark.parametrize(
    ("path", "data", "answer", "level", "seconds"),
    [
        ("debug", None, "log level changed", "debug", 60),
        ("debug?timeout=7", None, "log level changed", "debug", 7),
        ("debug?timeout=7.2", None, "log level changed", "debug", 8),
        ("debug", "timeout=9", "log level changed", "debug", 9),
        ("debug?timeout=x", None, "log level changed", "debug", 60),
        ("notice", None, "log level is already notice", "notice", None),
        ("debug?timeout=-1", None, "timeout must be greater than or equal to 0", "notice", None),
        ("loud", None, "unknown log level: loud", "notice", None),
    ],
)
def test_log_level(path, data, answer, level, seconds):
    admin = AdminUnderTest()
    status, body = admin.ask("PUT", f"/debug/node/log-level/{path}", data)
    assert body == {"message": answer}
    assert status == (200 if answer.startswith("log") else 400)
    assert (admin.levels.level, admin.levels.seconds) == (level, seconds)
    assert admin.ask("GET", "/debug/node/log-level")[1] == {"message": f"log level: {level}"}
