"""``up`` and ``tui`` in a real terminal: start, a scenario, down to a request, quit; the terminal is as it was."""

import os
import re
import signal
import time

import pytest

from aimon_local.tui.play import scripts
from tests.support.live import COMMAND, FREE_PORTS, WAIT, ask
from tests.support.terminal import Terminal


def up(tmp_path, *options):
    return Terminal([*COMMAND, "up", "--data", str(tmp_path / "data"), *FREE_PORTS, *options])


def admin_of(terminal):
    """The Admin API's address, as the status line shows it."""
    end = time.monotonic() + WAIT
    while (found := re.search(r"up +(127\.0\.0\.1):(\d+)", terminal.text)) is None:
        assert time.monotonic() < end, terminal.text[-2000:]
        terminal.read()  # it comes with another paint than the page's
    host, port = found.groups()
    return host, int(port)


def is_there(address):
    try:
        return ask(address, target="/status").status == 200
    except OSError:
        return False


def test_start_scenario_drill_down_quit(tmp_path):
    with up(tmp_path) as terminal:
        terminal.until("No traffic yet")
        address = admin_of(terminal)
        terminal.type("3")
        names = [script.name for script in scripts()]
        terminal.until(names[0])
        terminal.type("j" * names.index("lab-free-vs-pro"))
        terminal.read()
        terminal.type("x")
        terminal.until("of 9 hold")
        terminal.type("2")
        terminal.until("deny: rate_limited")
        terminal.type("\r")
        terminal.until("ledger entry")
        terminal.forget()
        terminal.type("\x1b")
        terminal.until("requests")
        terminal.type("1")
        terminal.until("TIER")
        assert is_there(address)
        terminal.type("q")
        terminal.until("Stop the gateway too?")
        terminal.type("y")
        assert terminal.ended() == 0
        assert "shown this once" in terminal.text
        assert terminal.is_sane()
        assert not is_there(address)


def test_the_gateway_can_be_left_running(tmp_path):
    with up(tmp_path) as terminal:
        terminal.until("No traffic yet")
        address = admin_of(terminal)
        terminal.type("q")
        terminal.until("Stop the gateway too?")
        terminal.type("n")
        assert terminal.ended() == 0
        pid = int(re.search(r"left running as process (\d+)", terminal.text)[1])
        assert is_there(address)
        with Terminal([*COMMAND, "tui", "--url", f"{address[0]}:{address[1]}"]) as attached:
            attached.until("✓ up")
            attached.until("free")
            os.kill(pid, signal.SIGTERM)
            attached.until("lost")
            attached.type("q")
            assert attached.ended() == 0
            assert attached.is_sane()
    end = time.monotonic() + 10
    while is_there(address) and time.monotonic() < end:
        pass
    assert not is_there(address)


def test_a_closed_terminal_ends_both(tmp_path):
    with up(tmp_path) as terminal:
        terminal.until("No traffic yet")
        address = admin_of(terminal)
        terminal.process.send_signal(signal.SIGHUP)
        terminal.ended()
        assert not is_there(address)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_it_starts_at_any_size(tmp_path, size):
    with Terminal([*COMMAND, "tui", "--url", "127.0.0.1:1"], *size) as terminal:
        terminal.until("No gateway answers on")
        terminal.type("q")
        assert terminal.ended() == 0
        assert terminal.is_sane()


def test_a_gateway_that_does_not_start_says_why(tmp_path):
    with up(tmp_path) as first:
        first.until("No traffic yet")
        with up(tmp_path) as second:
            assert second.ended() == 1
            assert "the gateway did not start" in second.text
        first.type("q")
        first.until("Stop the gateway too?")
        first.type("y")
        assert first.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_goes_takes_the_gateway_with_it(tmp_path, number):
    with up(tmp_path) as terminal:
        terminal.until("No traffic yet")
        address = admin_of(terminal)
        assert is_there(address)
        terminal.process.send_signal(number)
        terminal.ended()
        assert not is_there(address)
