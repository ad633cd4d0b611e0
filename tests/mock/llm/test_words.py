"""Words and values: exact counts, and whatever a tool's schema asks for."""

from random import Random

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.mock.llm import words

leaf = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 9, "maxLength": 12},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "format": "date"},
        {"type": "integer"},
        {"type": "integer", "minimum": 7, "maximum": 9},
        {"type": "integer", "exclusiveMinimum": 0, "multipleOf": 5},
        {"type": "number", "maximum": -3, "minimum": -4},
        {"type": "boolean"},
        {"type": ["null", "integer"]},
        {"const": 5},
        {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    ]
)
schemas = st.recursive(
    leaf,
    lambda inner: (
        st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 3))
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4).map(
            lambda props: {
                "type": "object",
                "properties": props,
                "required": sorted(props)[:2],
                "additionalProperties": False,
            }
        )
    ),
    max_leaves=8,
)


@given(schemas, st.integers())
def test_values_satisfy_their_schema(schema, seed):
    jsonschema.validate(words.satisfy(schema, Random(seed)), schema)


@given(st.integers(0, 50), st.integers())
def test_so_many_tokens(size, seed):
    assert len(words.words(Random(seed), size)) == size


@given(st.text())
def test_pieces_lose_nothing(text):
    assert "".join(words.pieces(text)) == text
    assert "".join(words.in_parts(text)) == text


def test_count_is_by_words_and_signs():
    assert words.count("Hello there, you!") == 5
    assert words.count([{"role": "user", "content": "two words"}]) == 3
    assert words.count([[1, 2, 3], [4]]) == 4


@given(st.integers(0, 1 << 64), st.integers(0, 200))
def test_tokens_are_those_that_choice_takes(seed, size):
    chance, twin = Random(seed), Random(seed)
    said = words.words(chance, size)
    taken = [twin.choice(words._WORDS) for _ in range(size)]
    assert [piece.strip(" .").lower() for piece in said] == taken
    assert chance.random() == twin.random()


@given(st.text(alphabet=st.sampled_from("ab9 _.\t\né²")) | st.text())
def test_words_alone_count_as_any_text(text):
    assert words.count(text) == len(words._PIECE.findall(text))
