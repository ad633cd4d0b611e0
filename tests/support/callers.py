"""Two consumers, a guest without credentials, and what they prove themselves with: for tests of who calls."""

from aimon_local.model.special import password_hash
from aimon_local.policy.snapshot import build
from tests.support.calls import NOON, make_call, pairs

ALICE, BOB, GUEST = (f"{digit * 8}-0000-4000-8000-{digit * 12}" for digit in "abc")
KEY_ID, OLD_ID, ODD_ID, LOGIN_ID, TOKEN_ID = (f"{digit * 8}-1111-4111-8111-{digit * 12}" for digit in "abcde")


def of(consumer):
    return {"consumer": {"id": consumer}}


CONSUMERS = (
    {"id": ALICE, "username": "alice", "custom_id": "a-1"},
    {"id": BOB, "username": "bob", "custom_id": None},
    {"id": GUEST, "username": "guest", "custom_id": None},
)
KEYS = (
    {"id": KEY_ID, "key": "alice-key", "ttl": None, **of(ALICE)},
    {"id": OLD_ID, "key": "old-key", "ttl": NOON, **of(ALICE)},
    {"id": ODD_ID, "key": "kä y+1", "ttl": NOON + 1, **of(BOB)},
)
LOGINS = ({"id": LOGIN_ID, "username": "al", "password": password_hash("p:w ü", ALICE), **of(ALICE)},)
GROUPS = (
    {"id": "1", "group": "gold", "created_at": 2, **of(ALICE)},
    {"id": "2", "group": "early", "created_at": 1, **of(ALICE)},
    {"id": "3", "group": "guests", "created_at": 1, **of(GUEST)},
)


def callers(**tables):
    """The snapshot of all of them."""
    known = {"consumers": CONSUMERS, "keyauth_credentials": KEYS, "basicauth_credentials": LOGINS, "acls": GROUPS}
    return build(known | tables, {}, lambda key: key)


SNAPSHOT = callers()


def ask(rule, target="/", fields=(), method="GET", snapshot=SNAPSHOT, **facts):
    """(outcome of the access phase, call): a body that the rule must see is given to it, as the shell does."""
    body = facts.pop("body", None)
    if body is not None:
        facts = {"content_length": len(body)} | facts
    call = make_call(method, target, fields, snapshot=snapshot, **facts)
    outcome = rule.access(call)
    if outcome is not None and not hasattr(outcome, "status"):
        call.body = body or b""
        outcome = rule.access(call)
    return outcome, call


def told(call):
    """What the upstream is told of who calls: lower-case names and values."""
    names = ("x-consumer-", "x-credential-", "x-anonymous-", "x-authenticated-")
    return {name.lower(): value for name, value in pairs(call.fields) if name.lower().startswith(names)}


AS_ALICE = {"x-consumer-id": ALICE, "x-consumer-username": "alice", "x-consumer-custom-id": "a-1"}
AS_BOB = {"x-consumer-id": BOB, "x-consumer-username": "bob"}
AS_GUEST = {"x-consumer-id": GUEST, "x-consumer-username": "guest", "x-anonymous-consumer": "true"}
