"""``plugin``: add, set, show, list, remove; each holds for the next request."""

from tests.support.live import ask


def test_the_life_of_a_plugin(cli, gateway):
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))

    def status():
        return ask(gateway.proxy, "GET", f"/{name}/get").status

    added = cli.json("plugin", "add", "request-termination", "--service", name, "--set", "status_code=418")
    assert (added["config"]["status_code"], status()) == (418, 418)
    cli("plugin", "set", added["id"], "--set", "status_code=503")
    assert status() == 503
    cli("plugin", "set", added["id"], "--disable")
    assert status() == 200
    cli("plugin", "set", added["id"], "--enable")
    assert status() == 503
    assert cli.json("plugin", "show", added["id"])["config"]["status_code"] == 503
    assert added["id"] in {row["id"] for row in cli.json("plugin", "list")}
    cli("plugin", "remove", added["id"])
    assert status() == 200
    assert added["id"] in cli.fails("plugin", "remove", added["id"])


def test_every_scope(cli, gateway):
    route = gateway.route("http://a.test")
    consumer, _ = gateway.consumer()
    scopes = {"--service": route, "--route": route, "--consumer": consumer, "--group": "free"}
    for option, name in scopes.items():
        added = cli.json("plugin", "add", "correlation-id", option, name)
        field = "consumer_group" if option == "--group" else option[2:]
        assert added[field]["id"]
        assert [other for other in ("service", "route", "consumer") if other != field and added.get(other)] == []
        cli("plugin", "remove", added["id"])


def test_what_is_none_or_nothing(cli):
    assert "nosuch" in cli.fails("plugin", "add", "nosuch")
    assert "nothing to change" in cli.fails("plugin", "set", "x", code=2)
    assert "minute" in cli.fails("plugin", "add", "rate-limiting", "--set", "minute=many")
