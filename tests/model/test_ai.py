"""What the ledger keeps of a limit: one word, read back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.ai import LimitMark, mark

NUMBERS = st.integers(-(10**18), 10**18)


@given(st.sampled_from(["requests/day", "tokens/minute:sliding", "burst"]), st.text(), st.tuples(*[NUMBERS] * 5))
def test_a_mark_is_one_word_and_reads_back(name, account, numbers):
    made = LimitMark(name, account.encode("utf-8", "replace").decode(), *numbers)
    assert len(made.word.split()) == 1
    assert mark(made.word) == made
