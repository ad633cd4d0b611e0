"""Schemas shown, and judgements without a write."""

import pytest

from tests.support.admin import AdminUnderTest


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/schemas/services", 200),
        ("/schemas/plugins", 200),
        ("/schemas/plugins/key-auth", 200),
        ("/plugins/schema/key-auth", 200),
        ("/schemas/nope", 404),
        ("/schemas/consumer_groups", 404),
        ("/schemas/plugins/nope", 404),
        ("/plugins/schema/nope", 404),
        ("/schemas", 404),
    ],
)
def test_schemas(path, status):
    got, body = AdminUnderTest().ask("GET", path)
    assert got == status
    assert ("fields" in body) == (status == 200)


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("services", {"host": "h"}, 200),
        ("services", "host=h&port=80", 200),
        ("services", "host=h&port=x", 400),
        ("services", {}, 400),
        ("plugins", {"name": "rate-limiting", "config": {"minute": 5}}, 200),
        ("plugins", "name=rate-limiting&config.minute=5", 200),
        ("plugins", {"name": "rate-limiting"}, 400),
        ("plugins", {"name": "nope"}, 400),
        ("plugins", {}, 400),
        ("routes", {"paths": ["/x"], "service": {"id": "99999999-9999-4999-8999-999999999999"}}, 200),
        ("nope", {}, 404),
    ],
)
def test_validate(kind, data, status):
    admin = AdminUnderTest()
    got, body = admin.ask("POST", f"/schemas/{kind}/validate", data)
    assert got == status
    assert (body == {"message": "schema validation successful"}) == (status == 200)
    assert admin.committed == []


def test_a_masked_key_is_not_valid():
    admin = AdminUnderTest(secret=b"s" * 32)
    assert admin.ask("POST", "/schemas/keyauth_credentials/validate", {"key": "*" * 28})[1]["fields"].keys() == {"key"}
