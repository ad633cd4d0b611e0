"""basic-auth: user names and passwords, where they stand, and how they are kept from the upstream."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.special import password_hash
from aimon_local.policy import reasons
from aimon_local.policy.plugins.basic_auth import PLUGIN
from tests.support.callers import ALICE, AS_ALICE, AS_GUEST, ask, callers, of, told
from tests.support.calls import compile_rule, pairs
from tests.support.plugins import stored

PLAIN = compile_rule(PLUGIN)
RIGHT = "al:p:w ü"


def basic(login, scheme="Basic "):
    raw = login if isinstance(login, bytes) else login.encode()
    return scheme + base64.b64encode(raw).decode()


def test_what_kongs_pattern_makes_of_odd_logins():
    for odd in (f"::{RIGHT}", f"{RIGHT}\nmore"):
        assert ask(PLAIN, fields=[("Authorization", basic(odd))])[0] is None


@pytest.mark.parametrize("name", ["Authorization", "Proxy-Authorization"])
@pytest.mark.parametrize("scheme", ["Basic ", "basic ", "Basic   ", "Basic"])
def test_a_login_names_its_consumer(name, scheme):
    outcome, call = ask(PLAIN, fields=[(name, basic(RIGHT, scheme))])
    assert (outcome, told(call)) == (None, AS_ALICE | {"x-credential-identifier": "al"})
    assert call.consumer.id == ALICE
    assert pairs(call.fields)[0] == (name, basic(RIGHT, scheme))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic x",
        "Basic ????",
        "Basic " + "a" * 5,
        "Bearer " + basic(RIGHT, ""),
        basic(RIGHT, "BASIC "),
        basic("al"),
        basic("al:"),
        basic("al:p:w"),
        basic("AL:p:w ü"),
        basic("nobody:p:w ü"),
        basic(":p:w ü"),
        basic(":"),
        basic("::al"),
        basic("al\n:p:w ü"),
        basic("a" * 60_000),
        basic(b"al:\xff"),
        basic(f"al:{password_hash('p:w ü', ALICE)}"),  # what is stored is no password
        basic(b"\xff:p"),
        RIGHT,
    ],
)
def test_all_else_is_401(value):
    outcome, call = ask(PLAIN, fields=[("Authorization", value)])
    assert (outcome.status, outcome.message, outcome.reason) == (401, "Unauthorized", reasons.INVALID_LOGIN)
    assert outcome.fields == ((b"WWW-Authenticate", b'Basic realm="service"'),)
    assert told(call) == {}


def test_nothing_at_all_is_another_reason():
    outcome, _ = ask(compile_rule(PLUGIN, {"realm": "my realm"}), fields=[("Cookie", basic(RIGHT))])
    assert (outcome.status, outcome.reason) == (401, reasons.NO_LOGIN)
    assert outcome.fields == ((b"WWW-Authenticate", b'Basic realm="my realm"'),)


def test_the_proxys_field_counts_first_if_its_user_is_known():
    other = ("Authorization", basic("al:wrong"))
    assert ask(PLAIN, fields=[other, ("Proxy-Authorization", basic(RIGHT))])[0] is None
    right = ("Authorization", basic(RIGHT))
    assert ask(PLAIN, fields=[right, ("Proxy-Authorization", basic("nobody:x"))])[0] is None
    assert ask(PLAIN, fields=[right, ("Proxy-Authorization", "Bearer x")])[0] is None
    assert ask(PLAIN, fields=[right, ("Proxy-Authorization", basic("al:wrong"))])[0].status == 401


def test_hidden_credentials_are_those_that_were_read():
    hiding = compile_rule(PLUGIN, {"hide_credentials": True, "anonymous": "guest"})
    both = [("Authorization", basic(RIGHT)), ("X", "1"), ("Proxy-Authorization", "Basic x")]
    _, call = ask(hiding, fields=both)
    assert pairs(call.fields)[0] == ("X", "1")
    assert call.get(b"authorization") is call.get(b"proxy-authorization") is None
    _, call = ask(hiding, fields=[("Authorization", "own"), ("Proxy-Authorization", basic(RIGHT))])
    assert (call.get(b"authorization"), call.get(b"proxy-authorization")) == (b"own", None)
    _, call = ask(hiding, fields=[("Authorization", basic("al:wrong"))])
    assert (call.get(b"authorization"), told(call)) == (None, AS_GUEST)


@given(st.text(min_size=1, max_size=6).filter(lambda text: ":" not in text), st.text(min_size=1, max_size=6))
def test_any_name_and_password_hold_for_themselves(name, password):
    # nothing but line ends, which Kong's pattern stops at
    name, password = name.replace("\n", "n"), password.replace("\n", "n")
    login = {"id": "1", "username": name, "password": password_hash(password, ALICE), **of(ALICE)}
    snapshot = callers(basicauth_credentials=[login])
    outcome, _ = ask(PLAIN, fields=[("Authorization", basic(f"{name}:{password}"))], snapshot=snapshot)
    assert outcome is None
    outcome, _ = ask(PLAIN, fields=[("Authorization", basic(f"{name}:{password}x"))], snapshot=snapshot)
    assert outcome.reason == reasons.INVALID_LOGIN


def test_what_is_stored():
    assert stored(PLUGIN, {}) == {"anonymous": None, "hide_credentials": False, "realm": "service"}
    assert "config.realm: required field missing" in stored(PLUGIN, {"realm": None})
