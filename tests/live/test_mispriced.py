"""One mispriced line of the price book locks a user out of a budget: what the operator does, and what history keeps."""

import json

import pytest

from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live
BODY = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 20})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("mispriced") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth")
        yield running


def call(gateway, key):
    return ask(gateway.proxy, "POST", "/ai/v1/chat/completions", BODY, apikey=key, Content_Type="application/json")


def test_a_corrected_price_frees_who_it_locked_and_history_keeps_both_rows(gateway):
    line = {"model": "mock-small", "input": 1000, "output": 2000}  # a thousand times too dear
    priced = gateway.write("POST", "/model_prices", line)["id"]
    name, key = gateway.consumer()
    budget = {"unit": "cost", "amount": 0.1, "period": "month"}
    gateway.write("POST", "/tiers", {"name": "small", "limits": [budget]})
    gateway.write("POST", "/consumer_groups/small/consumers", {"consumer": name})
    assert [call(gateway, key).status for _ in range(4)][-1] == 429

    gateway.write("PATCH", f"/model_prices/{priced}", {"input": 1, "output": 2})
    done = gateway.write("POST", "/reprice", {"since": "1h"})
    rows = gateway.rows("consumer = ? AND decision = 'allow'", name)
    assert done["corrected"] == len(rows) > 0
    cost = float(gateway.write("GET", f"/requests/{rows[0]['request_id']}")["ai"]["cost"])
    story = gateway.write("GET", f"/requests/{rows[0]['request_id']}/explain")
    assert float(story["corrections"][0]["cost"]) * 10**9 == pytest.approx(-0.999 * cost)
    assert float(gateway.write("GET", f"/usage/ai?consumer={name}")["totals"]["cost"]) < 0.001
    assert gateway.write("GET", "/verify")["good"]

    # What a limit has counted stays: calls were admitted by it. A deal with this one customer frees it at once.
    wider = {"limits": [{**budget, "amount": 1}], "consumer": {"username": name}}
    gateway.write("POST", "/tiers", {"name": "sorry", **wider})
    assert [call(gateway, key).status for _ in range(4)] == [200] * 4
