"""What both transformers share."""

import pytest

from aimon_local.policy.edits import appended, check_header, check_header_names, one_line, split


def test_split():
    pairs = ["a:1", "a:b:c", "a::1", "a:", "a", ":x", "a:\nb"]
    assert split(pairs) == [("a", "1"), ("a", "b:c"), ("a", "1"), ("a", None), ("a", None), ("a", "\nb")]


def test_one_line():
    assert one_line("a\r\nb\0c: d\t") == "a%0D%0Ab%00c: d\t"


@pytest.mark.parametrize(
    ("held", "grown"),
    [("x", ["x", "v"]), ([1], [1, "v"]), (None, ["v"]), (5, ["v"]), (False, ["v"]), ({"a": 1}, {"a": 1, "1": "v"})],
)
def test_appended(held, grown):
    assert appended(held, "v") == grown


def test_checks():
    assert check_header("x-a_1:any thing") is None
    assert check_header("x y:1") == "'x y' is not a valid header"
    assert check_header_names("a:b") is None
    assert check_header_names("a:b c") == "'b c' is not a valid header"
    assert check_header_names("a:") == "'' is not a valid header"
