"""What a prompt is known again by: the same words, under one key, and nothing else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.fingerprints import prompt_fingerprint

KEY = b"k" * 32
texts = st.text(max_size=40)


@given(texts, texts)
def test_equal_prompts_alone_have_equal_fingerprints(one: str, other: str) -> None:
    made = [prompt_fingerprint({"messages": [{"role": "user", "content": text}]}, KEY) for text in (one, other)]
    assert (made[0] == made[1]) == (one == other)


@given(texts, st.booleans(), st.sampled_from(["m", "n"]))
def test_how_it_is_asked_does_not_count(text: str, stream: bool, model: str) -> None:
    plain = {"input": text}
    assert prompt_fingerprint({**plain, "stream": stream, "model": model}, KEY) == prompt_fingerprint(plain, KEY)


def test_each_part_that_the_model_reads_counts_apart() -> None:
    parts = ("messages", "input", "prompt", "system", "instructions", "tools")
    assert len({prompt_fingerprint({part: "hello"}, KEY) for part in parts}) == len(parts)


def test_it_is_keyed_and_short_and_tells_nothing() -> None:
    document = {"messages": [{"role": "user", "content": "my secret plan"}]}
    made = prompt_fingerprint(document, KEY)
    assert len(made) == 16
    assert int(made, 16) >= 0
    assert made != prompt_fingerprint(document, b"j" * 32)
    assert prompt_fingerprint(document, b"") == ""


def test_equal_texts_that_are_one_object_or_two_are_the_same() -> None:
    word = "word " * 3
    shared = {"messages": [word, word]}
    assert prompt_fingerprint(shared, KEY) == prompt_fingerprint(json.loads(json.dumps(shared)), KEY)


def test_what_is_nested_too_deeply_is_known_by_its_bytes() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    made = {prompt_fingerprint({"input": deep}, KEY, body) for body in (b"1", b"2")}
    assert len(made) == 2
