"""Client manners: who waits, backs off and stops scores high; who hammers scores low; more of it never helps."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.manners import FINAL, WAITS, Refusal, manners
from aimon_local.policy.reasons import MEANINGS, MODEL_NOT_ALLOWED, QUOTA_EXHAUSTED, REQUEST_LIMIT

S = 10**9
MS = 10**6


def refused(at_s, wait_s=0.0, reason=REQUEST_LIMIT, took_s=0.01):
    at = int(at_s * S)
    return Refusal(at, at + int(took_s * S), reason, int(wait_s * S))


def score(*refusals):
    return manners(refusals).score


def test_without_a_refusal_there_is_nothing_to_say():
    found = manners([refused(1, reason=MODEL_NOT_ALLOWED)])
    assert (found.score, found.honoured, found.backed_off, found.stopped, found.refusals) == (None, None, None, None, 0)


def test_who_waits_as_told_is_polite():
    found = manners([refused(0, 5), refused(5.2, 5), refused(11, 5)])
    assert (found.honoured, found.early, found.score) == (100, 0, 100)


def test_who_comes_before_the_time_is_not():
    found = manners([refused(0, 5), refused(1, 4), refused(2, 3), refused(3, 2)])
    assert (found.timed, found.early, found.honoured) == (4, 3, 25)


def test_who_was_on_its_way_is_not_early():
    found = manners([refused(0, 5, took_s=0.5), refused(0.1, 5), refused(0.2, 5)])
    assert (found.early, found.honoured) == (0, 100)


def test_backing_off_is_seen_where_no_wait_is_kept():
    growing = manners([refused(at, 60) for at in (0, 1, 3, 7, 15)])
    steady = manners([refused(at, 60) for at in (0, 1, 2, 3, 4)])
    hurried = manners([refused(at, 60) for at in (0, 8, 12, 14, 15)])
    assert (growing.backed_off, steady.backed_off, hurried.backed_off) == (100, 100, 0)


def test_stopping_at_an_exhausted_quota():
    stopped = manners([refused(0, 40_000, QUOTA_EXHAUSTED)])
    hammered = manners([refused(at / 10, 40_000, QUOTA_EXHAUSTED) for at in range(100)])
    assert (stopped.stopped, stopped.score) == (100, 100)
    assert (hammered.stopped, hammered.again) == (1, 99)
    assert hammered.score < 25


def test_a_final_refusal_without_a_time_asks_for_a_minute():
    assert manners([refused(0, 0, QUOTA_EXHAUSTED), refused(10, 0, QUOTA_EXHAUSTED)]).again == 1
    assert manners([refused(0, 0, QUOTA_EXHAUSTED), refused(61, 0, QUOTA_EXHAUSTED)]).again == 0


def test_reasons_are_judged_apart():
    found = manners([refused(0, 5), refused(1, 40_000, QUOTA_EXHAUSTED)])
    assert (found.early, found.stopped) == (0, 100)


def test_the_words_are_known():
    assert FINAL <= WAITS <= set(MEANINGS)


refusals = st.lists(
    st.builds(
        refused,
        st.integers(0, 1000).map(lambda tenth: tenth / 10),
        st.integers(0, 100),
        st.sampled_from(sorted(WAITS)),
        st.integers(0, 20).map(lambda tenth: tenth / 10),
    ),
    max_size=30,
)


@given(refusals, st.randoms())
def test_the_order_in_which_they_are_read_does_not_matter(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert manners(shuffled) == manners(some)


@given(refusals)
def test_shares_are_percent(some):
    found = manners(some)
    for part in (found.score, found.honoured, found.backed_off, found.stopped):
        assert part is None or 0 <= part <= 100
    assert found.early <= found.refusals
    assert found.again <= found.final


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_waiting_is_always_a_hundred(waits):
    at, some = 0.0, []
    for wait in waits:
        some.append(refused(at, wait))
        at += wait + 0.02
    assert score(*some) == 100


@given(st.integers(2, 60), st.integers(1, 50))
def test_more_hammering_never_helps(count, more):
    def hammered(times):
        return score(*(refused(at / 10, 40_000, QUOTA_EXHAUSTED) for at in range(times)))

    assert hammered(count + more) <= hammered(count)
