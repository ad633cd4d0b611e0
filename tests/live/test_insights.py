"""Insights of a running gateway: each question over real calls, by the Admin API and by the command."""

import csv
import io
import json

import pytest

from aimon_local.policy.insights import INSIGHTS
from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("insights") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}/v1"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai/v1"]})
        running.plugin("llm", "key-auth")
        running.write("POST", "/price_plans", {"name": "metered", "monthly_fee": 5})
        running.write("POST", "/model_prices", {"model": "mock-*", "provider": "mock", "input": 1, "output": 4})
        limits = [{"unit": "requests", "amount": 2, "period": "month"}]
        running.write("POST", "/tiers", {"name": "two", "limits": limits})
        running.write("POST", "/tiers", {"name": "more", "plan": "metered"})
        name, key = running.consumer()
        running.write("POST", "/consumer_groups/two/consumers", {"consumer": name})
        body = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
        sent = [
            ask(running.proxy, "POST", "/ai/v1/chat/completions", body, apikey=key, Content_Type="application/json")
            for _ in range(3)
        ]
        assert [each.status for each in sent] == [200, 200, 429]
        running.write("DELETE", f"/consumer_groups/two/consumers/{name}")
        running.write("POST", "/consumer_groups/more/consumers", {"consumer": name})
        running.name = name
        yield running


@pytest.fixture(scope="module")
def cli(gateway):
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})


EXPECTED = {
    "sla": {"requests": 3, "denied": 1, "failed": 0, "success_percent": 100.0},
    "forecast": {"limit": "requests/month", "used": 2, "amount": 2},
    "tiers": {"tier": "two", "peak_percent": 100.0, "refused": 1, "verdict": "maxed_out"},
    "conversion": {"free_group": "two", "paid_group": "more", "state": "paid", "calls_before": 3},
    "adoption": {"state": "active", "requests": 3, "active_days": 1},
    "products": {"service": "llm", "route": "llm", "requests": 2, "consumers": 1},
    "denied": {"limit": "requests/month", "requests": 1, "consumers": 1, "unpriced": 0},
}


@pytest.mark.parametrize("name", INSIGHTS)
def test_each_question_is_answered_with_its_method(gateway, cli, name):
    page = json.loads(cli("insights", name, "--json").stdout)
    assert page["method"] == INSIGHTS[name].method
    rows = page["data"]
    if name == "unusual":  # nobody has a past yet
        assert rows == []
        return
    assert len(rows) == 1
    assert rows[0] | EXPECTED[name] == rows[0]
    assert rows[0].get("consumer", gateway.name) == gateway.name
    table = cli("insights", name, "--csv").stdout
    assert next(csv.DictReader(io.StringIO(table))).keys() == set(page["columns"])


def test_the_questions_are_listed_and_a_wrong_one_is_said(gateway, cli):
    assert all(name in cli("insights").stdout for name in INSIGHTS)
    assert "give one of sla" in cli.fails("insights", "weather")
    assert ask(gateway.admin, "GET", "/insights/sla?since=never").status == 400
    assert gateway.write("GET", "/insights/sla?until=1h")["data"] == []
