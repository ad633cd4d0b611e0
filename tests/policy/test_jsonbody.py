"""JSON bodies in lua-cjson's spelling."""

import pytest

from aimon_local.policy import jsonbody


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (b' { "a" : 1 , "b" : [ ] } ', b'{"a":1,"b":[]}'),
        (b'{"z":1,"a":2}', b'{"z":1,"a":2}'),
        (b'"a/b"', b'"a\\/b"'),
        (b'"\\u0001\\u007f\\n"', b'"\\u0001\\u007f\\n"'),
        (b"[1.0,1e3,0.5,-0]", b"[1,1000,0.5,0]"),
        (b"12345678901234567890", b"12345678901234567890"),
        (b'"\xc3\xbc \\u00fc"', b'"\xc3\xbc \xc3\xbc"'),
        (b'"\xff"', b'"\xff"'),
        (b"{}", b"{}"),
    ],
)
def test_spelling(source, written):
    assert jsonbody.render(jsonbody.parse(source)) == written


@pytest.mark.parametrize("source", [b"", b"{", b"NaN", b"[1,]", b"Infinity", b"[" * 100_000])
def test_what_is_not_json(source):
    with pytest.raises(ValueError):  # noqa: PT011 - whichever of its kinds
        jsonbody.parse(source)


def test_half_a_surrogate_pair_can_not_be_written():
    with pytest.raises(ValueError, match="surrogates"):
        jsonbody.render(jsonbody.parse(b'"\\ud800"'))
