"""``verify``: what real calls leave adds up, also after kills; and what was tampered with does not."""

import json
import shutil
import sqlite3
import threading
from contextlib import suppress

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from aimon_local.storage.batch import fold, last_seq
from tests.support.live import GatewayProcess, Wire, ask, until

LIMITS = [
    {"unit": "requests", "amount": 1000, "period": "day"},
    {"unit": "tokens", "amount": 10**6, "period": "month"},
    {"unit": "cost", "amount": 1000, "period": "day"},
    {"unit": "charge", "amount": 1000, "period": "week"},
    {"unit": "output_tokens", "amount": 10**6, "period": "hour", "sliding": True},
]
PLAN = {
    "name": "verified",
    "markup_percent": 150,
    "components": [{"unit": "requests", "included": 2, "steps": [{"price": 0.01}]}],
}


def run(*words, **environ):
    result = CliRunner(env=environ).invoke(main, ["verify", "--json", *words])
    assert result.stdout, result.output
    return result.exit_code, {check["name"]: check for check in json.loads(result.stdout)}


def wrong(checks):
    return {name: check["detail"] for name, check in checks.items() if not check["good"]}


def chat(running, key, **knobs):
    body = {
        "model": "mock-small",
        "stream": knobs.pop("stream", False),
        "messages": [{"role": "user", "content": "hi"}],
    }
    return ask(running.proxy, "POST", "/demo/v1/chat/completions", json.dumps(body), apikey=key, **knobs)


def customer(running):
    """A consumer in a tier with limits of several kinds: its key."""
    running.write("POST", "/price_plans", PLAN)
    running.write("POST", "/tiers", {"name": "verified", "plan": "verified", "limits": LIMITS})
    name, key = running.consumer(rate_limiting={"hour": 10**6})
    running.write("POST", "/consumer_groups/verified/consumers", {"consumer": name})
    return key


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """(data directory, what verify said while it ran) after AI calls that ended in several ways."""
    data = tmp_path_factory.mktemp("verify") / "data"
    with GatewayProcess(data) as running:
        environ = {"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)}
        keys = running.keys["demo-free"], customer(running)
        ask(running.builtin, "DELETE", "/_mock/stats")
        for key in keys:
            for knobs in ({}, {"stream": True}, {"x_mock_error_status": "500"}):
                chat(running, key, **knobs)
            ask(running.proxy, "GET", "/demo/get", apikey=key)
        here, there = run(**environ), run("--data", str(data))
        mock = "http://{}:{}".format(*running.builtin)
        equal = run("--mock", mock, **environ)
        ask(running.builtin, "DELETE", "/_mock/stats")
        chat(running, keys[0])
        unequal = run("--mock", mock, **environ)
        later = run("--mock", mock, "--since", "2100-01-01", **environ)
    return data, (here, there), (equal, unequal, later)


def test_it_adds_up_while_the_gateway_runs_and_after(used):
    data, live, _ = used
    for code, checks in (*live, run("--data", str(data))):
        assert (code, wrong(checks)) == (0, {})
        assert checks["billing months"]["detail"] == "8 counters"
        assert checks["limits of tiers"]["detail"] == "7 counters, 1 that rows can't tell"
    assert live[0][1].keys() == live[1][1].keys()
    assert live[0][1]["chain"] == live[1][1]["chain"]
    assert live[0][1]["chain"]["detail"].startswith("8 rows, the newest hash is ")


def test_the_mocks_own_count_is_told_beside_the_ledgers(used):
    _, _, (equal, unequal, later) = used
    assert (equal[0], equal[1]["mock mock-small"]["good"]) == (0, True)
    assert "ledger (4, " in equal[1]["mock mock-small"]["detail"]
    assert unequal[0] == 1
    assert "ledger (5, " in wrong(unequal[1])["mock mock-small"]
    assert "mock (1, " in wrong(unequal[1])["mock mock-small"]
    assert "ledger (0, 0, 0)" in wrong(later[1])["mock mock-small"]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("UPDATE ai_usage SET cost = cost + 1 WHERE cost > 0", "billing months"),
        ("UPDATE ai_usage SET cost = cost + 1 WHERE cost > 0", "chain"),
        ("UPDATE ai_usage SET charge = charge + 1 WHERE tier = 'verified'", "limits of tiers"),
        ("UPDATE ai_usage SET charge = charge + 1", "AI usage by consumer"),
        ("UPDATE counters SET value = value + 1 WHERE unit = 'month/requests'", "billing months"),
        ("UPDATE counters SET value = value - 1 WHERE unit = 'requests/day'", "limits of tiers"),
        ("DELETE FROM usage_rows WHERE seq = 2", "rows"),
        ("DELETE FROM usage_rows WHERE seq = (SELECT MAX(seq) FROM usage_rows)", "rows"),
        ("INSERT INTO usage_hourly VALUES (1, 0, 200, 5, 0, 0, 0, 0, 0, 1, 1)", "hourly sums"),
        ("UPDATE usage_hourly SET bytes_in = bytes_in + 1", "hourly sums"),
        ("UPDATE ai_hourly SET cost = cost + 1", "hourly sums of AI calls"),
        ("UPDATE ai_usage SET request_id = 'x' || request_id", "AI calls have their requests"),
        ("UPDATE usage_parties SET consumer = 'someone'", "chain"),
        ("UPDATE usage_rows SET status = 201 WHERE seq = 3", "chain"),
    ],
)
def test_what_was_tampered_with_is_found(used, tmp_path, sql, name):
    data, _, _ = used
    shutil.copy(data / "secret", tmp_path)
    with sqlite3.connect(data / "aimon-local.db") as source, sqlite3.connect(tmp_path / "aimon-local.db") as copy:
        source.backup(copy)
        if "hourly" in sql or "charge + 1" in sql or "MAX(seq)" in sql:
            fold_all(copy)
        copy.execute(sql)
        copy.commit()
    source.close()
    copy.close()
    code, checks = run("--data", str(tmp_path))
    assert code == 1
    assert name in wrong(checks)


def fold_all(db):
    db.isolation_level = None
    fold(db, last_seq(db))


def test_nothing_to_verify(tmp_path):
    result = CliRunner().invoke(main, ["verify", "--data", str(tmp_path / "none")])
    assert (result.exit_code, result.stdout) == (1, "")


def test_without_the_secret_the_chain_can_not_be_walked(used, tmp_path):
    data, _, _ = used
    shutil.copy(data / "aimon-local.db", tmp_path)
    code, checks = run("--data", str(tmp_path))
    assert (code, list(wrong(checks))) == (1, ["chain"])
    assert "without the install's secret" in wrong(checks)["chain"]


def stream_until_cut(running, key, seen):
    body = json.dumps({"model": "mock-small", "stream": True, "messages": [{"role": "user", "content": "hi " * 30}]})
    head = f"POST /demo/v1/chat/completions HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nContent-Type: application/json"
    with suppress(OSError, AssertionError), Wire(running.proxy) as wire:
        while True:
            wire.send(f"{head}\r\nX-Mock-Tokens-Per-S: 400\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            wire.until(b"0\r\n\r\n")
            seen.append(1)


def test_it_adds_up_after_kills_during_streams(tmp_path):
    data, key, whole = tmp_path / "data", "", []
    for turn in range(3):
        with GatewayProcess(data) as running:
            key = key or customer(running)
            threads = [threading.Thread(target=stream_until_cut, args=(running, key, whole)) for _ in range(6)]
            for thread in threads:
                thread.start()
            enough = len(whole) + 12
            until(lambda enough=enough: len(whole) >= enough)
            running.kill()
            for thread in threads:
                thread.join(20)
        code, checks = run("--data", str(data))
        assert (code, wrong(checks)) == (0, {}), turn
    with sqlite3.connect(data / "aimon-local.db") as db:
        rows = db.execute("SELECT COUNT(*) FROM ai_usage WHERE tier = 'verified' AND complete").fetchone()[0]
    db.close()
    assert rows >= len(whole)
