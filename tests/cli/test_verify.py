"""``verify``: what real calls leave adds up, and what was tampered with does not."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import GatewayProcess, ask


def run(*words):
    result = CliRunner().invoke(main, ["verify", "--json", *words])
    assert result.stdout, result.output
    return result.exit_code, {check["name"]: check for check in json.loads(result.stdout)}


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """(data directory, what verify said while it ran) after AI calls that ended in several ways."""
    data = tmp_path_factory.mktemp("verify") / "data"
    with GatewayProcess(data) as running:
        key = running.keys["demo-free"]
        for number, knobs in enumerate(({}, {}, {"x_mock_error_status": "500"}, {"x_mock_usage": "absent"})):
            body = json.dumps(
                {"model": "mock-small", "stream": number == 1, "messages": [{"role": "user", "content": "hello there"}]}
            )
            if number == 3:
                ask(running.builtin, "DELETE", "/_mock/stats")
            ask(running.proxy, "POST", "/demo/v1/chat/completions", body, apikey=key, **knobs)
        ask(running.proxy, "GET", "/demo/get", apikey=key)
        live = run("--data", str(data))
        mock = CliRunner().invoke(
            main, ["verify", "--data", str(data), "--mock", "http://{}:{}".format(*running.builtin)]
        )
    return data, live, mock


def test_it_adds_up_while_the_gateway_runs_and_after(used):
    data, live, _ = used
    for code, checks in (live, run("--data", str(data))):
        assert (code, [name for name, check in checks.items() if not check["good"]]) == (0, [])
        assert checks["counters = ledger"]["detail"] == "4 monthly counters"


def test_the_mocks_own_count_is_told_beside_the_ledgers(used):
    _, _, mock = used
    assert mock.exit_code == 1  # its count was begun anew before the last call
    assert "mock mock-small: calls, input, output: ledger (3, " in mock.stdout
    assert "mock (1, 3, 24)" in mock.stdout


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("UPDATE ai_usage SET cost = cost + 1 WHERE cost > 0", "counters = ledger"),
        ("UPDATE counters SET value = value + 1 WHERE unit = 'month/requests'", "counters = ledger"),
        ("DELETE FROM usage_rows WHERE seq = 2", "rows"),
        ("INSERT INTO usage_hourly VALUES (1, 0, 200, 5, 0, 0, 0, 0, 0, 1, 1)", "hourly sums"),
        ("INSERT INTO ai_hourly VALUES (1, 0, 'm', 1, 0, 0, 0, 0, 0, 0, 0, 0)", "hourly sums of AI calls"),
        ("UPDATE ai_usage SET request_id = 'x' || request_id", "AI calls have their requests"),
    ],
)
def test_what_was_tampered_with_is_found(used, tmp_path, sql, name):
    data, _, _ = used
    with sqlite3.connect(data / "aimon-local.db") as source, sqlite3.connect(tmp_path / "aimon-local.db") as copy:
        source.backup(copy)
        copy.execute(sql)
        copy.commit()
    source.close()
    copy.close()
    code, checks = run("--data", str(tmp_path))
    assert (code, checks[name]["good"]) == (1, False)


def test_nothing_to_verify(tmp_path):
    result = CliRunner().invoke(main, ["verify", "--data", str(tmp_path / "none")])
    assert (result.exit_code, result.stdout) == (1, "")
