"""The whole configuration as one document."""

import sys

import pytest
import yaml

from tests.support.admin import AdminUnderTest

DOCUMENT = {
    "_format_version": "3.0",
    "services": [{"name": "s", "url": "http://h.test:81/x", "routes": [{"name": "r", "paths": ["/r"]}]}],
    "consumers": [{"username": "ann", "keyauth_credentials": [{"key": "the-key-of-ann-0123456789"}]}],
}
YAML = [("Content-Type", "application/yaml")]


def post(admin, text, query="", kind=YAML):
    return admin.send("POST", f"/config{query}", kind, text.encode())


def test_a_document_replaces_everything():
    admin = AdminUnderTest()
    admin.ask("PUT", "/services/old", {"host": "h"})
    status, body = admin.ask("POST", "/config", DOCUMENT)
    assert status == 201
    assert sorted(body) == ["consumers", "keyauth_credentials", "routes", "services"]
    (id_,) = body["services"]
    assert body["services"][id_]["port"] == 81
    assert admin.ask("GET", "/services/old")[0] == 404
    assert admin.ask("GET", "/routes/r/service")[1]["id"] == id_


@pytest.mark.parametrize("secret", [None, b"s" * 32])
def test_what_comes_out_goes_in(secret):
    admin, other = AdminUnderTest(secret=secret), AdminUnderTest(secret=secret)
    admin.ask("POST", "/config", DOCUMENT)
    text = admin.ask("GET", "/config")[1]["config"]
    assert ("the-key-of-ann" in text) == (secret is None)
    assert post(other, text).status == 201
    assert other.ask("GET", "/config")[1]["config"] == text
    assert other.ask("GET", "/key-auths/the-key-of-ann-0123456789")[0] == 200
    assert post(other, text, "?check_hash=1").status == 304


@pytest.mark.parametrize("wrapped", ["form", "json", "yaml"])
def test_ways_in(wrapped):
    admin, text = AdminUnderTest(), yaml.safe_dump(DOCUMENT)
    if wrapped == "yaml":
        assert post(admin, text, kind=[("Content-Type", "text/yaml; charset=utf-8")]).status == 201
    elif wrapped == "json":
        assert admin.ask("POST", "/config", {"config": text})[0] == 201
    else:
        part = f'--b\r\nContent-Disposition: form-data; name="config"\r\n\r\n{text}\r\n--b--\r\n'
        assert post(admin, part, kind=[("Content-Type", "multipart/form-data; boundary=b")]).status == 201
    assert admin.ask("GET", "/services/s")[0] == 200


def test_a_text_that_looks_like_a_date_is_a_text():
    admin = AdminUnderTest()
    text = '_format_version: "3.0"\nservices:\n- {name: d, host: h, tags: [2020-01-01]}\n'
    assert post(admin, text).status == 201
    assert admin.ask("GET", "/services/d")[1]["tags"] == ["2020-01-01"]


@pytest.mark.parametrize(
    "text", ["", "  ", "just text", "a: [", "a: !!python/name:os.system x", "a: .nan", "[" * 100 + "]" * 100, "\x00"]
)
def test_what_is_no_document_changes_nothing(text):
    admin = AdminUnderTest()
    admin.ask("PUT", "/services/old", {"host": "h"})
    assert post(admin, text).status == 400
    assert admin.ask("GET", "/services/old")[0] == 200


def test_aliases_can_not_explode():
    lines = ["_format_version: '3.0'", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert post(AdminUnderTest(), "\n".join(lines)).status == 400


def test_a_faulty_document_changes_nothing_and_says_where():
    admin = AdminUnderTest()
    admin.ask("PUT", "/services/old", {"host": "h"})
    faulty = {"_format_version": "3.0", "services": [{"name": "s"}]}
    status, body = admin.ask("POST", "/config", faulty)
    assert (status, body["code"], body["fields"]) == (400, 14, {"services": [{"host": "required field missing"}]})
    assert "flattened_errors" not in body
    assert admin.ask("POST", "/config?flatten_errors=1", faulty)[1]["flattened_errors"][0]["entity_name"] == "s"
    assert admin.ask("GET", "/services/old")[0] == 200


@pytest.mark.parametrize(("data", "kind"), [(b"", None), (b"config=", "application/x-www-form-urlencoded"), (b"a=1", "application/x-www-form-urlencoded"), (b"{}", "application/json")])  # fmt: skip
def test_no_document_at_all(data, kind):
    fields = [] if kind is None else [("Content-Type", kind)]
    response = AdminUnderTest().send("POST", "/config", fields, data)
    assert (response.status, response.body) == (400, b'{"message":"expected a declarative configuration"}')


def test_bodies_of_other_kinds():
    admin = AdminUnderTest()
    assert post(admin, "x", kind=[("Content-Type", "text/plain")]).status == 415
    assert post(admin, "{", kind=[("Content-Type", "application/json")]).status == 400


def test_without_the_extra_json_works_and_yaml_is_told_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)  # makes "import yaml" fail
    admin = AdminUnderTest()
    assert admin.ask("POST", "/config", DOCUMENT)[0] == 201
    text = admin.ask("GET", "/config")[1]["config"]
    assert text.startswith("{")
    assert post(admin, text).status == 201  # JSON is YAML
    refused = post(admin, "_format_version: '3.0'")
    assert refused.status == 400
    assert b"aimon-local[yaml]" in refused.body
    assert admin.ask("GET", "/services/s")[0] == 200
