"""``events``: a line for each event; how each kind reads; an end by Ctrl-C without a traceback."""

import json
import os
import signal
import subprocess

import pytest

from aimon_local.cli.events import as_document, as_line
from aimon_local.client.events import Told
from aimon_local.model.event import Changed, ConfigChanged, Gap, LedgerState, RequestEnded, Started
from tests.support.ledger import NOON, usage_row
from tests.support.live import COMMAND, WAIT, ask

AT = NOON + 1_234_567


def line(event):
    return as_line(Told(7, event.kind, json.loads(json.dumps(event.facts()))))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Started(AT, "1.2", 77), "aimon-local 1.2, process 77"),
        (LedgerState(AT, "the disk is full", "x"), "can't be written: the disk is full"),
        (LedgerState(AT, None, None), "writing again"),
        (
            ConfigChanged(AT, (Changed("put", "services", "s-1", "s"), Changed("delete", "acls", "a-1", None)), 0),
            "put services s, delete acls a-1",
        ),
        (ConfigChanged(AT, (Changed("put", "services", "s-1", "s\n\x1b[2J"),), 3), r"put services s\n\u001b[2J, and 3 more"),
        (
            RequestEnded(usage_row(1, at_ns=AT, total_us=1550, consumer="a\tb")),
            r"200  GET     a\tb  1.6 ms  00000000000000000000000000000001",
        ),
        (
            RequestEnded(usage_row(1, at_ns=AT, status=0, decision="deny", deny_reason="no_key", consumer=None, complete=False)),
            "0    GET     -  1.1 ms  00000000000000000000000000000001  denied: no_key  cut",
        ),
    ],
)  # fmt: skip
def test_lines(event, text):
    assert line(event) == f"2023-11-14T22:00:00.001Z  {event.kind:<7}  {text}"


def test_lines_without_a_time():
    assert line(Gap(1, 9, "overrun", 7)).split(None, 2) == ["-", "gap", "7 events are lost: they were not read in time"]
    assert line(Gap(1, 9, "restart", None)).endswith("what was before 9 is of an earlier run, or gone")
    assert as_line(Told(1, "new", {"x": 1})).split(None, 2) == ["-", "new", '{"x": 1}']
    assert json.loads(as_document(Told(1, "new", {"x": "\u2028"}))) == {
        "id": 1,
        "event": "new",
        "data": {"x": "\u2028"},
    }


def test_so_many_and_no_more(cli):
    gap, start = (
        json.loads(each)
        for each in cli("events", "--after", "0", "--kinds", "start", "--count", "2", "--json").stdout.splitlines()
    )
    assert (gap["event"], start["event"]) == ("gap", "start")
    assert start["id"] == gap["id"] + 1
    assert "kinds must be some of" in cli.fails("events", "--kinds", "weather")


def test_nobody_there(alone):
    assert "no gateway answers" in alone.fails("events")


def test_a_live_tail_ends_cleanly(cli, gateway):
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    last = json.loads(cli("events", "--after", "0", "--count", "1", "--json").stdout)["id"]
    command = [*COMMAND, "events", "--kinds", "request", "--json", "--after", str(last)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **cli.environ}
    ) as tail:
        sent = ask(gateway.proxy, "GET", f"/{name}/get").request_id
        while json.loads(tail.stdout.readline())["data"]["request_id"] != sent:
            pass
        tail.send_signal(signal.SIGINT)
        _, err = tail.communicate(timeout=WAIT)
        assert (tail.returncode, err) == (0, b"")
