"""acl: groups that may, groups that may not, and what the upstream is told of them."""

import pytest

from aimon_local.policy.plugins.acl import PLUGIN
from tests.support.calls import compile_rule, entity, make_call, pairs
from tests.support.plugins import stored

ALLOW, DENY = {"allow": ["g1", "g3"]}, {"deny": ["g1", "g3"]}


def ask(config, groups=None, *, anonymous=False, given=None, fields=()):
    """A consumer with these groups (None: nobody); ``given`` by authentication."""
    call = make_call(fields=fields, groups=given)
    if groups is not None:
        call.consumer, call.anonymous = entity(id="c", groups=tuple(groups)), anonymous
        call.credential = None if anonymous else entity(id="k")
    outcome = compile_rule(PLUGIN, config).access(call)
    return call, None if outcome is None else (outcome.status, outcome.message, outcome.reason)


DENIED = (403, "You cannot consume this service", "acl_denied")
UNKNOWN = (401, "Unauthorized", "no_consumer")


@pytest.mark.parametrize(
    ("config", "groups", "anonymous", "expected"),
    [
        (ALLOW, None, False, UNKNOWN),
        (DENY, None, False, UNKNOWN),
        (ALLOW, ["g1"], False, None),
        (ALLOW, ["g2", "g3"], False, None),
        (ALLOW, ["g2"], False, DENIED),
        (ALLOW, ["G1"], False, DENIED),
        (ALLOW, [], False, DENIED),
        (ALLOW, [], True, UNKNOWN),
        (ALLOW, ["g1"], True, None),
        (ALLOW, ["g2"], True, DENIED),
        (DENY, ["g1"], False, DENIED),
        (DENY, ["g2", "g3"], False, DENIED),
        (DENY, ["g2"], False, None),
        (DENY, [], False, None),
        (DENY, [], True, None),
    ],
)
def test_who_may(config, groups, anonymous, expected):
    call, outcome = ask(config, groups, anonymous=anonymous)
    assert outcome == expected
    assert (call.get(b"x-consumer-groups") is not None) is (expected is None)


@pytest.mark.parametrize(
    ("config", "groups", "line"),
    [
        (ALLOW, ["g1", "g2"], "g1, g2"),
        (DENY, ["g2"], "g2"),
        (DENY, [], ""),
        (ALLOW, ["g1", "kt ü,grp"], "g1, kt ü,grp"),
        (ALLOW, ["g1", "a\r\nX: y"], "g1, a  X: y"),
    ],
)
def test_the_upstream_learns_all_groups(config, groups, line):
    call, outcome = ask(config, groups, fields=[("X-Keep", "1")])
    assert outcome is None
    assert pairs(call.fields) == [("X-Keep", "1"), ("X-Consumer-Groups", line.encode().decode("latin-1"))]


def test_groups_can_be_hidden():
    call, outcome = ask({**ALLOW, "hide_groups_header": True}, ["g1"])
    assert outcome is None
    assert call.fields == []


def test_groups_of_authentication_count_where_there_is_no_proven_consumer_or_always():
    call, outcome = ask(ALLOW, given=("g1",))
    assert outcome is None
    assert pairs(call.fields) == [("X-Authenticated-Groups", "g1")]
    assert ask(ALLOW, ["g2"], given=("g1",))[1] == DENIED
    assert ask(ALLOW, ["g2"], anonymous=True, given=("g1",))[1] is None
    assert ask({**ALLOW, "always_use_authenticated_groups": True}, ["g2"], given=("g1",))[1] is None
    assert ask({**ALLOW, "always_use_authenticated_groups": True}, ["g1"])[1] is None


def test_many_sets_of_groups_are_told_right():
    rule = compile_rule(PLUGIN, DENY)
    for number in (*range(3000), 5):
        call = make_call()
        call.consumer, call.credential = entity(id="c", groups=(f"n{number}",)), entity(id="k")
        assert rule.access(call) is None
        assert call.get(b"x-consumer-groups") == f"n{number}".encode()


@pytest.mark.parametrize("config", [{}, {"allow": []}, {"allow": ["a"], "deny": ["b"]}])
def test_it_is_either_list(config):
    assert "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'" in stored(PLUGIN, config)
