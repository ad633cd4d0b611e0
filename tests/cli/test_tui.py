"""``tui`` without a terminal: a clear word, no escape codes."""


def test_it_needs_a_terminal(alone):
    assert "the dashboard needs a terminal" in alone.fails("tui")


def test_help_says_what_it_does(alone):
    out = alone("tui", "--help").stdout
    assert "--url" in out
    assert "--ascii" in out
