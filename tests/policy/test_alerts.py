"""Near-quota alerts: once per window and threshold, at the true share, before the first denial, and resolved."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.ai import AiRecord, LimitMark, word
from aimon_local.model.alert import FIRING, OVER, REACHED, REFUSED, RESOLVED, ROOM
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.alerts import Use, Watch, uses
from tests.support.ledger import usage_row
from tests.support.tiers import answer, ask, chat, completion, limit, rule

S = 1_000_000_000
DAY = 86_400


def use(units, before=0, amount=100, window=1, at=0, name="requests/day", subject="c", **more):
    """A call that ended ``at`` seconds into a window and counted so much."""
    ends = window * DAY
    end = (ends - DAY + at) * S
    mark = LimitMark(name, "", amount, before, 0, before + units, ends)
    return Use(end, subject, subject, "t", mark, more.get("refused", False), f"r{window}.{at}")


def said(alerts):
    return [(each.state, each.percent) for each in alerts]


def test_each_threshold_fires_with_the_call_that_reaches_it_and_only_once():
    watch, told = Watch(), []
    for number in range(120):
        told += [(number + 1, each.percent) for each in watch.used(use(1, before=number, at=number))]
    assert told == [(80, 80), (100, 100)]


def test_the_next_window_resolves_what_fired_and_arms_it_again():
    watch = Watch()
    assert said(watch.used(use(85))) == [(FIRING, 80)]
    assert said(watch.used(use(10, window=2))) == [(RESOLVED, 80)]
    assert said(watch.used(use(75, before=10, window=2))) == [(FIRING, 80)]


def test_time_alone_resolves_what_fired():
    watch = Watch()
    watch.used(use(100))
    assert watch.next_end == DAY
    assert watch.at(DAY * S - 1) == []
    resolved = watch.at(DAY * S)
    assert said(resolved) == [(RESOLVED, 80), (RESOLVED, 100)]
    assert {each.why for each in resolved} == {OVER}
    assert (watch.at(DAY * S), watch.next_end) == ([], None)


def test_what_others_hold_is_not_used():
    """Fifty calls that hold two units each and use a hundredth of that: the share is theirs, not that of the holds."""
    watch = Watch()
    told = [each for number in range(50) for each in watch.used(use(1, before=2000 - number, amount=2500, at=number))]
    assert told == []


def test_a_limit_that_is_raised_resolves_and_fires_again_at_its_new_share():
    watch = Watch()
    watch.used(use(90))
    resolved = watch.granted("c", "requests/day", 100, 5 * S)
    assert [(each.state, each.why, each.amount, each.used) for each in resolved] == [(RESOLVED, ROOM, 200, 90)]
    assert watch.used(use(60, before=90, amount=200)) == []
    assert said(watch.used(use(15, before=150, amount=200))) == [(FIRING, 80)]


def test_a_refusal_counts_as_all_of_it_where_the_limit_is_near_its_end():
    watch = Watch()
    assert watch.used(use(0, before=50, refused=True)) == []  # another call's hold, or a call that is too large
    watch.used(use(95))
    refused = watch.used(use(0, before=95, refused=True))
    assert [(each.percent, each.why, each.used) for each in refused] == [(100, REFUSED, 95)]
    assert watch.used(use(0, before=95, refused=True)) == []


def test_a_restart_repeats_nothing_and_goes_on_where_it_was():
    watch = Watch()
    fired = watch.used(use(85))
    again = Watch(firing=fired, counters=[("c", "requests/day", DAY, 85)])
    assert again.used(use(5, before=85)) == []
    assert said(again.used(use(10, before=90))) == [(FIRING, 100)]
    assert said(again.at(DAY * S)) == [(RESOLVED, 80), (RESOLVED, 100)]


def test_a_call_that_ends_after_its_window_says_nothing_of_the_next():
    watch = Watch()
    watch.used(use(1, window=2))
    assert watch.used(use(99, window=1, at=DAY + 5)) == []
    assert said(watch.used(use(79, before=1, window=2))) == [(FIRING, 80)]


def test_a_clock_that_was_set_back_counts_in_its_own_window():
    watch = Watch()
    watch.used(use(85, window=9))
    assert said(watch.used(use(1, before=84, window=2))) == [(RESOLVED, 80), (FIRING, 80)]


def test_calls_that_went_by_unseen_are_known_by_the_next():
    watch = Watch()
    watch.used(use(10))
    watch.missed()
    assert said(watch.used(use(1, before=79))) == [(FIRING, 80)]


def test_a_sliding_limit_fires_once_per_its_own_length():
    watch, name = Watch(), "requests/hour:sliding"
    first = watch.used(use(85, name=name))
    assert said(first) == [(FIRING, 80)]
    assert watch.used(use(1, before=85, at=60, name=name)) == []
    assert said(watch.used(use(1, before=85, at=3600, name=name))) == [(RESOLVED, 80), (FIRING, 80)]


def test_limits_and_thresholds_do_not_mix():
    watch = Watch((50, 10, 50))
    assert said(watch.used(use(60))) == [(FIRING, 10), (FIRING, 50)]
    assert said(watch.used(use(60, name="requests/month", amount=1000, before=0))) == []
    assert said(watch.used(use(60, subject="other"))) == [(FIRING, 10), (FIRING, 50)]
    assert Watch(()).used(use(100)) == []
    assert Watch().used(use(1, amount=0)) == []


def test_what_is_remembered_has_a_bound_and_the_rest_goes_on():
    watch = Watch()
    watch.used(use(90, subject="first"))
    for number in range(10_000):
        watch.used(use(1, subject=f"s{number}"))
    assert said(watch.used(use(1, before=79, subject="first"))) == [(FIRING, 80)]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60)), max_size=60), st.integers(1, 300))
def test_a_threshold_fires_exactly_where_the_running_sum_reaches_it(calls, amount):
    """Any windows, any order within them, any sizes: each threshold once, at the call that reaches it."""
    watch, sums, expected, told = Watch(), {}, [], []
    for window, units in sorted(calls, key=lambda call: call[0]):
        before = sums.get(window, 0)
        sums[window] = before + units
        reached = [p for p in (80, 100) if before * 100 < amount * p <= sums[window] * 100]
        expected += [(window, percent) for percent in reached]
        fired = watch.used(use(units, before=before, amount=amount, window=window))
        told += [(window, each.percent) for each in fired if each.state == FIRING]
        assert all(
            each.why == REACHED and each.used * 100 >= amount * each.percent for each in fired if each.state == FIRING
        )
    assert told == expected


def test_eighty_percent_is_told_before_the_first_denial_of_real_calls():
    """Calls of a tenth of the budget each, as the tier's own rule decides them."""
    made, watch, told = rule(limits=(limit("tokens", 200),)), Watch(), []
    state = ask(chat()).state
    for number in range(20):
        call = ask(chat(max_tokens=13), state=state, request_id=f"r{number}")
        outcome = made.access(call)
        if outcome is None:
            answer(made, call, completion(prompt=7, output=13))
        record = call.notes[NOTE]
        row = usage_row(number, at_ns=call.now_ns, consumer_id="c")
        told += [(each.percent, outcome is None) for use_ in uses(row, record) for each in watch.used(use_)]
    assert outcome is not None  # the limit refuses
    assert told in ([(80, True), (100, True)], [(80, True), (100, False)])


def test_an_owners_limit_is_one_whoever_of_its_agents_calls():
    """An agent's row names the owner's account whole; its own limit of the same name is another one."""
    owner = "7f9d1a54-0000-4000-8000-000000000001"
    watch, told = Watch(), []
    for number in range(10):
        marks = (
            word("requests/day", "", 100, number, 0, number + 1, DAY),
            word("requests/day", owner, 10, number, 0, number + 1, DAY),
        )
        record = AiRecord("", "agent", "", None, False, 0, 0, 0, 0, limits=marks, agent="bot", owner="ann")
        row = usage_row(number, at_ns=number * S, consumer_id=f"agent-{number % 2}", consumer="bot")
        told += [alert for use_ in uses(row, record) for alert in watch.used(use_)]
    assert [(each.subject, each.consumer, each.percent, each.used) for each in told] == [
        (owner, "ann", 80, 8),
        (owner, "ann", 100, 10),
    ]
    refused = record._replace(denied_limit="requests/day", used=10, limits=(marks[1].replace("9,0,10", "10,0,10"),))
    assert [use_.refused for use_ in uses(row, refused)] == [True]
    assert [use_.refused for use_ in uses(row, refused._replace(used=7))] == [False]
    assert [use_.refused for use_ in uses(row, refused._replace(wait=-1))] == [False]  # larger than the limit
