"""How keys are kept: the same key gives the same text, which shows little of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.gateway.keys import hashed, masked, plaintext

DIGEST = hashed(b"s" * 32)


@given(st.text(), st.text())
def test_one_key_one_text(key, other):
    assert DIGEST(key) == DIGEST(key)
    assert (DIGEST(key) == DIGEST(other)) == (key == other)
    assert hashed(b"t" * 32)(key) != DIGEST(key)


@pytest.mark.parametrize(
    ("key", "shown"),
    [("", ""), ("abc", ""), ("mykey", "m"), ("12345678", "12"), ("0123456789abcdef", "0123"), ("a" * 64, "aaaa"), ("a:b:c:d:e:f:g:h:", "a:b:")],
)  # fmt: skip
def test_little_is_shown(key, shown):
    assert masked(DIGEST(key)) == shown + "*" * 28


def test_kept_in_clear():
    assert masked(plaintext("mykey")) == plaintext("mykey") == "mykey"
