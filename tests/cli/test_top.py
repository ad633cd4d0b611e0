"""``top``: one picture without a terminal, a living one on it."""

from tests.support.live import COMMAND, ask
from tests.support.terminal import Terminal


def test_one_picture_for_pipes(cli, gateway):
    ask(gateway.proxy, target="/demo/get")  # denied: no key
    out = cli("top").stdout
    assert "✓ up" in out
    assert "free" in out
    assert "no_key" in out
    assert "\x1b" not in out


def test_ascii(cli):
    assert cli("top", "--once", "--ascii").stdout.isascii()


def test_nobody_there(alone):
    assert "no gateway answers" in alone.fails("top", "--once")


def test_it_stays_up_to_date_under_the_prompt(gateway):
    with Terminal([*COMMAND, "top", "--url", "http://{}:{}".format(*gateway.admin)]) as terminal:
        terminal.until("enterprise")
        terminal.forget()
        ask(gateway.proxy, target="/demo/get", apikey="wrong")
        terminal.until("invalid_key")
        terminal.type("\x03")
        terminal.process.send_signal(2)
        assert terminal.ended() == 0
        assert b"\x1b[?1049h" not in terminal.seen
