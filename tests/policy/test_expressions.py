"""Template expressions: the part of Lua that is understood, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.expressions import TemplateError, read_expression, shown

WORLD = {
    "headers": {"x-a": "Äb".encode().decode("latin-1"), "x-m": ["1", "2"]},
    "query_params": {"q": "1", "flag": True, "empty": ""},
    "uri_captures": {1: "abc", "cap": "abc"},
    "shared": {},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("nil", None),
        ("'a\\n\\'b\\65'", "a\n'bA"),
        ('"it\'s"', "it's"),
        ("12", 12),
        ("0x10", 16),
        ("query_params.q", "1"),
        ("query_params['q']", "1"),
        ("query_params.none", None),
        ("query_params.none or 'dflt'", "dflt"),
        ("query_params.empty or 'dflt'", ""),
        ("query_params.flag and 'yes' or 'no'", "yes"),
        ("query_params.flag", True),
        ("not query_params.flag", False),
        ("not not nil", False),
        ("uri_captures[1]", "abc"),
        ("uri_captures[2]", None),
        ("headers['x-m'][2]", "2"),
        ("headers['x-m'][3]", None),
        ("headers['x-m']:len()", 4),
        ("'a' .. 1 .. 'b'", "a1b"),
        ("query_params.q == '1'", True),
        ("query_params.q == 1", False),
        ("query_params.q ~= '1'", False),
        ("query_params.q:upper():lower():len()", 1),
        ("string.upper(headers['x-a'])", "ÄB".encode().decode("latin-1")),
        ("uri_captures.cap:sub(2)", "bc"),
        ("uri_captures.cap:sub(-2, -2)", "b"),
        ("uri_captures.cap:sub(0, 99)", "abc"),
        ("uri_captures.cap:sub(3, 2)", ""),
        ("('a' .. 'b'):reverse()", "ba"),
        ("type(nil) .. type('x') .. type(1) .. type(true) .. type(headers)", "nilstringnumberbooleantable"),
        ("tostring(nil) .. tostring(false) .. tostring(1)", "nilfalse1"),
        ("query_params.q.x", None),
        ("shared.x", None),
        ("(nil or false) == false", True),
        ("1 == 1 and 'a' or 'b'", "a"),
    ],
)
def test_values(source, value):
    assert read_expression(source)(WORLD) == value


UNKNOWN = """a b|x.|query_params.|'open|1 +|f()|os.exit()|(function() return 1 end)()|headers[|{}|headers.x:gsub('a')
'a' 'b'|return 1|#headers|1 - 1|)|headers..|a = 1|or|not|headers.1|string.upper(|tostring(1 2)|1 == |. x"""


@pytest.mark.parametrize("source", ["", *UNKNOWN.replace("\n", "|").split("|"), "(" * 200 + "1" + ")" * 200])
def test_what_is_not_understood_is_refused_when_it_is_read(source):
    with pytest.raises(TemplateError, match=r"not in supported format|nested too deeply"):
        read_expression(source)


@pytest.mark.parametrize(
    "source", ["shared.x.y", "nil .. 'a'", "query_params.flag:upper()", "string()", "tostring(1, 2)", "headers:len()"]
)
def test_what_fails_when_it_is_rendered(source):
    with pytest.raises(TemplateError):
        read_expression(source)(WORLD)


def test_how_values_are_shown():
    assert [shown(v) for v in (None, False, True, 1, 1.5, "x", ["1", "2"])] == ["", "", "true", "1", "1.5", "x", "1, 2"]
    with pytest.raises(TemplateError):
        shown({})


@given(st.text(alphabet="ab.[]()'\":=~ 1nilorandt_-headers", max_size=40))
def test_reading_and_evaluating_raise_nothing_else(source):
    with contextlib.suppress(TemplateError):
        shown(read_expression(source)(WORLD))
