"""Plans: rules in order, one tuple per phase."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.call import Refuse
from aimon_local.policy.plan import NO_PLAN, aftermath, make_plan
from aimon_local.policy.rule import Rule


class Gate(Rule):
    def access(self, call):
        return None


class Paint(Rule):
    def response(self, call, draft):
        return None


class Press(Paint):
    def body(self, call, draft):
        return None


class Note(Rule):
    def log(self, call, outline):
        return None


class Bound(Gate):
    max_body = (5, Refuse(413, "too large", "body_too_large"))


KINDS = {Gate: "access", Paint: "response", Press: "response body", Note: "log", Bound: "access"}


@given(st.dictionaries(st.integers(0, 15), st.sampled_from(sorted(KINDS, key=str)), max_size=10), st.integers(-1, 20))
def test_each_phase_has_its_rules_in_order(kinds, position):
    placed = [(place, kind()) for place, kind in kinds.items()]
    plan = make_plan(placed)
    ordered = sorted(placed, key=lambda pair: pair[0])
    assert list(plan.rules) == ordered

    def of(phase):
        return [(place, rule) for place, rule in ordered if phase in KINDS[type(rule)].split()]

    assert list(plan.access) == of("access")
    assert list(plan.response) == [rule for _, rule in of("response")]
    assert list(plan.body) == [rule for _, rule in of("body")]
    assert list(plan.log) == [rule for _, rule in of("log")]
    assert list(plan.access_after(position)) == [pair for pair in of("access") if pair[0] > position]
    assert plan.shapes_answer == bool(of("response"))


def test_the_first_bound_of_bodies_counts():
    assert make_plan([(2, Bound()), (1, Gate())]).max_body is Bound.max_body
    assert make_plan([(1, Gate())]).max_body is None


def test_no_plan_has_no_rules():
    assert NO_PLAN.rules == NO_PLAN.access_after(-1) == ()


def test_an_answer_before_the_plugins_is_only_shaped_and_logged():
    plan = aftermath(make_plan(enumerate([Bound(), Press(), Note()])))
    assert plan.access == plan.access_after(-1) == plan.meter == plan.settle == ()
    assert plan.max_body is None
    assert (len(plan.response), len(plan.body), len(plan.log)) == (1, 1, 1)
