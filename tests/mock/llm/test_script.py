"""Scripts: the same for the same seed and body, within the limits that the request sets."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.mock.llm.knobs import Knobs
from aimon_local.mock.llm.script import Ask, Usage, befalls, chance_for, reported, write


def ask(**more):
    return Ask(**{"model": "m", "prompt": "one two", "last_text": "say this again", "most": None, **more})


def test_same_seed_and_body_same_script():
    one = write(ask(), Knobs(seed=7), chance_for(Knobs(seed=7), {"a": 1}))
    assert one == write(ask(), Knobs(seed=7), chance_for(Knobs(seed=7), {"a": 1}))
    assert one != write(ask(), Knobs(seed=8), chance_for(Knobs(seed=8), {"a": 1}))
    assert one != write(ask(), Knobs(seed=7), chance_for(Knobs(seed=7), {"a": 2}))


@given(st.integers(1, 60), st.integers(0, 60))
def test_length_is_kept_and_said(most, size):
    script = write(ask(most=most), Knobs(output_tokens=size), Random(1))
    assert script.usage.output == len(script.parts) == min(most, size)
    assert script.finish == ("length" if size > most else "stop")


def test_echo_and_canned():
    assert write(ask(), Knobs(mode="echo"), Random(1)).text == "say this again"
    assert write(ask(), Knobs(mode="canned", text="yes, so"), Random(1)).text == "yes, so"


def test_a_stop_sequence_ends_the_text():
    script = write(ask(stops=("again",)), Knobs(mode="echo"), Random(1))
    assert (script.text, script.stop_sequence) == ("say this ", "again")


def test_a_forced_tool_is_called():
    script = write(ask(tools=(("a", {}), ("b", {"type": "object"})), forced="b"), Knobs(), Random(1))
    assert [(call.name, call.arguments) for call in script.calls] == [("b", "{}")]
    assert script.finish == "tool"


def test_errors_befall_their_share():
    hits = sum(befalls(Knobs(error_status=500, error_rate=0.3), Random(seed)) for seed in range(1000))
    assert 240 < hits < 360
    assert not befalls(Knobs(error_rate=1.0), Random(1))


def test_lies_are_told_only_in_the_report():
    assert reported(Usage(10, 5), "true") == Usage(10, 5)
    assert reported(Usage(10, 5), "absent") is None
    assert reported(Usage(10, 5), "lying").output < 0
