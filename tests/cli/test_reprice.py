"""``reprice`` on a fixed ledger: golden sums, bills with them, and a second run that has nothing to do."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.bills import billed_gateway


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    """Runs a command; a gateway with the fixed ledger, where m-1 is dearer now, and m-2 has no price."""
    with billed_gateway(tmp_path_factory.mktemp("reprice") / "data") as running:
        price = {"model": "m-1", "input": 2, "cache_read": 1, "output": 8}
        running.write("POST", "/model_prices", price)
        environ = {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)}

        def run(*words, code=0):
            result = CliRunner(env=environ).invoke(main, list(words))
            assert result.exit_code == code, result.output
            return result

        yield run


def bill(cli, month="2026-03"):
    found = json.loads(cli("bill", "ann", "--month", month, "--json").stdout)
    return found["usage"]["cost"], found["usage"]["charge"], found["total"], found["adjustment"]


BEFORE = ("0.000124421", "1.267568632", "30.267568632", "0.00")
# m-1 in March: 400 in, 100 cached, 33 out; 1, 2, 3; 1, 0, 1: 1164000 + 28000 + 10000 nano-dollars for 909 before.
COST = 123_512 + 1_164_000 + 28_000 + 10_000
AFTER = ("0.001325512", "1.269370268", "30.269370268", "0.00")


def test_reprice(cli):
    assert bill(cli) == BEFORE
    february = bill(cli, "2026-02")
    planned = json.loads(cli("reprice", "--since", "2026-02-28T15:00:00Z", "--dry-run", "--json").stdout)
    assert bill(cli) == BEFORE
    done = json.loads(cli("reprice", "--since", "2026-02-28T15:00:00Z", "--json").stdout)
    assert done == {**planned, "dry_run": False}
    # Three of m-1; and two whose charge moves by the rounding of the month's total.
    assert (done["calls"], done["corrected"], done["unpriced"]) == (7, 5, 3)
    assert Decimal(done["cost"]) * 10**9 == COST - 124_421
    assert bill(cli) == AFTER
    assert bill(cli, "2026-02") == february
    again = json.loads(cli("reprice", "--since", "2026-02-28T15:00:00Z", "--json").stdout)
    assert (again["corrected"], again["consumers"]) == (0, [])
    said = cli("verify")
    assert "WRONG" not in said.stdout
    assert "corrections: 5 corrections, 0 of no call" in said.stdout
    spent = json.loads(
        cli("spend", "ann", "--since", "2026-02-28T15:00:00Z", "--until", "2026-03-31T15:00:00Z", "--json").stdout
    )
    assert spent["totals"]["cost"] == AFTER[0]


def test_the_text_says_what_is_left(cli):
    result = cli("reprice", "--since", "2026-02-01", "--dry-run")
    assert "of 8 calls would be corrected" in result.stdout
    assert "3 calls left as they are: their models have no price now" in result.stderr


def test_a_time_is_wanted(cli):
    assert "since must be" in cli("reprice", "--since", "yesterday", code=1).stderr


def test_explain_tells_what_was_corrected(cli):
    cli("reprice", "--since", "2026-02-28T15:00:00Z")
    rows = json.loads(cli("requests", "--json").stdout)
    rows = rows["data"] if isinstance(rows, dict) else rows
    told = [json.loads(cli("explain", row["request_id"], "--json").stdout) for row in rows]
    mended = [each for story in told for each in story["corrections"]]
    assert len(mended) == 5
    assert sum(Decimal(each["cost"]) for each in mended) * 10**9 == COST - 124_421
    for story in told:
        said = cli("explain", story["request_id"]).stdout
        assert said.count("\nreprice ") == len(story["corrections"])
        for each in story["corrections"]:
            more = each["cost"] if each["cost"].startswith("-") else f"+{each['cost']}"
            assert f"at={each['at']}  cost={more}  charge=" in said
        row = json.loads(cli("requests", "show", story["request_id"], "--json").stdout)
        assert [f"{Decimal(each['cost']) / 10**9:.9f}" for each in row["corrections"]] == [
            f"{Decimal(each['cost']):.9f}" for each in story["corrections"]
        ]
