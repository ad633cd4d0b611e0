"""Lessons as documents: what is read, and what is said of a wrong one."""

import pytest

from aimon_local.model.lesson import read, text

STEP = {"title": "t", "why": "w", "run": "r", "look": "l", "done": {"event": "request", "status": [200, 201]}}


def lesson(**changes):
    return read("x", {"title": "T", "about": "A", "steps": [{**STEP, **changes}]})


def test_values_are_texts_of_which_one_must_match():
    assert lesson().steps[0].done == (("event", ("request",)), ("status", ("200", "201")))
    assert [text(value) for value in (None, True, 200, "a")] == ["none", "true", "200", "a"]


def test_variables_and_hints():
    step = lesson(save={"KEY": "key"}, times=3, hints=[{"when": {"event": "admin"}, "say": "so"}]).steps[0]
    assert (step.save, step.times, step.hints[0].say) == ((("KEY", "key"),), 3, "so")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": ""}, "step 1: run must be a text"),
        ({"wrong": 1}, "step 1: there is no key 'wrong'"),
        ({"done": {"status": 200}}, "step 1: done and when need an event"),
        ({"done": {"event": "nothing"}}, "step 1: done and when need an event"),
        ({"times": 0}, "step 1: times must be"),
        ({"times": True}, "step 1: times must be"),
        ({"save": ["KEY"]}, "step 1: save must name"),
        ({"hints": ["x"]}, "step 1: hints must be"),
    ],
)
def test_a_wrong_step_is_said_with_its_number_and_key(changes, said):
    with pytest.raises(ValueError, match=said):
        lesson(**changes)


@pytest.mark.parametrize("document", [{}, {"title": "T", "about": "A", "steps": []}, {"title": "T", "steps": "x"}])
def test_a_lesson_has_a_title_and_steps(document):
    with pytest.raises(ValueError, match=r"^x"):
        read("x", document)
