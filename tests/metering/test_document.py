"""Texts mean what the standard library says they mean, whatever stands around them and however they are encoded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.metering.document import loaded, scanned

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
blanks = st.text(" \t\n\r", max_size=3)


def outcome(read, text):
    try:
        return read(text)
    except ValueError:
        return ValueError


@given(values, blanks, blanks, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]))
def test_any_text_in_any_encoding(value, before, after, encoding):
    text = before + json.dumps(value) + after
    assert scanned(text) == value
    assert outcome(loaded, text.encode(encoding)) == outcome(json.loads, text.encode(encoding)) == value


@given(st.text('{}[]":,1 \t\n', max_size=12))
def test_what_is_no_text_is_refused_alike(text):
    assert outcome(scanned, text) == outcome(json.JSONDecoder().decode, text)
    assert outcome(loaded, text.encode()) == outcome(json.loads, text.encode())


@pytest.mark.parametrize("text", ["{} {}", "{}x", '{"a":1}\x0b', '{"a":1}\xa0', "{", ""])
def test_nothing_may_follow(text):
    assert outcome(scanned, text) is ValueError


def test_a_decoder_of_ones_own():
    assert scanned('{"a": 1, "a": 2} ', json.JSONDecoder(object_pairs_hook=len)) == 2
