"""The estimate: documented numbers, more text never counts less, pictures and tools count too."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.metering import estimate


def test_by_hand():
    assert estimate.text_tokens("") == 0
    assert estimate.text_tokens("12345") == 2
    assert estimate.messages_tokens([{"role": "user", "content": "12345678"}]) == 1 + 2 + 4 + 3
    assert estimate.embedding_tokens(["1234", [7, 8, 9]]) == 1 + 3


def test_parts_pictures_and_tools():
    text = {"type": "text", "text": "1234"}
    assert (
        estimate.content_tokens([text, {"type": "image_url", "image_url": {"url": "x" * 9999}}]) == 1 + estimate.IMAGE
    )
    plain = estimate.messages_tokens([{"content": "hi"}])
    assert estimate.messages_tokens([{"content": "hi"}], [{"name": "a_tool", "parameters": {}}]) > plain


@given(st.text(), st.text())
def test_more_text_never_counts_less(one, two):
    assert estimate.text_tokens(one + two) >= estimate.text_tokens(one)
    assert estimate.text_tokens(one + two) <= estimate.text_tokens(one) + estimate.text_tokens(two)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_document_has_an_estimate(document):
    assert estimate.content_tokens(document) >= 0
    assert estimate.embedding_tokens(document) >= 0
