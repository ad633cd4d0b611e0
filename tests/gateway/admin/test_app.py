"""What all answers share, and the order in which requests are judged."""

import asyncio
import json

import pytest

from aimon_local.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from tests.support.admin import AdminUnderTest

SERVICE = {"name": "svc", "host": "h.test"}


def test_fields_of_every_answer():
    fields = dict(AdminUnderTest().send("GET", "/services").fields)
    assert fields["Server"] == "aimon-local/9.9.9"
    assert fields["X-Kong-Admin-Latency"].isdigit()
    assert fields["Access-Control-Allow-Origin"] == "*"
    assert fields["Access-Control-Allow-Credentials"] == "true"
    assert fields["Content-Type"] == "application/json; charset=utf-8"


def test_a_local_page_may_read():
    admin = AdminUnderTest()
    fields = dict(admin.send("GET", "/services", [("Origin", "http://localhost:8002")]).fields)
    assert fields["Access-Control-Allow-Origin"] == "http://localhost:8002"
    asked = [("Origin", "http://localhost:8002"), ("Access-Control-Request-Headers", "x-a, content-type")]
    preflight = admin.send("OPTIONS", "/services", asked)
    assert preflight.status == 204
    assert dict(preflight.fields)["Access-Control-Allow-Headers"] == "x-a, content-type"


@pytest.mark.parametrize("fields", [{"Host": "evil.test"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}])
@pytest.mark.parametrize(
    ("verb", "path"), [("GET", "/"), ("POST", "/services"), ("OPTIONS", "/services"), ("GET", "/x")]
)
def test_a_foreign_page_reaches_nothing(verb, path, fields):
    admin = AdminUnderTest()
    status, body = admin.ask(verb, path, SERVICE, **fields)
    assert (status, list(body)) == (403, ["message"])
    assert admin.committed == []
    sent = [(name.replace("_", "-"), value) for name, value in fields.items()]
    assert "Access-Control-Allow-Origin" not in dict(admin.send(verb, path, sent).fields)


def test_the_token_is_asked_for_before_anything_is_told():
    admin = AdminUnderTest(token="s3cret")
    assert admin.ask("GET", "/services")[0] == 401
    assert admin.ask("GET", "/nope")[0] == 401
    assert admin.ask("POST", "/services", SERVICE, Kong_Admin_Token="wrong")[0] == 401
    assert admin.committed == []
    assert admin.ask("POST", "/services", SERVICE, Kong_Admin_Token="s3cret")[0] == 201
    assert admin.ask("GET", "/services", Authorization="Bearer s3cret")[0] == 200
    assert admin.send("OPTIONS", "/services").status == 204  # a browser's preflight can't carry it


def test_judgement_goes_from_path_to_verb_to_body():
    admin, text = AdminUnderTest(), [("Content-Type", "text/plain")]
    assert admin.send("POST", "/nope", text, b"x").status == 404
    assert admin.send("POST", "/status", text, b"x").status == 405
    unsupported = admin.send("POST", "/services", text, b"x")
    assert (unsupported.status, unsupported.body) == (415, b"")
    assert admin.send("GET", "/services", text, b"x").status == 200  # nobody reads the body of a GET
    assert admin.ask("POST", "/services/none/routes", "{")[0] == 404


def test_arguments_are_bounded():
    admin = AdminUnderTest()
    assert admin.ask("GET", "/services?" + "&".join(["a=1"] * 1000))[0] == 200
    assert admin.ask("GET", "/services?" + "&".join(["a=1"] * 1001)) == (400, {"message": "Too many arguments"})


@pytest.mark.parametrize(
    ("fault", "status"), [(StoreBusy, 503), (StoreFull, 503), (StoreCorrupt, 500), (StoreError, 500)]
)
def test_what_could_not_be_stored_did_not_happen(fault, status):
    admin = AdminUnderTest()
    admin.fault = fault("the disk is full", "free some space")
    for verb, path in (("POST", "/services"), ("PUT", "/services/svc")):
        assert admin.ask(verb, path, SERVICE) == (status, {"message": "the disk is full; free some space"})
    assert admin.ask("GET", "/services")[1]["data"] == []
    admin.fault = None
    assert admin.ask("POST", "/services", SERVICE)[0] == 201


def test_writes_take_turns():
    """Two at once: the second is planned from what the first has left, so one of them meets the taken name."""
    admin = AdminUnderTest()
    body, fields = json.dumps(SERVICE).encode(), [("Content-Type", "application/json")]

    async def race():
        return await asyncio.gather(*(admin.app("POST", "/services", fields, body) for _ in range(5)))

    assert sorted(response.status for response in asyncio.run(race())) == [201, 409, 409, 409, 409]
    assert len(admin.ask("GET", "/services")[1]["data"]) == 1
