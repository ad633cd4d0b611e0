"""An Admin write holds for the very next proxied request."""

from tests.support.live import Wire, ask


def test_each_write_holds_for_the_next_request(gateway, upstream):
    name = gateway.route(upstream.url)

    def status(**headers):
        return ask(gateway.proxy, "GET", f"/{name}/x", **headers).status

    for _ in range(3):
        assert status() == 200
        plugin = gateway.plugin(name, "key-auth")["id"]
        assert status() == 401
        gateway.write("PATCH", f"/plugins/{plugin}", {"enabled": False})
        assert status() == 200
        gateway.write("PATCH", f"/plugins/{plugin}", {"enabled": True})
        assert status() == 401
        consumer, key = gateway.consumer()
        assert status(apikey=key) == 200
        second = gateway.write("POST", f"/consumers/{consumer}/key-auth")
        assert status(apikey=second["key"]) == 200
        gateway.write("DELETE", f"/consumers/{consumer}/key-auth/{second['id']}")
        assert status(apikey=second["key"]) == 401
        assert status(apikey=key) == 200
        limit = gateway.plugin(name, "rate-limiting", year=1)["id"]
        assert (status(apikey=key), status(apikey=key)) == (200, 429)
        gateway.write("PATCH", f"/plugins/{limit}", {"config": {"year": 2}})
        assert (status(apikey=key), status(apikey=key)) == (200, 429)
        gateway.write("DELETE", f"/plugins/{limit}")
        assert status(apikey=key) == 200
        gateway.write("DELETE", f"/consumers/{consumer}")
        assert status(apikey=key) == 401
        gateway.write("DELETE", f"/plugins/{plugin}")
        assert status() == 200
        gateway.write("PATCH", f"/routes/{name}", {"paths": [f"/{name}-else"]})
        assert status() == 404
        gateway.write("PATCH", f"/routes/{name}", {"paths": [f"/{name}"]})
        gateway.write("PATCH", f"/services/{name}", {"enabled": False})
        assert status() == 404  # as Kong: its routes are not there
        gateway.write("PATCH", f"/services/{name}", {"enabled": True})


def test_a_write_holds_on_a_connection_that_is_kept(gateway, upstream):
    name = gateway.route(upstream.url)
    request = f"GET /{name}/x HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with Wire(gateway.proxy) as wire:
        for _ in range(5):
            wire.send(request)
            assert wire.answer()[0] == 200
            plugin = gateway.plugin(name, "request-termination", status_code=418)["id"]
            wire.send(request)
            assert wire.answer()[0] == 418
            gateway.write("DELETE", f"/plugins/{plugin}")
