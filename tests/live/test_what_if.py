"""What-if over real calls: under the offer that was in force nothing changes; under others, what can be worked out."""

import csv
import io
import json
from decimal import Decimal

import pytest

from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live
PLANS = """
[tiers.silver]
limits = [{ unit = "requests", amount = %d, period = "day" }, { unit = "tokens", amount = 100000, period = "day" }]
models = ["mock-small"]
plan = "silver"

[price_plans.silver]
monthly_fee = 10
components = [{ unit = "requests", included = 2, steps = [{ price = 0.01 }] }]

[price_plans.dear]
monthly_fee = 30
components = [{ unit = "requests", steps = [{ price = 1 }] }]

[[model_prices]]
model = "mock-small"
input = 1
output = 2
since = 2025-01-31
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("what-if") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        yield running


@pytest.fixture(scope="module")
def cli(gateway):
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})


@pytest.fixture(scope="module")
def played(gateway, cli, tmp_path_factory):
    """Six calls of a consumer whose tier allows four, one of them for a model that it may not use."""
    file = tmp_path_factory.mktemp("plans") / "silver.toml"
    file.write_text(PLANS % 4)
    cli("tier", "apply", str(file))
    name, key = gateway.consumer()
    cli("tier", "assign", name, "silver")
    statuses = [chat(gateway, key, model) for model in ("mock-small", "mock-large", *["mock-small"] * 5)]
    assert statuses == [200, 403, 200, 200, 200, 429, 429]
    return name, file


def chat(gateway, key, model):
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
    head = {"apikey": key, "Content_Type": "application/json"}
    return ask(gateway.proxy, "POST", "/ai/v1/chat/completions", json.dumps(body), **head).status


def test_under_the_offer_that_was_in_force_nothing_changes(cli, played):
    found = cli.json("what-if")["plans"][0]
    assert (found["newly_denied"], found["newly_allowed"], found["flips"]) == (0, 0, [])
    assert found["other"] == found["recorded"]
    total = found["recorded"]["total"]
    assert (total["calls"], total["allowed"], total["fees"], total["charge"]) == (7, 4, "10.00", "0.02")
    assert total["denied_by"] == {"models": 1, "requests/day": 2}


def test_a_wider_limit_admits_what_was_refused_and_says_that_it_guesses(cli, played, tmp_path):
    wider = tmp_path / "wider.toml"
    wider.write_text(PLANS % 100)
    plan = cli.json("what-if", "--plan", str(wider))["plans"][0]
    assert (plan["newly_allowed"], plan["newly_denied"]) == (2, 0)
    assert {(flip["was"], flip["now"], flip["assumed"]) for flip in plan["flips"]} == {("requests/day", "allow", True)}
    was, now = plan["recorded"]["total"], plan["other"]["total"]
    assert Decimal(now["charge"]) - Decimal(was["charge"]) == Decimal("0.02")  # two more requests at a cent each
    assert now["assumed"] == 2
    assert now["tokens"] > was["tokens"]


def test_a_narrower_limit_refuses_and_the_money_goes_with_it(cli, played, tmp_path):
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(PLANS % 1)
    plan = cli.json("what-if", "--plan", str(narrow))["plans"][0]
    assert (plan["newly_denied"], plan["newly_allowed"]) == (3, 0)
    assert plan["other"]["total"]["charge"] == "0.00"  # one request, and two are included


def test_two_plans_side_by_side_as_a_table_and_as_csv(cli, played, tmp_path):
    name, _ = played
    files = []
    for label, most in (("a", 1), ("b", 100)):
        file = tmp_path / f"{label}.toml"
        file.write_text(PLANS % most)
        files += ["--plan", str(file)]
    text = cli("what-if", *files).stdout
    assert "b: 0 calls more refused, 2 more admitted" in text
    assert "a guess" in text
    rows = list(csv.DictReader(io.StringIO(cli("what-if", *files, "--csv", "--by", "consumer").stdout)))
    assert [(row["of"], row["offer"], row["allowed"]) for row in rows] == [
        *((name, offer, allowed) for offer, allowed in (("recorded", "4"), ("a", "1"), ("b", "6"))),
        *(("all", offer, allowed) for offer, allowed in (("recorded", "4"), ("a", "1"), ("b", "6"))),
    ]


def test_a_consumer_in_another_tier(cli, played, tmp_path):
    name, _ = played
    gold = tmp_path / "gold.toml"
    gold.write_text('[tiers.gold]\nplan = "dear"\n')
    plan = cli.json("what-if", "--plan", str(gold), "--move", f"{name}=gold")["plans"][0]
    total = plan["other"]["total"]
    assert (total["allowed"], total["charge"], total["fees"]) == (6, "6.00", "30.00")  # mock-large has no price
    assert total["denied_by"] == {"model_not_priced": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--move", "ann"), "must be CONSUMER=TIER"),
        (("--move", "nobody=silver"), "there is no consumer 'nobody'"),
        (("--since", "never"), "since must be"),
        (("--plan", "nowhere.toml"), "can't be read"),
    ],
)
def test_what_is_asked_wrongly_is_said(cli, words, said):
    code = 2 if "must be CONSUMER" in said else 1
    assert said in cli.fails("what-if", *words, code=code)


def test_a_tier_that_is_none_is_said(cli, played):
    assert "there is no tier 'none'" in cli.fails("what-if", "--move", f"{played[0]}=none")


def test_a_fault_in_a_plan_names_its_line(cli, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[tiers.x]\nlimits = 3\n")
    assert "bad.toml" in cli.fails("what-if", "--plan", str(bad))


def test_nothing_is_stored(gateway, cli, played):
    before = gateway.write("GET", "/tiers")
    cli("what-if", "--plan", str(played[1]))
    assert gateway.write("GET", "/tiers") == before
