"""basic-auth: which credentials are read, which let in, what the upstream learns."""

import base64

import pytest

from aimon_local.policy.call import Refuse
from aimon_local.policy.plugins.basic_auth import PLUGIN
from tests.support.callers import callers, told
from tests.support.calls import compile_rule, make_call, pairs

SNAPSHOT = callers()


def login(text, scheme="Basic "):
    return scheme.encode() + base64.b64encode(text if isinstance(text, bytes) else text.encode())


GOOD = login("ann-login:pw: ü")


def ask(config=None, **request):
    call = make_call(snapshot=SNAPSHOT, **request)
    return call, compile_rule(PLUGIN, config).access(call)


@pytest.mark.parametrize(
    "value", [GOOD, login("ann-login:pw: ü", "basic "), login("ann-login:pw: ü", "Basic   "), GOOD.rstrip(b"=")]
)
def test_the_right_password_names_the_consumer(value):
    call, outcome = ask(fields=[("Authorization", value)])
    assert outcome is None
    assert call.credential.id == "b-ann"
    assert told(call) == {
        "x-consumer-id": "c-ann",
        "x-consumer-username": "ann",
        "x-consumer-custom-id": "a-1",
        "x-credential-identifier": "ann-login",
    }
    assert call.get(b"authorization") == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_login"),
        (b"", "invalid_login"),
        (b"Basic", "invalid_login"),
        (b"Basic x", "invalid_login"),
        (b"Basic *!*", "invalid_login"),
        (b"Bearer abc", "invalid_login"),
        (login("ann-login"), "invalid_login"),
        (login("ann-login:"), "invalid_login"),
        (login("ann-login:wrong"), "invalid_login"),
        (login("ANN-LOGIN:pw: ü"), "invalid_login"),
        (login(":pw: ü"), "invalid_login"),
        (login("nobody:pw: ü"), "invalid_login"),
        (login(b"ann-login:pw: \xfc"), "invalid_login"),
        (login(b"\xff\x00:\xff"), "invalid_login"),
    ],
)
def test_others_are_refused(value, reason):
    call, outcome = ask(fields=[] if value is None else [("Authorization", value)])
    assert isinstance(outcome, Refuse)
    assert (outcome.status, outcome.message, outcome.reason) == (401, "Unauthorized", reason)
    assert outcome.fields == ((b"WWW-Authenticate", b'Basic realm="service"'),)
    assert call.consumer is None
    assert told(call) == {}


def test_a_stored_hash_is_no_password():
    stored = SNAPSHOT.basic_credentials("ann-login").fields["password"]
    assert ask(fields=[("Authorization", login(f"ann-login:{stored}"))])[1].reason == "invalid_login"


def test_the_proxy_field_is_asked_first_and_the_other_too():
    assert ask(fields=[("Proxy-Authorization", GOOD), ("Authorization", login("a:b"))])[1] is None
    assert ask(fields=[("Proxy-Authorization", login("a:b")), ("Authorization", GOOD)])[1] is None


def test_credentials_can_be_hidden():
    call, outcome = ask({"hide_credentials": True}, fields=[("Authorization", GOOD), ("X-Keep", "1")])
    assert outcome is None
    assert next(name for name, _ in pairs(call.fields)) == "X-Keep"
    assert call.get(b"authorization") is None


def test_the_realm_is_told():
    outcome = ask({"realm": "my realm"})[1]
    assert outcome.fields == ((b"WWW-Authenticate", b'Basic realm="my realm"'),)
