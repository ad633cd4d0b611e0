"""Entities over HTTP, where the catalog alone does not decide: parents, attached entities, forms, cascades in one commit."""

import re

from tests.support.admin import AdminUnderTest


def made(*paths):
    admin = AdminUnderTest()
    for path, data in paths:
        status, _ = admin.ask("PUT", path, data)
        assert status == 200
    return admin


def test_the_way_of_the_lab():
    admin = AdminUnderTest()
    assert admin.ask("POST", "/services", "name=ai-service&url=http://host.docker.internal:5000")[0] == 201
    assert admin.ask("POST", "/services/ai-service/routes", "name=ai-route&paths[]=/ai")[0] == 201
    assert admin.ask("POST", "/services/ai-service/plugins", "name=key-auth")[0] == 201
    assert admin.ask("POST", "/consumers", "username=deepanshu")[0] == 201
    status, key = admin.ask("POST", "/consumers/deepanshu/key-auth")
    assert (status, len(key["key"])) == (201, 32)
    status, plugin = admin.ask("POST", "/consumers/deepanshu/plugins", "name=rate-limiting&config.minute=5")
    assert (status, plugin["config"]["minute"]) == (201, 5)
    assert plugin["consumer"] == key["consumer"]


def test_the_attached_entity_is_changed_made_and_never_deleted():
    admin = made(("/routes/r", {"paths": ["/r"]}))
    assert admin.ask("GET", "/routes/r/service")[0] == 404
    assert admin.ask("PUT", "/routes/r/service", {})[0] == 400
    assert admin.ask("GET", "/routes/r")[1]["service"] is None
    status, service = admin.ask("PUT", "/routes/r/service", "host=h.test&port=81")
    assert (status, service["port"]) == (200, 81)
    assert admin.ask("GET", "/routes/r")[1]["service"] == {"id": service["id"]}
    assert admin.ask("PATCH", "/routes/r/service", {"port": 82})[1]["port"] == 82
    assert admin.ask("PUT", "/routes/r/service", {"host": "i.test"})[1]["id"] == service["id"]
    assert admin.ask("GET", f"/services/{service['id']}")[1]["host"] == "i.test"
    assert admin.ask("DELETE", "/routes/r/service") == (405, {"message": "Method not allowed"})


def test_nested_entities_stay_with_their_parent():
    admin = made(("/consumers/ann", {}), ("/consumers/bob", {}), ("/consumers/ann/key-auth/k", {}))
    id_ = admin.ask("GET", "/key-auths/k")[1]["id"]
    for verb in ("GET", "PATCH", "DELETE"):
        assert admin.ask(verb, f"/consumers/bob/key-auth/{id_}") == (404, {"message": "Not found"})
    assert admin.ask("PATCH", f"/consumers/ann/key-auth/{id_}", {"tags": ["t"]})[0] == 200
    assert admin.ask("DELETE", f"/consumers/ann/key-auth/{id_}")[0] == 204
    assert admin.ask("DELETE", f"/consumers/ann/key-auth/{id_}")[0] == 404


def test_a_form_changes_a_plugin_by_the_schema_of_its_kind():
    admin = made(("/services/s", {"host": "h"}))
    _, plugin = admin.ask("POST", "/services/s/plugins", "name=key-auth&config.key_names=a")
    for path in (f"/plugins/{plugin['id']}", f"/services/s/plugins/{plugin['id']}"):
        status, changed = admin.ask("PATCH", path, "config.key_names[]=b&config.hide_credentials=true&tags=x")
        assert (status, changed["config"]["key_names"], changed["config"]["hide_credentials"]) == (200, ["b"], True)
        assert changed["tags"] == ["x"]


def test_a_plugin_that_is_not_there():
    admin = AdminUnderTest()
    assert admin.ask("PATCH", "/plugins/none", {"enabled": False}) == (404, {"message": "Not found"})
    assert admin.ask("PATCH", "/plugins/none", {"name": "key-auth"})[1]["code"] == 6


def test_a_cascade_is_one_commit():
    admin = made(("/consumers/ann", {}), ("/consumers/ann/key-auth/k", {}), ("/consumers/ann/acls/g", {}))
    admin.committed.clear()
    assert admin.ask("DELETE", "/consumers/ann")[0] == 204
    assert [(change.op, change.kind) for change in admin.committed][-1] == ("delete", "consumers")
    assert len(admin.committed) == 3
    assert admin.ask("GET", "/key-auths/k")[0] == 404


def test_an_expired_key_is_gone():
    admin = made(("/consumers/ann", {}))
    _, key = admin.ask("POST", "/consumers/ann/key-auth", "ttl=10")
    admin.clock.advance_ns(4_000_000_000)
    assert admin.ask("GET", f"/key-auths/{key['id']}")[1]["ttl"] == 6
    admin.clock.advance_ns(7_000_000_000)
    assert admin.ask("GET", f"/key-auths/{key['id']}")[0] == 404
    assert admin.ask("GET", "/consumers/ann/key-auth")[1]["data"] == []


def test_a_missing_acl_group_by_name_is_told_with_a_request_id():
    admin = made(("/consumers/ann", {}))
    for path in ("/consumers/ann/acls/none", "/consumers/zoe/acls/none"):
        for verb in ("GET", "DELETE"):
            status, body = admin.ask(verb, path)
            assert (status, body["message"]) == (404, "Not found")
            assert re.fullmatch("[0-9a-f]{32}", body["request_id"])
    html = admin.send("GET", "/consumers/ann/acls/none", [("Accept", "text/html")])
    assert dict(html.fields)["Content-Type"] == "text/html; charset=utf-8"
    by_id = "/consumers/ann/acls/99999999-9999-4999-8999-999999999999"
    assert admin.ask("GET", by_id) == (404, {"message": "Not found"})


def test_a_path_segment_that_can_be_no_name_is_judged_as_kong_does():
    admin = AdminUnderTest()
    assert admin.ask("GET", "/upstreams/1.2.3.4/targets")[1]["code"] == 10
    assert admin.ask("PUT", "/upstreams/1.2.3.4", {})[1]["code"] == 10
    assert admin.ask("GET", "/consumers/any%20thing%2F%C3%BC")[0] == 404
