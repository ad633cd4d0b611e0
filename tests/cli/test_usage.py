"""``usage``: what the stored ledger says."""

import csv

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


def test_apart_by_something_as_a_table_and_as_csv(cli, gateway):
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    for path in ("get", "status/404"):
        ask(gateway.proxy, "GET", f"/{name}/{path}")
    lines = [line.split() for line in cli("usage", "--by", "route", "--since", "1h").stdout.splitlines()]
    assert lines[0][:3] == ["ROUTE", "REQUESTS", "DENIED"]
    assert [name, "2", "0"] in [line[:3] for line in lines]
    rows = list(csv.DictReader(cli("usage", "--by", "service", "--csv").stdout.splitlines()))
    found = next(row for row in rows if row["service"] == name)
    assert (found["id"], found["requests"]) == (gateway.write("GET", f"/services/{name}")["id"], "2")
    statuses = cli("usage", "--by", "status", "--csv").stdout.splitlines()
    assert statuses[0].startswith("status,id,requests,")
    assert any(line.startswith("404,404,") for line in statuses)
    assert cli("usage", "--csv").stdout.startswith("what,count\n")


def test_a_span_without_requests_and_words_that_mean_nothing(cli):
    assert cli.json("usage", "--until", "2w")["totals"]["requests"] == 0
    assert cli("usage", "--by", "tier", "--until", "2w", "--csv").stdout.startswith("tier,id,requests,")
    assert "by must be one of" in cli.fails("usage", "--by", "colour")
    assert "until must be a time" in cli.fails("usage", "--until", "")
    assert "choose one" in cli.fails("usage", "--json", "--csv", code=2)


def test_manners_of_one_consumer(gateway, cli):
    """It hammers at a used-up day: no more than its first refusal was due."""
    gateway.write(
        "POST", "/tiers", {"name": "mannered", "limits": [{"unit": "requests", "amount": 1, "period": "day"}]}
    )
    name, key = gateway.consumer()
    gateway.write("POST", "/consumer_groups/mannered/consumers", {"consumer": name})
    assert cli.json("usage", name)["manners"]["score"] is None
    assert [ask(gateway.proxy, "GET", "/demo/get", apikey=key).status for _ in range(5)] == [200, 429, 429, 429, 429]
    manners = cli.json("usage", name)["manners"]
    assert (manners["final"], manners["again"], manners["stopped"], manners["honoured"]) == (4, 3, 25, 25)
    assert "manners: stopped %" in cli("usage", name).stdout
    assert "manners" not in cli.json("usage")


def test_one_command_answers_how_much_requests_tokens_and_money(gateway, cli):
    """Apart by whatever AI calls have: the same sums as ``spend``, beside what was admitted and refused."""
    route = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    gateway.plugin(route, "key-auth")
    gateway.write(
        "POST", "/tiers", {"name": "how-much", "limits": [{"unit": "requests", "amount": 2, "period": "day"}]}
    )
    name, key = gateway.consumer()
    gateway.write("POST", "/consumer_groups/how-much/consumers", {"consumer": name})
    body = '{"model": "mock-small", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9}'
    path = f"/{route}/v1/chat/completions"
    got = [ask(gateway.proxy, "POST", path, body, apikey=key, Content_Type="application/json") for _ in range(3)]
    assert [reply.status for reply in got] == [200, 200, 429]
    spent = cli.json("spend", name)["totals"]
    assert (spent["calls"], spent["output"]) == (2, 18)
    assert cli.json("usage", name)["ai"] == spent
    columns = ("input", "cache_read", "cache_write", "output", "reasoning", "cost", "charge", "margin")
    for by, group in (("tier", "how-much"), ("consumer", name), ("route", route)):
        rows = csv.DictReader(cli("usage", name, "--by", by, "--csv").stdout.splitlines())
        row = next(row for row in rows if row[by] == group)
        assert (row["requests"], row["denied"]) == ("2", "1")
        assert [row[column] for column in columns] == [str(spent[column]) for column in columns]
    for by in ("agent", "hour", "day"):
        row = next(csv.DictReader(cli("usage", name, "--by", by, "--csv").stdout.splitlines()))
        assert [row[column] for column in columns] == [str(spent[column]) for column in columns]
    row = next(csv.DictReader(cli("usage", name, "--by", "model", "--csv").stdout.splitlines()))
    assert (row["model"], row["requests"], row["output"], row["cost"]) == ("mock-small", "2", "18", spent["cost"])
    lines = [line.rsplit(maxsplit=1) for line in cli("usage", name).stdout.splitlines()]
    assert ["ai output", "18"] in lines
    assert ["ai cost", spent["cost"]] in lines
