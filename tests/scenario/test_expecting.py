from aimon_local.scenario.expecting import faults
from aimon_local.scenario.script import Expect


def test_what_is_as_expected():
    expect = Expect(("200", "4xx"), (), (("X-A", "^b"),), ("X-C",), "hel+o")
    assert faults(expect, 429, {"x-a": "bee"}, b"hello") == ()
    assert faults(Expect(), 0, {}, b"") == ()


def test_what_is_not():
    expect = Expect(("200",), (), (("X-A", "^b"), ("X-B", ".")), ("X-C",), "hello")
    assert faults(expect, 0, {"x-a": "a", "x-c": ""}, b"bye") == (
        "status none, expected 200", "X-A: a, expected ^b", "no field X-B", "a field X-C, expected none",
        "the body has nothing like hello",
    )  # fmt: skip
