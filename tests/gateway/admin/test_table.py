"""The table of endpoints: each row has a doc, and verbs answer on paths as Kong's do."""

import pytest

from aimon_local.gateway.admin.table import TABLE
from tests.support.admin import AdminUnderTest

VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "MADEUP")
MISSING = "99999999-9999-4999-8999-999999999999"

# Statuses in the order of VERBS, where the names in the path are there ("svc", "rt", …) or not ("none").
# A JSON body of {} goes along.
STATUSES = {
    "/": (200, 200, 204, 405, 405, 405, 405, 405),
    "/status": (200, 200, 204, 405, 405, 405, 405, 405),
    "/nope": (404,) * 8,
    "/services": (200, 200, 204, 400, 405, 405, 405, 405),
    "/services/": (200, 200, 204, 400, 405, 405, 405, 405),
    "/services//": (404,) * 8,
    "/services/svc": (200, 200, 204, 405, 400, 200, 400, 405),
    "/services/none": (404, 404, 204, 405, 400, 404, 204, 405),
    "/services/x%20y": (400, 400, 204, 405, 400, 400, 400, 405),
    "/services/svc/routes": (200, 200, 204, 400, 405, 405, 405, 405),
    "/services/none/routes": (404, 404, 204, 404, 405, 405, 405, 405),
    "/services/svc/routes/rt": (200, 200, 204, 405, 400, 200, 204, 405),
    "/services/svc/routes/none": (404, 404, 204, 405, 400, 404, 404, 405),
    "/services/other/routes/rt": (404, 404, 204, 405, 404, 404, 404, 405),
    "/services/svc/nope": (404,) * 8,
    "/routes/rt": (200, 200, 204, 405, 400, 200, 204, 405),
    "/routes/rt/service": (200, 200, 204, 405, 400, 200, 405, 405),
    "/routes/bare/service": (404, 404, 204, 405, 400, 404, 404, 405),
    "/routes/none/service": (404, 404, 204, 405, 404, 404, 404, 405),
    "/consumers": (200, 200, 204, 400, 405, 405, 405, 405),
    "/consumers/ann": (200, 200, 204, 405, 200, 200, 204, 405),
    "/consumers/none": (404, 404, 204, 405, 200, 404, 204, 405),
    "/consumers/ann/key-auth": (200, 200, 204, 201, 405, 405, 405, 405),
    "/consumers/ann/key-auth/k1": (200, 200, 204, 405, 200, 200, 204, 405),
    "/consumers/ann/key-auth/none": (404, 404, 204, 405, 200, 404, 404, 405),
    "/consumers/bob/key-auth/k1": (404, 404, 204, 405, 404, 404, 404, 405),
    "/consumers/ann/acls/none": (404, 404, 204, 405, 200, 404, 404, 405),
    "/consumers/ann/consumer_groups": (200, 200, 204, 400, 405, 405, 204, 405),
    "/key-auths": (200, 200, 204, 400, 405, 405, 405, 405),
    "/key-auths/k1/consumer": (200, 200, 204, 405, 400, 200, 405, 405),
    "/acls/none": (400, 400, 204, 405, 400, 400, 400, 405),
    "/plugins": (200, 200, 204, 400, 405, 405, 405, 405),
    "/plugins/none": (404, 404, 204, 405, 400, 404, 204, 405),
    "/plugins/enabled": (200, 200, 204, 405, 405, 405, 405, 405),
    "/plugins/schema/key-auth": (200, 200, 204, 405, 405, 405, 405, 405),
    "/consumer_groups/gold": (200, 200, 204, 405, 200, 200, 204, 405),
    "/consumer_groups/gold/consumers": (200, 200, 204, 400, 405, 405, 204, 405),
    "/consumer_groups/gold/consumers/ann": (404, 404, 204, 405, 405, 405, 404, 405),
    "/consumer_groups/gold/plugins": (200, 200, 204, 400, 405, 405, 405, 405),
    "/upstreams/up.test/targets": (200, 200, 204, 400, 405, 405, 405, 405),
    "/upstreams/up.test/targets/all": (200, 200, 204, 405, 405, 405, 405, 405),
    "/upstreams/up.test/health": (200, 200, 204, 405, 405, 405, 405, 405),
    "/upstreams/none/health": (404, 404, 204, 405, 405, 405, 405, 405),
    "/targets": (404,) * 8,
    "/schemas/services": (200, 200, 204, 405, 405, 405, 405, 405),
    "/schemas/services/validate": (405, 405, 204, 400, 405, 405, 405, 405),
    "/schemas/plugins/key-auth": (200, 200, 204, 405, 405, 405, 405, 405),
    "/tags": (200, 200, 204, 400, 405, 405, 405, 405),
    "/tags/x": (200, 200, 204, 405, 400, 400, 400, 405),
    "/cache": (405, 405, 204, 405, 405, 405, 204, 405),
    "/cache/x": (404, 404, 204, 405, 405, 405, 204, 405),
    "/proxy-cache/x": (404, 404, 204, 405, 405, 405, 404, 405),
    "/config": (200, 200, 204, 400, 405, 405, 405, 405),
    "/metrics": (200, 200, 204, 405, 405, 405, 405, 405),
    "/debug/node/log-level": (200, 200, 204, 405, 405, 405, 405, 405),
    "/debug/node/log-level/nope": (405, 405, 204, 405, 400, 405, 405, 405),
    f"/services/{MISSING}": (404, 404, 204, 405, 400, 404, 204, 405),
}  # fmt: skip


def filled():
    admin = AdminUnderTest()
    for path, data in (
        ("/services/svc", {"host": "h.test"}),
        ("/services/other", {"host": "h.test"}),
        ("/routes/rt", {"paths": ["/rt"], "service": {"name": "svc"}}),
        ("/routes/bare", {"paths": ["/bare"]}),
        ("/consumers/ann", {}),
        ("/consumers/bob", {}),
        ("/consumers/ann/key-auth/k1", {}),
        ("/consumer_groups/gold", {}),
        ("/upstreams/up.test", {}),
    ):
        assert admin.ask("PUT", path, data)[0] == 200
    return admin


@pytest.mark.parametrize("path", STATUSES)
def test_verbs_on_paths(path):
    sent = [("Content-Type", "application/json")]
    got = tuple(filled().send(verb, path, sent, b"{}").status for verb in VERBS)
    assert got == STATUSES[path]


def test_each_row_says_what_it_does():
    for row in TABLE:
        assert row.doc.endswith("."), row
        assert row.doc[0].isupper(), row


def test_endpoints_lists_the_table_segment_by_segment():
    status, body = filled().ask("GET", "/endpoints")
    assert status == 200
    assert set(body["data"]) == {row.path for row in TABLE}
    assert body["data"].index("/plugins/enabled") < body["data"].index("/proxy-cache")
    assert body["data"].index("/consumers") + 1 == body["data"].index("/consumers/{consumers}")


@pytest.mark.parametrize("path", ["/services", "/services/svc", "/routes/rt/service", "/schemas/services/validate"])
def test_options_tell_the_verbs_that_work(path):
    admin = filled()
    fields = dict(admin.send("OPTIONS", path).fields)
    assert fields["Allow"] == fields["Access-Control-Allow-Methods"]
    allowed = fields["Allow"].split(", ")
    assert allowed == sorted(allowed)
    for verb in VERBS:
        message = (admin.ask(verb, path, {})[1] or {}).get("message")
        named = verb == "DELETE" and path.endswith("/service")  # offered, to be refused
        assert (verb in allowed) == (message != "Method not allowed") or named


def test_consumers_by_custom_id():
    admin = filled()
    admin.ask("PATCH", "/consumers/ann", {"custom_id": "c 1"})
    assert [row["username"] for row in admin.ask("GET", "/consumers?custom_id=c+1")[1]["data"]] == ["ann"]
    assert admin.ask("GET", "/consumers?custom_id=zz") == (200, {"data": [], "next": None})
    assert admin.ask("GET", "/consumers?custom_id=") == (400, {"message": "custom_id must be an unempty string"})
