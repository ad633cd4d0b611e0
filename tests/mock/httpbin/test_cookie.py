"""Cookies that would break their line, and values that come back."""

import pytest

from aimon_local.mock.httpbin import cookie
from tests.support.asks import ask


@pytest.mark.parametrize(
    "target", ["/cookies/set?a%3Bb=1", "/cookies/set?a%0ab=1", "/cookies/set?=1", "/cookies/delete?a%0db"]
)
def test_cookie_names_that_would_break_their_line(target):
    assert ask(target).status == 400


def test_cookie_values_survive_both_ways():
    for value in ("plain", "a b", 'q"uo\\te', "semi;colon,", "é✓"):
        name, line = cookie.setting("n", value)
        assert name == "Set-Cookie"
        assert cookie.parse(line.removesuffix("; Path=/")) == {"n": value}
