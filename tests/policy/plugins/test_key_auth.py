"""key-auth: where keys are found, what is refused and why, and how a key is kept from the upstream."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import reasons
from aimon_local.policy.call import NEED_BODY
from aimon_local.policy.plugins.key_auth import PLUGIN
from tests.support.callers import ALICE, AS_ALICE, AS_BOB, AS_GUEST, KEY_ID, ODD_ID, ask, told
from tests.support.calls import compile_rule, make_call, pairs
from tests.support.plugins import stored

PLAIN = compile_rule(PLUGIN)
FORM, JSON = ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "application/json; charset=utf-8")
MULTI = ("Content-Type", 'multipart/form-data; boundary="b"')
KEY = ("apikey", "alice-key")


def rule(**config):
    return compile_rule(PLUGIN, config)


def denied(rule, *args, **facts):
    outcome, call = ask(rule, *args, **facts)
    assert told(call) == {}
    assert call.consumer is None
    return outcome.message, outcome.reason


@pytest.mark.parametrize("name", ["apikey", "APIKEY", "ApiKey"])
def test_a_key_names_its_consumer_to_the_upstream(name):
    outcome, call = ask(PLAIN, fields=[(name, "alice-key"), ("Accept", "*/*")])
    assert outcome is None
    assert told(call) == AS_ALICE | {"x-credential-identifier": KEY_ID}
    assert (call.consumer.id, call.credential.id, call.anonymous) == (ALICE, KEY_ID, False)
    assert pairs(call.fields)[:2] == [(name, "alice-key"), ("Accept", "*/*")]


@pytest.mark.parametrize(
    ("target", "fields", "message", "reason"),
    [
        ("/", [], "No API key found in request", reasons.NO_KEY),
        ("/", [("apikey", "")], "No API key found in request", reasons.NO_KEY),
        ("/?apikey=", [], "No API key found in request", reasons.NO_KEY),
        ("/?apikey", [], "No API key found in request", reasons.NO_KEY),
        ("/?APIKEY=alice-key", [], "No API key found in request", reasons.NO_KEY),
        ("/", [("Authorization", "alice-key")], "No API key found in request", reasons.NO_KEY),
        ("/?apikey=alice-key", [("apikey", "")], "No API key found in request", reasons.NO_KEY),
        ("/", [("apikey", "wrong")], "Unauthorized", reasons.INVALID_KEY),
        ("/", [("apikey", "ALICE-KEY")], "Unauthorized", reasons.INVALID_KEY),
        ("/?apikey=alice-key", [("apikey", "wrong")], "Unauthorized", reasons.INVALID_KEY),
        ("/", [("apikey", "old-key")], "Unauthorized", reasons.KEY_EXPIRED),
        ("/", [KEY, KEY], "Duplicate API key found", reasons.DUPLICATE_KEY),
        ("/?apikey=alice-key&apikey=alice-key", [], "Duplicate API key found", reasons.DUPLICATE_KEY),
        ("/?apikey&apikey=alice-key", [], "Duplicate API key found", reasons.DUPLICATE_KEY),
    ],
)
def test_refusals_are_401_with_a_challenge(target, fields, message, reason):
    outcome, call = ask(PLAIN, target, fields)
    assert (outcome.status, outcome.message, outcome.reason) == (401, message, reason)
    assert outcome.fields == ((b"WWW-Authenticate", b"Key"),)
    assert told(call) == {}


def test_the_realm_is_in_the_challenge_and_stays_in_its_line():
    outcome, _ = ask(rule(realm="my\r\nrealm"))
    assert outcome.fields == ((b"WWW-Authenticate", b'Key realm="my%0D%0Arealm"'),)


def test_a_key_is_void_from_its_second_on():
    outcome, call = ask(PLAIN, "/?apikey=k%C3%A4%20y%2B1")
    assert outcome is None
    assert told(call) == AS_BOB | {"x-credential-identifier": ODD_ID}
    late = make_call("GET", "/?apikey=k%C3%A4%20y%2B1", snapshot=call.snapshot, now_ns=call.now_ns + 10**9)
    assert PLAIN.access(late).reason == reasons.KEY_EXPIRED


def test_keys_are_bytes_whatever_they_are():
    outcome, _ = ask(PLAIN, fields=[("apikey", b"\xff\xfe")])
    assert outcome.reason == reasons.INVALID_KEY
    outcome, _ = ask(PLAIN, fields=[("apikey", "kä y+1".encode())])
    assert outcome is None


def test_names_are_asked_in_order_and_the_first_that_holds_something_decides():
    two = rule(key_names=["x-key", "k2"])
    assert ask(two, fields=[("k2", "alice-key")])[0] is None
    assert denied(two, "/", [("X-Key", "bad"), ("k2", "alice-key")])[1] == reasons.INVALID_KEY
    assert denied(two, "/?x-key=bad", [("k2", "alice-key")])[1] == reasons.INVALID_KEY
    assert ask(two, "/?x-key", [("k2", "alice-key")])[0] is None  # a flag is no key
    assert denied(rule(key_names=[]), "/?apikey=alice-key") == ("No API key found in request", reasons.NO_KEY)


def test_an_underscore_in_a_name_means_a_dash_too_but_not_the_other_way():
    assert ask(rule(key_names=["Api_Key"]), fields=[("api_key", "alice-key")])[0] is None
    assert ask(rule(key_names=["Api_Key"]), fields=[("Api-Key", "alice-key")])[0] is None
    assert denied(rule(key_names=["api-key"]), "/", [("Api_Key", "alice-key")])[1] == reasons.NO_KEY


def test_places_can_be_left_out():
    assert denied(rule(key_in_query=False), "/?apikey=alice-key")[1] == reasons.NO_KEY
    assert denied(rule(key_in_header=False), "/", [KEY])[1] == reasons.NO_KEY
    assert ask(rule(key_in_header=False), "/?apikey=alice-key", [("apikey", "bad")])[0] is None


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_preflights_pass_where_they_may(method):
    outcome, call = ask(rule(run_on_preflight=False), method=method)
    assert (outcome is None) == (method == "OPTIONS")
    assert told(call) == {}
    assert ask(PLAIN, method=method)[0].status == 401


# ---- in the body

IN_BODY = rule(key_in_body=True)
PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (FORM, b"apikey=alice-key", None),
        (FORM, b"a=1&apikey=alice%2Dkey", None),
        (FORM, b"apikey=alice-key&apikey=x", reasons.DUPLICATE_KEY),
        (FORM, b"apikey", reasons.NO_KEY),
        (FORM, b"", reasons.NO_KEY),
        (JSON, b'{"apikey": "alice-key"}', None),
        (JSON, '{"apikey": "kä y+1"}'.encode(), None),
        (JSON, b'{"apikey": ["alice-key"]}', reasons.DUPLICATE_KEY),
        (JSON, b'{"apikey": {}}', reasons.DUPLICATE_KEY),
        (JSON, b'{"apikey": "\\ud800"}', reasons.INVALID_KEY),
        (JSON, b'{"apikey": 5}', reasons.NO_KEY),
        (JSON, b'["apikey"]', reasons.NO_KEY),
        (JSON, b"{", reasons.NO_KEY),
        (JSON, b"[" * 100_000, reasons.NO_KEY),
        (MULTI, PART % (b"apikey", b"alice-key") + b"--b--\r\n", None),
        (MULTI, b"apikey=alice-key", reasons.NO_KEY),
        (("Content-Type", "multipart/form-data"), b"apikey=alice-key", reasons.NO_KEY),
        (("Content-Type", "text/plain"), b"apikey=alice-key", reasons.NO_KEY),
        (("X", ""), b"apikey=alice-key", reasons.NO_KEY),
    ],
)
def test_keys_in_bodies(kind, body, reason):
    outcome, call = ask(IN_BODY, fields=[kind], method="POST", body=body)
    assert (outcome and outcome.reason) == reason
    assert call.body in (body, None)


def test_a_body_is_only_gathered_where_the_key_is_nowhere_else_or_must_be_taken_out():
    facts = {"content_length": 9, "snapshot": ask(IN_BODY)[1].snapshot}
    assert IN_BODY.access(make_call("POST", fields=[FORM], **facts)) is NEED_BODY
    assert IN_BODY.access(make_call("POST", fields=[FORM, KEY], **facts)) is None
    assert PLAIN.access(make_call("POST", fields=[FORM], **facts)).reason == reasons.NO_KEY
    hiding = rule(key_in_body=True, hide_credentials=True)
    held = make_call("POST", fields=[FORM, KEY], **facts)
    assert hiding.access(held) is NEED_BODY
    assert held.get(b"apikey") == b"alice-key"
    facts["content_length"] = None
    assert hiding.access(make_call("GET", fields=[KEY], **facts)) is None


# ---- hidden from the upstream

HIDING = rule(key_in_body=True, hide_credentials=True, key_names=["apikey", "k2"])


def test_a_hidden_key_is_taken_out_of_every_place_of_its_name():
    outcome, call = ask(HIDING, "/?a=1&apikey=x&b=%20y&apikey=z", [KEY, ("k2", "kept"), ("X", "1")], method="POST")
    assert outcome is None
    assert call.upstream_query == "a=1&b=+y"
    assert [name for name, _ in pairs(call.fields)][:2] == ["k2", "X"]
    assert call.get(b"apikey") is None


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("apikey=alice-key", None),
        ("apikey=alice-key&", None),
        ("apikey=alice-key&b", "b="),
        ("x=a%2Fb~c*d-_.&apikey=alice-key", "x=a%2Fb%7Ec*d-_."),
        ("%61pikey=alice-key&a=1", "a=1"),
        ("k2=alice-key&a=+x", "a=+x"),
        ("a=%C3%BC%ff&apikey=alice-key", "a=%C3%BC%FF"),
        ("apikey=alice-key?", "refused"),
    ],
)
def test_the_query_that_is_left_is_written_anew(query, left):
    outcome, call = ask(HIDING, f"/?{query}")
    if left == "refused":
        assert outcome.reason == reasons.INVALID_KEY
    else:
        assert (outcome, call.upstream_query) == (None, left)


def test_without_a_query_none_appears_and_a_bare_one_stays():
    assert ask(HIDING, "/", [KEY])[1].upstream_query is None
    assert ask(HIDING, "/?", [KEY])[1].upstream_query == ""


@pytest.mark.parametrize(
    ("kind", "body", "left"),
    [
        (FORM, b"apikey=alice-key", b""),
        (FORM, b"b=2&apikey=alice-key&a=%20", b"a=%20&b=2"),
        (JSON, b'{"apikey":"alice-key"}', b"{}"),
        (JSON, b'{"a": [1, "/"], "apikey": "alice-key"}', b'{"a":[1,"\\/"]}'),
        (MULTI, PART % (b"apikey", b"alice-key") + b"--b--\r\n", b"--b--\r\n"),
        (
            MULTI,
            PART % (b"f", b"1") + PART % (b"apikey", b"alice-key") + b"--b--\r\n",
            PART % (b"f", b"1") + b"--b--\r\n",
        ),
    ],
)
def test_the_body_that_is_left(kind, body, left):
    outcome, call = ask(HIDING, fields=[kind], method="POST", body=body)
    assert (outcome, call.body) == (None, left)


def test_a_body_without_the_name_is_not_touched():
    outcome, call = ask(HIDING, fields=[KEY, FORM], method="POST", body=b"b=2&a=1")
    assert (outcome, call.body) == (None, b"b=2&a=1")


# ---- laws


@given(st.lists(st.tuples(st.sampled_from(["apikey", "ApiKey", "x"]), st.sampled_from(["alice-key", "bad", ""]))))
def test_only_exactly_one_right_key_is_let_in(fields):
    outcome, call = ask(PLAIN, fields=fields)
    keys = [value for name, value in fields if name.lower() == "apikey"]
    assert (outcome is None) == (keys == ["alice-key"])
    assert (call.consumer is not None) == (outcome is None)


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4), max_size=4))
def test_a_hidden_key_leaves_all_other_members_of_a_json_body(members):
    members = {name: value for name, value in members.items() if name != "apikey"}
    body = json.dumps(members | {"apikey": "alice-key"}).encode()
    outcome, call = ask(HIDING, fields=[JSON], method="POST", body=body)
    assert outcome is None
    assert json.loads(call.body) == members


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"key_names": ["a b"]}, "bad header name 'a b'"),
        ({"key_names": "a"}, "expected an array"),
        ({"identity_realms": []}, "unknown field"),
        ({"anonymous": ""}, "length must be at least 1"),
    ],
)
def test_configurations_that_are_refused(config, text):
    assert text in stored(PLUGIN, config)


def test_what_is_stored():
    assert stored(PLUGIN, {}) == {
        "key_names": ["apikey"],
        "hide_credentials": False,
        "anonymous": None,
        "key_in_header": True,
        "key_in_query": True,
        "key_in_body": False,
        "run_on_preflight": True,
        "realm": None,
    }


def test_a_guest_stands_in_for_whoever_has_no_key():
    outcome, call = ask(rule(anonymous="guest"), fields=[("apikey", "wrong")])
    assert (outcome, told(call)) == (None, AS_GUEST)


def test_a_key_may_come_as_a_bearer_token():
    tokens = rule(key_names=["authorization"])
    for value in ("Bearer alice-key", "bearer  alice-key", "alice-key"):
        assert ask(tokens, fields=[("Authorization", value)])[0] is None
    for value in ("Bearer", "Bearer bad", "Basic alice-key", "Beareralice-key"):
        assert denied(tokens, "/", [("Authorization", value)])[1] == reasons.INVALID_KEY
    assert denied(PLAIN, "/", [("Authorization", "Bearer alice-key")])[1] == reasons.NO_KEY
