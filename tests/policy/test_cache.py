"""The table of kept answers: bounded, and forgetting by age of use."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.cache import OVERHEAD, AnswerCache, CachedAnswer


def answer(size=0, forget_ns=10**18):
    return CachedAnswer(200, (), b"x" * size, 0, 300, forget_ns)


def test_an_entry_that_is_over_is_gone():
    cache = AnswerCache()
    cache.put("a", answer(forget_ns=100))
    assert cache.get("a", 99) is not None
    assert cache.get("a", 100) is None
    assert len(cache) == cache.size == 0


def test_the_longest_unasked_goes_first():
    cache = AnswerCache(bytes_max=3 * OVERHEAD)
    for key in "abc":
        cache.put(key, answer())
    cache.get("a", 0)
    cache.put("d", answer())
    assert [key for key in "abcd" if cache.get(key, 0)] == ["a", "c", "d"]


def test_what_is_too_large_is_not_kept_and_replaces_nothing_else():
    cache = AnswerCache(bytes_max=10 * OVERHEAD, entry_max=2 * OVERHEAD)
    cache.put("a", answer())
    assert not cache.put("b", answer(2 * OVERHEAD))
    assert cache.get("a", 0) is not None
    assert cache.get("b", 0) is None


def test_clear_and_remove():
    cache = AnswerCache()
    cache.put("a", answer(5))
    assert cache.remove("a")
    assert not cache.remove("a")
    cache.put("b", answer())
    cache.clear()
    assert len(cache) == cache.size == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3000))))
def test_it_never_holds_more_than_its_bound_and_counts_rightly(puts):
    cache = AnswerCache(bytes_max=4000, entry_max=2500)
    for key, size in puts:
        kept = cache.put(key, answer(size))
        assert kept == (OVERHEAD + size <= 2500)
        assert (cache.get(key, 0) is not None) == kept
        assert cache.size <= 4000
    assert cache.size == sum(found.size for key in "abcdef" if (found := cache.get(key, 0)))
