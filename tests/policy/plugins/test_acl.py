"""acl: groups against lists, who counts as who, what the upstream is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import reasons
from aimon_local.policy.plugins.acl import PLUGIN
from tests.support.callers import ALICE, BOB, GUEST, SNAPSHOT, callers, of, told
from tests.support.calls import compile_rule, entity, make_call
from tests.support.plugins import stored

CREDENTIAL = entity(id="k")
GROUPS = "x-consumer-groups", "x-authenticated-groups"


def run(rule, consumer=ALICE, groups=None, credential=CREDENTIAL, snapshot=SNAPSHOT, fields=()):
    """(status and reason of a refusal or None, what the upstream is told of groups)."""
    call = make_call(fields=fields, snapshot=snapshot)
    call.consumer, call.groups = snapshot.consumers.get(consumer), groups
    call.credential = credential if call.consumer is not None else None
    outcome = rule.access(call)
    groups = {name: value for name, value in told(call).items() if name in GROUPS}
    return (outcome and (outcome.status, outcome.message, outcome.reason)), groups


def rule(**config):
    return compile_rule(PLUGIN, config)


DENIED = (403, "You cannot consume this service", reasons.ACL_DENIED), {}
UNKNOWN = (401, "Unauthorized", reasons.NO_CONSUMER), {}
ALICES = None, {"x-consumer-groups": "early, gold"}


@pytest.mark.parametrize(
    ("config", "alice", "bob"),
    [
        ({"allow": ["gold"]}, ALICES, DENIED),
        ({"allow": ["silver", "early"]}, ALICES, DENIED),
        ({"allow": ["silver"]}, DENIED, DENIED),
        ({"allow": ["GOLD"]}, DENIED, DENIED),
        ({"deny": ["gold"]}, DENIED, (None, {"x-consumer-groups": ""})),
        ({"deny": ["silver"]}, ALICES, (None, {"x-consumer-groups": ""})),
        ({"allow": ["gold"], "hide_groups_header": True}, (None, {}), DENIED),
        ({"allow": ["gold"], "always_use_authenticated_groups": True}, ALICES, DENIED),
    ],
)
def test_the_consumers_groups(config, alice, bob):
    acl = rule(**config)
    assert run(acl) == alice
    assert run(acl, BOB) == bob
    assert run(acl) == alice


def test_without_a_consumer_nothing_can_be_said():
    for acl in (rule(allow=["gold"]), rule(deny=["gold"])):
        assert run(acl, None) == UNKNOWN


def test_an_anonymous_consumer_is_asked_to_prove_itself():
    assert run(rule(allow=["guests"]), GUEST, credential=None) == (None, {"x-consumer-groups": "guests"})
    assert run(rule(allow=["gold"]), GUEST, credential=None) == DENIED
    assert run(rule(allow=["gold"]), BOB, credential=None) == UNKNOWN  # none of its groups: it has none
    assert run(rule(deny=["gold"]), BOB, credential=None) == (None, {"x-consumer-groups": ""})


def test_groups_that_authentication_gave():
    acl, always = rule(allow=["gold"]), rule(allow=["gold"], always_use_authenticated_groups=True)
    given_gold = None, {"x-authenticated-groups": "gold, x"}
    assert run(acl, None, ("gold", "x")) == given_gold
    assert run(acl, None, ("x",)) == DENIED
    assert run(acl, None, ()) == DENIED
    assert run(acl, BOB, ("gold", "x"), credential=None) == given_gold
    assert run(acl, BOB, ("gold", "x")) == DENIED  # a credential speaks for its consumer
    assert run(always, BOB, ("gold", "x")) == given_gold
    assert run(always, ALICE, ("x",)) == DENIED


def test_earlier_words_about_groups_are_replaced():
    fields = [("X-Consumer-Groups", "admin"), ("X-Authenticated-Groups", "admin")]
    assert run(rule(allow=["gold"]), fields=fields) == ALICES


def test_a_group_cannot_break_out_of_its_line():
    odd = callers(acls=[{"id": "1", "group": "a\r\nX: y", "created_at": 1, **of(ALICE)}])
    assert run(rule(deny=["b"]), snapshot=odd) == (None, {"x-consumer-groups": "a  X: y"})


NAMES = st.lists(st.sampled_from("abcd"), unique=True, max_size=3)


@given(NAMES.filter(bool), NAMES)
def test_allow_and_deny_are_opposites(listed, groups):
    snapshot = callers(acls=[{"id": name, "group": name, "created_at": 1, **of(ALICE)} for name in groups])
    allowed = run(rule(allow=listed), snapshot=snapshot)[0] is None
    assert allowed == bool(set(listed) & set(groups))
    assert (run(rule(deny=listed), snapshot=snapshot)[0] is None) != allowed


def test_many_sets_of_groups_are_remembered_within_a_bound():
    acl = rule(deny=["no"])
    for number in range(1500):
        assert run(acl, None, (f"g{number}",)) == (None, {"x-authenticated-groups": f"g{number}"})
    assert run(acl, None, ("g0",)) == (None, {"x-authenticated-groups": "g0"})


def test_configurations():
    assert stored(PLUGIN, {"deny": ["a"]}) == {
        "allow": None,
        "deny": ["a"],
        "hide_groups_header": False,
        "always_use_authenticated_groups": False,
    }
    assert "exactly one of these fields must be non-empty" in stored(PLUGIN, {"allow": ["a"], "deny": ["b"]})
    assert "at least one of these fields must be non-empty" in stored(PLUGIN, {"allow": []})
