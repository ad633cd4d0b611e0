"""Templates: text and expressions in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.templates import TemplateError, check_template, compile_template

WORLD = {
    "headers": {},
    "query_params": {"a": "1", "b": "ü".encode().decode("latin-1")},
    "uri_captures": {},
    "shared": {},
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("/fixed", "/fixed"),
        ("/u/$(query_params.a)/$(query_params.none)", "/u/1/"),
        ("$(query_params.none or '-')$(query_params.a)", "-1"),
        ("$(bad lua", "$(bad lua"),
        ("$ (query_params.a) $$(query_params.a)", "$ (query_params.a) $1"),
        ("$((query_params.a))", "1"),
        ("$($(query_params.a)", "$(1"),
        ("ü$(query_params.b)", "üü".encode().decode("latin-1")),
    ],
)
def test_rendering(source, text):
    assert compile_template(source).render(WORLD) == text


def test_what_is_wrong_is_told_in_a_sentence():
    assert check_template("/a/$(query_params.a)") is None
    wrong = "'$(os.exit())' is not in supported format: 'os' is not understood"
    assert check_template("x$(os.exit())") == wrong
    with pytest.raises(TemplateError, match="not in supported format"):
        compile_template("$()")


@given(st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"])))
def test_text_without_expressions_stays_what_it_is(source):
    assert compile_template(source).render(WORLD) == source.encode().decode("latin-1")
