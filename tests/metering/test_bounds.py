"""Bounds of output, in each dialect's words."""

import pytest

from aimon_local.metering.bounds import bounded, writes


@pytest.mark.parametrize(
    ("dialect", "document", "changed"),
    [
        ("openai.chat", {}, {"max_completion_tokens": 10}),
        ("openai.chat", {"max_tokens": 5}, {}),
        ("openai.chat", {"max_tokens": 50}, {"max_tokens": 10}),
        (
            "openai.chat",
            {"max_tokens": 5, "max_completion_tokens": 50},
            {"max_tokens": 10, "max_completion_tokens": 10},
        ),
        ("openai.chat", {"max_tokens": 50, "max_completion_tokens": 5}, {}),
        ("openai.completions", {}, {"max_tokens": 10}),
        ("openai.responses", {"max_output_tokens": 11}, {"max_output_tokens": 10}),
        ("anthropic.messages", {"max_tokens": 10}, {}),
        ("openai.embeddings", {}, {}),
        ("anthropic.count_tokens", {"max_tokens": 99}, {}),
    ],
)
def test_no_more_is_asked_for_than_the_bound(dialect, document, changed):
    made = bounded(dialect, document, 10)
    assert made == {**document, **changed}
    assert changed or made is document


def test_who_writes():
    assert writes("openai.responses")
    assert not writes("openai.embeddings")
