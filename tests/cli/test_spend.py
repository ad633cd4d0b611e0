"""``spend`` and ``bill`` over real calls: they add up with each other and with what the caller sees."""

import csv
import io
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import ask

OFFER = """
[tiers.spend]
plan = "spend"
limits = [{ unit = "cost", amount = 5, period = "month" }]
zone = "Asia/Tokyo"

[price_plans.spend]
monthly_fee = 9.99
markup_percent = 150
components = [{ unit = "requests", included = 1, steps = [{ price = 0.01 }] }]
"""


@pytest.fixture(scope="module")
def customer(gateway, tmp_path_factory):
    """(name, key) of a consumer that has made three AI calls with two models, and one that was refused."""
    file = tmp_path_factory.mktemp("spend") / "offer.toml"
    file.write_text(OFFER)
    name, key = gateway.consumer()
    environ = {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)}
    for words in (["tier", "apply", str(file)], ["tier", "assign", name, "spend"]):
        assert CliRunner(env=environ).invoke(main, words).exit_code == 0
    for model, status in (("mock-small", 200), ("mock-small", 200), ("mock-large", 200), ("unknown", 403)):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello there"}]})
        assert ask(gateway.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key).status == status
    return name, key


def test_sums_add_up_apart_and_together(cli, customer, gateway):
    name, key = customer
    whole = cli.json("spend", name)
    apart = cli.json("spend", name, "--by", "model")
    totals = whole["totals"]
    assert (totals["calls"], totals["estimated"], totals["input"], totals["output"]) == (3, 0, 9, 72)
    assert {group["name"]: group["totals"]["calls"] for group in apart["groups"]} == {"mock-small": 2, "mock-large": 1}
    cost = sum(Decimal(group["totals"]["cost"]) for group in apart["groups"])
    assert cost == Decimal(totals["cost"]) == Decimal("0.0000297") + Decimal("0.0002475")
    assert Decimal(totals["margin"]) == Decimal(totals["charge"]) - cost
    me = ask(gateway.proxy, "GET", "/aimon/me", apikey=key).json
    assert me["limits"][0]["used"] == totals["cost"]
    assert me["month"]["usage_charge"] == totals["charge"]


def test_tables_and_csv(cli, customer):
    name, _ = customer
    rows = list(csv.DictReader(io.StringIO(cli("spend", name, "--by", "model", "--csv").stdout)))
    assert [row["model"] for row in rows] == ["mock-large", "mock-small"]
    assert "margin" in cli("spend", name).stdout
    assert "choose one" in cli.fails("spend", "--json", "--csv", code=2)
    assert "by must be one of" in cli.fails("spend", "--by", "weather")
    for by in ("tier", "route", "day", "consumer", "hour"):
        assert cli.json("spend", "--by", by)["groups"]


def test_a_bill_is_fee_and_charges(cli, customer):
    name, _ = customer
    bill = cli.json("bill", name)
    assert (bill["fee"], bill["plan"], bill["zone"]) == ("9.99", "spend", "Asia/Tokyo")
    assert Decimal(bill["usage"]["charge"]) == sum(Decimal(line["charge"]) for line in bill["models"])
    # Two of three requests are beside the included one, and the cost with its markup, rounded up.
    assert Decimal(bill["usage"]["charge"]) == Decimal("0.02") + Decimal("0.0002772") * Decimal("1.5")
    assert Decimal(bill["total"]) == Decimal("9.99") + Decimal(bill["usage"]["charge"])
    text = cli("bill", name).stdout
    assert "monthly fee" in text
    assert bill["total"] in text
    assert cli.json("bill", name, "--month", "2020-02")["total"] == "9.99"


def test_what_can_not_be_billed(cli, gateway):
    name, _ = gateway.consumer()
    assert "has no tier" in cli.fails("bill", name)
    assert "not found" in cli.fails("bill", "nobody")
    assert "must be written as 2026-11" in cli.fails("bill", "demo-free", "--month", "November")


def test_usage_by_model_is_what_spend_says_of_models(cli, customer):
    name = customer[0]
    assert cli("usage", name, "--by", "model", "--csv").stdout == cli("spend", name, "--by", "model", "--csv").stdout
    assert len(cli("usage", name, "--by", "model", "--csv").stdout.splitlines()) == 3
    assert cli("usage", name, "--by", "agent", "--csv").stdout.startswith("agent,id,requests,")
