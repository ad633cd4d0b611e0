"""What limits remember: forgetting, loading, and that a restart changes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.usage import CounterChange
from aimon_local.policy.plugins.rate_limiting import PLUGIN
from aimon_local.policy.state import LimitState, scope_key
from tests.support.calls import NOON, compile_rule, counters, make_call, said

RULE = {"second": 2, "minute": 4, "hour": 9, "day": 20, "month": 30, "year": 31, "limit_by": "ip"}


def ask(rule, state, at, ip="10.0.0.1"):
    call = make_call(state=state, now_ns=int(at * 10**9), client_ip=ip)
    outcome = rule.access(call)
    rule.settle(call, True)
    return outcome, call


def test_a_second_of_the_clock_is_taken_apart_once():
    state = LimitState()
    assert state.moment(NOON * 10**9) is state.moment(NOON * 10**9 + 999_999_999)
    assert state.moment((NOON + 1) * 10**9).now == NOON + 1


def test_keys_do_not_mix_scopes_and_identifiers():
    assert scope_key("r", None) != scope_key(None, "r")
    state = LimitState()
    moment = state.moment(0)
    first = state.open(scope_key("r", None), "fe80::1", moment)
    assert state.open(scope_key("r", None), "fe80::1", moment) is first
    assert state.open(scope_key(None, "r"), "fe80::1", moment) is not first


def test_load_leaves_rows_of_other_limits_alone():
    state = LimitState()
    state.load([CounterChange("tokens:x", "minute", 0, 5, 60), CounterChange("rate:::ip", "fortnight", 0, 5, 60)])
    assert not state.scopes


def test_identifiers_with_colons_survive_a_restart():
    state, rule = LimitState(), compile_rule(PLUGIN, {"minute": 1, "limit_by": "ip"}, route_id="r")
    assert ask(rule, state, NOON, "fe80::1:2")[0] is None
    again = LimitState()
    again.load(list(state.dump()))
    assert ask(rule, again, NOON + 1, "fe80::1:2")[0].status == 429


def test_prune_forgets_what_no_longer_counts():
    state, rule = LimitState(), compile_rule(PLUGIN, {"minute": 1, "limit_by": "ip"})
    ask(rule, state, NOON, "a")
    ask(rule, state, NOON + 59, "b")
    assert state.prune((NOON + 59) * 10**9) == 0
    assert state.prune((NOON + 60) * 10**9) == 2
    assert not state.scopes


def test_prune_looks_at_a_part_at_a_time_and_comes_round():
    state, rule = LimitState(), compile_rule(PLUGIN, {"minute": 1, "limit_by": "ip"})
    for ip in "abcde":
        ask(rule, state, NOON, ip)
    later = (NOON + 60) * 10**9
    assert [state.prune(later, 2) for _ in range(4)] == [2, 2, 1, 0]
    for ip in "abc":
        ask(rule, state, NOON + 60, ip)
    assert state.prune(later, 2) == 0
    state.scopes.clear()
    assert state.prune(later + 60 * 10**9, 2) == 0


def test_pruning_does_not_free_anyone_when_the_clock_goes_back():
    state, rule = LimitState(), compile_rule(PLUGIN, {"minute": 1, "limit_by": "ip"})
    ask(rule, state, NOON)
    state.prune((NOON + 3600) * 10**9)
    outcome, call = ask(rule, state, NOON + 1)  # may count once more, but in the window of NOON + 3600
    assert outcome is None
    assert counters(call.touched)[0].start == NOON + 3600
    assert ask(rule, state, NOON + 2)[0].status == 429


STEPS = st.lists(
    st.tuples(st.integers(-7200, 7200), st.booleans(), st.sampled_from(["a", "b"])), min_size=1, max_size=60
)


@given(STEPS)
def test_a_restart_changes_nothing(steps):
    """The rows that requests have touched, the last of each key and unit, are the whole state."""
    rule = compile_rule(PLUGIN, RULE, service_id="s")
    state, mirror, stored, now = LimitState(), LimitState(), {}, NOON
    for delta, restart, ip in steps:
        now += delta
        if restart:
            mirror = LimitState()
            mirror.load(stored.values())
            assert sorted(mirror.dump()) == sorted(stored.values())
        outcome, call = ask(rule, state, now, ip)
        again, twin = ask(rule, mirror, now, ip)
        assert (outcome, said(call), counters(call.touched)) == (again, said(twin), counters(twin.touched))
        stored.update({(row.key, row.unit): row for row in counters(call.touched)})


@given(STEPS)
def test_dump_holds_what_a_load_needs(steps):
    rule, state, now = compile_rule(PLUGIN, RULE), LimitState(), NOON
    for delta, _, ip in steps:
        now += delta
        ask(rule, state, now, ip)
    again = LimitState()
    again.load(state.dump())
    assert list(again.dump()) == list(state.dump())
    assert said(ask(rule, again, now)[1]) == said(ask(rule, state, now)[1])
