"""Knobs: typed, bounded, named in their errors."""

import pytest

from aimon_local.mock.llm.knobs import BadKnob, Knobs, from_headers, set_knobs


def test_headers_set_knobs_of_their_name():
    knobs = from_headers(Knobs(), [(b"x-mock-ttft-ms", b"300"), (b"x-mock-mode", b"echo"), (b"accept", b"*/*")])
    assert (knobs.ttft_ms, knobs.mode) == (300.0, "echo")
    assert from_headers(knobs, [(b"accept", b"*/*")]) is knobs


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("nope", 1, "there is no knob 'nope'"),
        ("seed", "x", "seed: 'x' is not a int"),
        ("seed", 1.5, "seed"),
        ("usage", "wrong", "none of true, absent"),
        ("malformed", 1, "malformed"),
        ("ttft_ms", -1, "between 0"),
        ("ttft_ms", float("nan"), "between 0"),
        ("max_concurrent", True, "max_concurrent"),
    ],
)
def test_what_can_not_be_is_refused_by_name(name, value, word):
    with pytest.raises(BadKnob, match=word):
        set_knobs(Knobs(), {name: value})


def test_retry_after_can_be_unset():
    assert set_knobs(Knobs(retry_after=3.0), {"retry_after": None}).retry_after is None
