"""``bill`` on a fixed ledger: golden documents, of months in the tier's zone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.bills import billed_gateway

GOLDEN = Path(__file__).with_name("golden_bills.json")


@pytest.fixture(scope="module")
def billed(tmp_path_factory):
    """Environment of commands for a gateway with the fixed ledger."""
    with billed_gateway(tmp_path_factory.mktemp("bill") / "data") as running:
        yield {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)}


def run(environ, *words):
    result = CliRunner(env=environ).invoke(main, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("month", ["2026-02", "2026-03", "2026-04", "2026-05"])
def test_golden(billed, month):
    found = json.loads(run(billed, "bill", "ann", "--month", month, "--json"))
    assert found.pop("consumer")["username"] == "ann"
    assert found == json.loads(GOLDEN.read_text())[month]


def test_the_text_holds_what_adds_up_to_the_total(billed):
    text = run(billed, "bill", "ann", "--month", "2026-03")
    assert [line.split()[-2:] for line in text.splitlines() if line.endswith("USD") and not line.startswith(" ")] == [
        ["29.00", "USD"],
        ["1.25", "USD"],
        ["0.017382", "USD"],
        ["0.000186632", "USD"],
        ["30.267568632", "USD"],
    ]


def test_the_ledger_that_was_billed_adds_up(billed):
    assert "WRONG" not in run(billed, "verify")
