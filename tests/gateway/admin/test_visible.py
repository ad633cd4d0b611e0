"""What of a secret is shown, when, and that a mask never becomes a key."""

import pytest

from aimon_local.gateway.admin.visible import document_fault
from tests.support.admin import AdminUnderTest

KEY = "a-long-key-of-somebody-0123456789"


@pytest.fixture
def admin():
    made = AdminUnderTest(secret=b"s" * 32)
    made.ask("PUT", "/consumers/ann", {})
    return made


def paths(key, id_):
    return (
        f"/consumers/ann/key-auth/{key}",
        f"/consumers/ann/key-auth/{id_}",
        f"/key-auths/{key}",
        f"/key-auths/{id_}",
    )


def test_a_key_is_shown_by_the_write_that_sets_it_only(admin):
    status, made = admin.ask("POST", "/consumers/ann/key-auth", {"key": KEY})
    assert (status, made["key"]) == (201, KEY)
    for path in paths(KEY, made["id"]):
        status, read = admin.ask("GET", path)
        assert status == 200
        assert KEY not in str(read)
        assert read["key"].startswith(KEY[:4])
    for path in ("/consumers/ann/key-auth", "/key-auths", "/config"):
        assert KEY not in str(admin.ask("GET", path))
    assert KEY not in str(admin.committed)


def test_a_generated_key_is_shown_once(admin):
    _, made = admin.ask("POST", "/consumers/ann/key-auth")
    assert len(made["key"]) == 32
    assert admin.ask("GET", f"/key-auths/{made['key']}")[1]["id"] == made["id"]
    assert made["key"] not in str(admin.committed)


def test_a_change_of_something_else_shows_the_mask(admin):
    _, made = admin.ask("POST", "/consumers/ann/key-auth", {"key": KEY})
    _, changed = admin.ask("PATCH", f"/key-auths/{made['id']}", {"tags": ["x"]})
    assert changed["key"] != KEY
    assert admin.ask("GET", f"/key-auths/{KEY}")[1]["tags"] == ["x"]
    _, changed = admin.ask("PATCH", f"/key-auths/{KEY}", {"key": "another-key"})
    assert changed["key"] == "another-key"
    assert admin.ask("GET", f"/key-auths/{KEY}")[0] == 404


def test_put_by_key(admin):
    status, made = admin.ask("PUT", "/consumers/ann/key-auth/mykey", {})
    assert (status, made["key"]) == (200, "mykey")
    assert admin.ask("PUT", "/consumers/ann/key-auth/mykey", {"tags": ["t"]})[1]["id"] == made["id"]
    assert admin.ask("POST", "/consumers/ann/key-auth", {"key": "mykey"})[0] == 409
    assert admin.ask("DELETE", "/consumers/ann/key-auth/mykey")[0] == 204
    assert admin.ask("GET", "/key-auths")[1]["data"] == []


@pytest.mark.parametrize("verb", ["POST", "PATCH", "PUT"])
def test_a_mask_is_no_key(admin, verb):
    _, made = admin.ask("POST", "/consumers/ann/key-auth", {"key": KEY})
    masked = admin.ask("GET", f"/key-auths/{made['id']}")[1]["key"]
    path = "/consumers/ann/key-auth" + ("" if verb == "POST" else f"/{made['id']}")
    status, refused = admin.ask(verb, path, {"key": masked})
    assert (status, list(refused["fields"])) == (400, ["key"])
    assert admin.ask("GET", f"/key-auths/{KEY}")[0] == 200


def test_a_document_with_masks_is_refused(admin):
    masked = "abcd" + "*" * 28
    nested = {"consumers": [{"username": "u", "keyauth_credentials": [{"key": masked}]}]}
    assert admin.ask("POST", "/config", {"_format_version": "3.0", **nested})[0] == 400
    assert admin.ask("GET", "/consumers/ann")[0] == 200
    odd = {"keyauth_credentials": 5, "jwt_secrets": [7, {"secret": 8}], "x": [masked]}
    assert document_fault(admin.context, odd) is None
    assert document_fault(AdminUnderTest().context, nested) is None


def test_a_document_makes_no_key_that_nobody_would_see(admin):
    document = {"_format_version": "3.0", "consumers": [{"username": "u", "keyauth_credentials": [{"tags": ["x"]}]}]}
    status, body = admin.ask("POST", "/config", document)
    assert (status, "without its key" in body["message"]) == (400, True)
    assert AdminUnderTest().ask("POST", "/config", document)[0] == 201


def test_jwt_secrets_are_masked_where_they_are_secrets(admin):
    _, made = admin.ask("POST", "/consumers/ann/jwt", {"key": "iss", "secret": "the secret of the shared kind"})
    assert made["secret"] == "the secret of the shared kind"
    assert admin.ask("GET", "/jwts/iss")[1]["secret"] == "the " + "*" * 28
    assert admin.ask("PATCH", "/jwts/iss", {"tags": ["x"]})[1]["secret"] == "the " + "*" * 28
    assert admin.ask("PATCH", "/jwts/iss", {"secret": "short"})[1]["secret"] == "short"
    assert admin.ask("GET", "/jwts/iss")[1]["secret"] == "*" * 28
    _, other = admin.ask("POST", "/consumers/ann/jwt", {"key": "es", "algorithm": "ES256"})
    assert admin.ask("GET", "/jwts/es")[1]["secret"] == other["secret"]


def test_in_plaintext_all_is_as_kong_has_it():
    admin = AdminUnderTest()
    admin.ask("PUT", "/consumers/ann", {})
    _, made = admin.ask("POST", "/consumers/ann/key-auth", {"key": KEY})
    assert admin.ask("GET", f"/key-auths/{made['id']}")[1] == made
    assert admin.ask("PATCH", f"/key-auths/{made['id']}", {"key": "x" + "*" * 28})[0] == 200
