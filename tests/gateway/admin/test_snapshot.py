"""GET /snapshot: its sums are those of the ledger's other views, and it is true at the number that it names."""

import json
import threading
import time

import pytest

from aimon_local.client.admin import AdminClient
from aimon_local.client.events import follow
from tests.support.live import GatewayProcess, ask

CHAT = "/demo/v1/chat/completions"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("snapshot") / "data") as running:
        yield running


def chat(gateway, key, model="mock-small"):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello there"}]})
    return ask(gateway.proxy, "POST", CHAT, body, apikey=key).status


def snapshot(gateway):
    return ask(gateway.admin, target="/snapshot").json


def named(rows, name):
    return next(row for row in rows if row["name"] == name)


def test_before_anything_ran(gateway):
    found = snapshot(gateway)
    assert [tier["name"] for tier in found["tiers"]] == ["agent", "enterprise", "free", "internal", "pro"]
    assert named(found["tiers"], "free")["consumers"] == 1
    assert [limit["name"] for limit in named(found["tiers"], "free")["limits"]][:2] == ["requests/day", "tokens/minute"]
    assert (found["consumers"], found["models"], found["more"]) == ([], [], 0)
    assert found["since"] <= found["at"] < found["since"] + 86_400 * 10**9


def test_sums_are_those_of_usage(gateway):
    free, pro = gateway.keys["demo-free"], gateway.keys["demo-pro"]
    assert [chat(gateway, free), chat(gateway, free, "mock-large"), chat(gateway, pro, "mock-large")] == [200, 403, 200]
    ask(gateway.proxy, target="/demo/get")  # nobody: 401, under no tier
    found = snapshot(gateway)
    for by, rows in (("tier", found["tiers"]), ("consumer", found["consumers"])):
        usage = ask(gateway.admin, target=f"/usage?by={by}&since=1d").json["groups"]
        assert {group["name"] or "": group["totals"]["requests"] for group in usage} == {
            row["name"]: row["allowed"] for row in rows if row["allowed"] or row["denied"]
        }
        spend = ask(gateway.admin, target=f"/usage/ai?by={by}&since=1d").json["groups"]
        assert {group["name"]: group["totals"]["input"] for group in spend} == {
            row["name"]: row["input"] for row in rows if row["calls"]
        }
    free_row = named(found["tiers"], "free")
    assert (free_row["allowed"], free_row["denied"], free_row["reasons"]) == (1, 1, {"model_not_allowed": 1})
    assert {row["name"] for row in found["models"]} == {"mock-small", "mock-large"}
    assert named(found["consumers"], "")["denied"] == 1


def test_limits_hold_what_calls_in_flight_hold(gateway):
    name, key = gateway.consumer()
    gateway.write("POST", f"/consumers/{name}/consumer_groups", {"group": "free"})
    assert ask(gateway.admin, target="/snapshot?consumer=nobody").status == 404
    fresh = ask(gateway.admin, target=f"/snapshot?consumer={name}").json
    assert [(limit["name"], limit["used"]) for limit in fresh["limits"]] == [
        ("requests/day", 0), ("tokens/minute", 0), ("cost/month", 0), ("concurrency", 0)
    ]  # fmt: skip
    thread = threading.Thread(target=ask, args=(gateway.proxy, "GET", "/demo/delay/1"), kwargs={"apikey": key})
    thread.start()
    end = time.monotonic() + 5
    while True:
        limits = ask(gateway.admin, target=f"/snapshot?consumer={name}").json["limits"]
        if named(limits, "concurrency")["used"] or time.monotonic() > end:
            break
    thread.join()
    assert (named(limits, "concurrency")["held"], named(limits, "requests/day")["held"]) == (1, 1)
    after = ask(gateway.admin, target=f"/snapshot?consumer={name}").json["limits"]
    day = named(after, "requests/day")
    assert (day["used"], day["held"], named(after, "concurrency")["used"]) == (1, 0, 0)


def test_true_at_its_number_under_load(gateway):
    """Sums of the snapshot and the events behind its number are those of the ledger, whatever ran meanwhile."""
    name, key = gateway.consumer()
    stop = threading.Event()
    sent = []

    def load():
        while not stop.is_set():
            sent.append(ask(gateway.proxy, target="/demo/get", apikey=key).status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        taken = [snapshot(gateway) for _ in range(12)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    whole = len(sent)
    last = snapshot(gateway)
    assert named(last["consumers"], name)["allowed"] == whole
    admin = AdminClient("http://{}:{}".format(*gateway.admin))
    for one in taken:
        known = sum(row["allowed"] for row in one["consumers"] if row["name"] == name)
        behind = 0
        if one["number"] < last["number"]:
            for told in follow(admin, None, one["number"], lambda _: None, lambda _: None):
                behind += told.kind == "request" and told.data["consumer"] == name
                if told.number == last["number"]:
                    break
        assert known + behind == whole
