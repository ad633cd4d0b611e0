"""``route``: created under its service."""

from tests.support.live import ask


def test_a_route_leads_at_once(cli, gateway):
    cli("service", "create", "for-route", "--url", "http://127.0.0.1:{1}".format(*gateway.builtin))
    created = cli.json(
        "route", "create", "by-cli", "for-route", "--path", "/by-cli", "--path", "/cli2", "--method", "GET"
    )  # fmt: skip
    assert (created["paths"], created["methods"], created["hosts"]) == (["/by-cli", "/cli2"], ["GET"], None)
    assert ask(gateway.proxy, "GET", "/cli2/get").status == 200
    assert ask(gateway.proxy, "POST", "/cli2/post").status == 404


def test_a_service_that_is_none(cli):
    assert cli.fails("route", "create", "r", "nosuch", "--path", "/x").startswith("error: ")
