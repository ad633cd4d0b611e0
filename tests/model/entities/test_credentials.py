import base64

import pytest

from aimon_local.model.entities.credentials import ACLS, JWT_SECRETS, KEYAUTH_CREDENTIALS
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds

CONSUMER = {"id": "00000000-0000-4000-8000-0000000000ff"}
PEM = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(bytes([0x30, 1, 0])).decode()}\n-----END PUBLIC KEY-----"


def make(schema, **data):
    found = process(schema, {"consumer": CONSUMER, **data}, mode="insert", now=NOW, ids=CountingIds())
    return found.body["fields"] if isinstance(found, Violation) else found


def test_keys_and_secrets_come_by_themselves():
    assert len(make(KEYAUTH_CREDENTIALS)["key"]) == 32
    made = make(JWT_SECRETS)
    assert made["key"] != made["secret"]
    assert made["algorithm"] == "HS256"


@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "EdDSA"])
def test_some_algorithms_need_a_public_key(algorithm):
    assert make(JWT_SECRETS, algorithm=algorithm)["rsa_public_key"] == "required field missing"
    assert make(JWT_SECRETS, algorithm=algorithm, rsa_public_key="x")["rsa_public_key"] == "invalid key"
    assert make(JWT_SECRETS, algorithm=algorithm, rsa_public_key=PEM)["rsa_public_key"] == PEM


@pytest.mark.parametrize("algorithm", ["HS512", "ES256"])
def test_others_do_not(algorithm):
    assert make(JWT_SECRETS, algorithm=algorithm)["algorithm"] == algorithm


def test_a_consumer_is_required():
    assert make(ACLS, consumer=None, group="g") == {"consumer": "required field missing"}
