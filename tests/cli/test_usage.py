"""``usage``: what the stored ledger says."""

from tests.support.live import ask


def test_usage_of_one_consumer_and_of_all(cli, gateway):
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    gateway.plugin(name, "key-auth")
    consumer, key = gateway.consumer(rate_limiting={"year": 2})
    statuses = [ask(gateway.proxy, "GET", f"/{name}/get", apikey=key).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    totals = cli.json("usage", consumer)["totals"]
    assert (totals["requests"], totals["denied"], totals["denied_by_reason"]) == (2, 1, {"rate_limited": 1})
    lines = [line.rsplit(maxsplit=1) for line in cli("usage", consumer).stdout.splitlines()]
    assert lines[0] == ["WHAT", "COUNT"]
    assert ["requests", "2"] in lines
    assert ["denied: rate_limited", "1"] in lines
    assert cli.json("usage")["totals"]["requests"] >= 2


def test_a_consumer_without_requests_and_one_who_is_nobody(cli, gateway):
    assert cli.json("usage", gateway.consumer()[0])["totals"]["requests"] == 0
    assert "nobody" in cli.fails("usage", "nobody")
