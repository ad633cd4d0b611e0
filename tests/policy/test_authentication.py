"""Authentication in general: AND and OR of several plugins, the anonymous consumer, challenges."""

import itertools

import pytest

from aimon_local.policy import reasons
from aimon_local.policy.authentication import challenge
from aimon_local.policy.plugins import basic_auth, key_auth
from tests.support.callers import (
    ALICE,
    AS_ALICE,
    AS_BOB,
    AS_GUEST,
    GUEST,
    KEY_ID,
    ODD_ID,
    SNAPSHOT,
    ask,
    callers,
    told,
)
from tests.support.calls import compile_rule, make_call

KEY, BOBS = ("apikey", "alice-key"), ("apikey", "kä y+1".encode())
LOGIN = ("Authorization", "Basic YWw6cDp3IMO8")  # al:p:w ü
AS_AL = AS_ALICE | {"x-credential-identifier": "al"}


def several(fields, *anonymous):
    """key-auth, then basic-auth, each with its anonymous consumer; the first refusal ends it."""
    plugins = (key_auth.PLUGIN, basic_auth.PLUGIN)
    rules = [compile_rule(plugin, {"anonymous": name}) for plugin, name in zip(plugins, anonymous, strict=True)]
    call = make_call(fields=fields, snapshot=SNAPSHOT)
    outcomes = (rule.access(call) for rule in rules)
    return next((outcome for outcome in outcomes if outcome is not None), None), told(call)


@pytest.mark.parametrize("fields", [f for n in range(3) for f in itertools.combinations((BOBS, LOGIN), n)])
def test_without_anonymous_all_must_hold_and_the_last_names_the_consumer(fields):
    outcome, identity = several(fields, None, None)
    if len(fields) == 2:
        assert (outcome, identity) == (None, AS_AL)
    else:
        assert outcome.status == 401


def test_with_anonymous_the_first_that_holds_counts():
    assert several((BOBS, LOGIN), "guest", "guest") == (None, AS_BOB | {"x-credential-identifier": ODD_ID})
    assert several((BOBS,), "guest", "guest") == (None, AS_BOB | {"x-credential-identifier": ODD_ID})
    assert several((LOGIN,), "guest", "guest") == (None, AS_AL)
    assert several((), "guest", "guest") == (None, AS_GUEST)


def test_a_plugin_without_anonymous_must_hold_beside_one_with_it():
    assert several((LOGIN,), "guest", None) == (None, AS_AL)
    assert several((BOBS,), "guest", None)[0].reason == reasons.NO_LOGIN
    assert several((BOBS,), None, "guest") == (None, AS_BOB | {"x-credential-identifier": ODD_ID})


@pytest.mark.parametrize("name", ["guest", GUEST])
def test_the_anonymous_consumer_is_named_by_id_or_username(name):
    outcome, call = ask(compile_rule(key_auth.PLUGIN, {"anonymous": name}))
    assert (outcome, told(call)) == (None, AS_GUEST)
    assert (call.consumer.id, call.credential, call.anonymous) == (GUEST, None, True)


def test_an_anonymous_consumer_that_does_not_exist_is_told():
    outcome, call = ask(compile_rule(key_auth.PLUGIN, {"anonymous": "nobody"}))
    assert (outcome.status, outcome.reason) == (500, reasons.NO_ANONYMOUS)
    assert outcome.message == "anonymous consumer nobody is configured but doesn't exist"
    assert told(call) == {}


def test_a_consumer_may_be_anonymous_and_have_a_key():
    outcome, call = ask(compile_rule(key_auth.PLUGIN, {"anonymous": "alice"}), fields=[KEY])
    assert (outcome, told(call)) == (None, AS_ALICE | {"x-credential-identifier": KEY_ID})
    assert not call.anonymous
    outcome, call = ask(compile_rule(key_auth.PLUGIN, {"anonymous": "alice"}))
    assert told(call) == AS_ALICE | {"x-anonymous-consumer": "true"}
    assert call.consumer.id == ALICE


def test_a_credential_whose_consumer_is_gone_is_worth_nothing():
    orphan = callers(consumers=())
    assert ask(compile_rule(key_auth.PLUGIN), fields=[KEY], snapshot=orphan)[0].reason == reasons.INVALID_KEY
    assert ask(compile_rule(basic_auth.PLUGIN), fields=[LOGIN], snapshot=orphan)[0].reason == reasons.INVALID_LOGIN


def test_challenges():
    assert challenge("Key") == ((b"WWW-Authenticate", b"Key"),)
    assert challenge("Bearer", realm="ü", error="x")[0][1] == 'Bearer realm="ü" error="x"'.encode()
    assert challenge("Bearer", realm=None, error="x")[0][1] == b'Bearer error="x"'
