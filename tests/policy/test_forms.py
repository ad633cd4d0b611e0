"""Form encoding as OpenResty reads and writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.forms import decode, encode, encode_sorted

LATIN = st.text(st.characters(max_codepoint=255), max_size=6)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a&a=1&a", {"a": [True, "1", True]}),
        ("a+b=c%20d%2B", {"a b": "c d+"}),
        ("=x&&a=b=c", {"a": "b=c"}),
        ("a=%zz%4", {"a": "%zz%4"}),
        ("a=%C3%BC", {"a": "ü".encode().decode("latin-1")}),
    ],
)
def test_decode(source, values):
    assert decode(source) == values


def test_encode_escapes_all_but_what_javascript_leaves():
    assert (
        encode({"a b": 'c&d=e+/:;,?@#"', "s": "-_.~!'()*"}) == "a%20b=c%26d%3De%2B%2F%3A%3B%2C%3F%40%23%22&s=-_.~!'()*"
    )


def test_flags_lists_and_what_is_left_out():
    values = {"z": [True, "1"], "f": False, "e": [], "b": True, "a": ""}
    assert encode(values) == "z&z=1&b&a="
    assert encode_sorted(values) == "a=&b&z&z=1"


@given(st.dictionaries(LATIN.filter(bool), st.one_of(LATIN, st.just(True), st.lists(LATIN, min_size=2, max_size=3))))
def test_what_is_encoded_is_decoded_again(values):
    assert decode(encode(values)) == values
    assert decode(encode_sorted(values)) == values
